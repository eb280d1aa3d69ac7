//! `[log]`: how much is written, in which form and where to, and what a request's line says.

use super::destination::{LineDestination, destination};
use super::nearest::nearest;
use super::reading::quoted;
use super::section::Section;
use super::value::Value;
use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "log",
    keys: &[
        Key::defaulted("level", "\"info\""),
        Key::defaulted("format", "\"auto\""),
        Key::defaulted("to", "\"stdout\""),
        Key::optional("path", "\"/var/log/superid-gateway/gateway.log\""),
        Key::defaulted("access", "true"),
        Key::defaulted(
            "access_fields",
            "[\"request_id\", \"client\", \"method\", \"host\", \"path\", \"status\", \"bytes\", \
             \"duration_us\", \"route\", \"tenant\", \"caller\", \"detail\"]",
        ),
    ],
};

/// What goes to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// One line for each request.
    pub access: bool,
    /// What that line says, in this order, after its time and message.
    pub access_fields: Vec<AccessField>,
    pub format: LogFormat,
    pub level: LogLevel,
    pub to: LineDestination,
}

/// From terse to talkative; nothing beyond `Info` exists, because libraries would print headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Info,
    Warn,
}

/// What lines look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people where standard output is a terminal and lines go there, JSON everywhere else.
    Auto,
    Fixed(LineForm),
}

/// The form of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineForm {
    Human,
    Json,
}

/// A member of a request's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessField {
    Bytes,
    Caller,
    Client,
    Detail,
    Duration,
    Host,
    Method,
    Path,
    Protocol,
    RequestBytes,
    RequestId,
    Route,
    Status,
    Tenant,
    TraceId,
    Upstream,
    User,
    UserAgent,
}

impl AccessField {
    /// All of them, by name.
    pub const EVERY: [(&'static str, Self); 18] = [
        ("request_id", Self::RequestId),
        ("client", Self::Client),
        ("method", Self::Method),
        ("host", Self::Host),
        ("path", Self::Path),
        ("status", Self::Status),
        ("bytes", Self::Bytes),
        ("duration_us", Self::Duration),
        ("route", Self::Route),
        ("tenant", Self::Tenant),
        ("caller", Self::Caller),
        ("detail", Self::Detail),
        ("protocol", Self::Protocol),
        ("request_bytes", Self::RequestBytes),
        ("trace_id", Self::TraceId),
        ("upstream", Self::Upstream),
        ("user", Self::User),
        ("user_agent", Self::UserAgent),
    ];

    /// Those a line has unless the configuration says otherwise, in this order.
    pub fn ordinary() -> Vec<Self> {
        Self::EVERY[..12].iter().map(|(_, field)| *field).collect()
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            access: true,
            access_fields: AccessField::ordinary(),
            format: LogFormat::Auto,
            level: LogLevel::Info,
            to: LineDestination::Stdout,
        }
    }
}

/// Reads the table.
pub(super) fn log(root: &Section) -> Option<Log> {
    let section = root.section("log", TABLE.keys);
    let level = section.read("level", |value| {
        value.choice(&[
            ("error", LogLevel::Error),
            ("warn", LogLevel::Warn),
            ("info", LogLevel::Info),
        ])
    });
    let format = section.read("format", |value| {
        value.choice(&[
            ("auto", LogFormat::Auto),
            ("json", LogFormat::Fixed(LineForm::Json)),
            ("human", LogFormat::Fixed(LineForm::Human)),
        ])
    });
    let to = destination(&section);
    let access = section.read("access", |value| value.boolean());
    let access_fields = section.read("access_fields", |value| value.distinct(access_field));
    Some(Log {
        access: access?,
        access_fields: access_fields?,
        format: format?,
        level: level?,
        to: to?,
    })
}

fn access_field(value: &Value) -> Option<AccessField> {
    let name = value.text()?;
    let names = || AccessField::EVERY.iter().map(|(name, _)| *name);
    if let Some((_, field)) = AccessField::EVERY.iter().find(|(known, _)| *known == name) {
        return Some(*field);
    }
    let instead = match nearest(name, names()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("known: {}", names().collect::<Vec<_>>().join(", ")),
    };
    value.refuse(format!("{} is not a field", quoted(name)), instead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_in_the_file_is_the_default_in_the_code() {
        let text = TABLE.keys.iter().find(|key| key.name == "access_fields").unwrap().text;
        let read: toml::Table = format!("fields = {text}").parse().unwrap();
        let names: Vec<_> = AccessField::EVERY[..12].iter().map(|(name, _)| *name).collect();
        let read: Vec<_> =
            read["fields"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        assert_eq!(read, names);
    }
}
