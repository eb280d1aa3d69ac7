//! `[route.NAME.headers]`: under which names the app is told who is calling.

use http::HeaderName;
use toml::de::DeValue;

use super::reading::quoted;
use super::section::Section;
use super::value::Value;
use super::{HeaderNames, Key, Table};

pub(super) const TABLE: Table = Table {
    header: "route.NAME.headers",
    keys: &[
        Key::defaulted("administrator", "\"X-SuperOffice-Administrator\""),
        Key::defaulted("assertion", "false").such_as("\"X-SuperOffice-Identity\""),
        Key::defaulted("associate_id", "\"X-SuperOffice-Associate-Id\""),
        Key::defaulted("bearer", "\"Authorization\""),
        Key::defaulted("company", "\"X-SuperOffice-Company\""),
        Key::defaulted("context", "\"X-SuperOffice-Context\""),
        Key::defaulted("email", "\"X-SuperOffice-Email\""),
        Key::defaulted("first_name", "\"X-SuperOffice-First-Name\""),
        Key::defaulted("initials", "\"X-SuperOffice-Initials\""),
        Key::defaulted("last_name", "\"X-SuperOffice-Last-Name\""),
        Key::defaulted("soap_url", "\"X-SuperOffice-Soap-Url\""),
        Key::defaulted("ticket", "\"SOTicket\""),
        Key::defaulted("user", "\"X-SuperOffice-User\""),
        Key::defaulted("web_api_url", "\"X-SuperOffice-WebApi-Url\""),
    ],
};

impl Default for HeaderNames {
    fn default() -> Self {
        Self::from_names(|key| {
            let text = TABLE.keys.iter().find(|known| known.name == key)?.text.trim_matches('"');
            Some((text != "false").then(|| text.parse().expect("every default is a header name")))
        })
        .expect("every field is a key")
    }
}

impl HeaderNames {
    fn from_names(mut name: impl FnMut(&str) -> Option<Option<HeaderName>>) -> Option<Self> {
        Some(Self {
            administrator: name("administrator")?,
            assertion: name("assertion")?,
            associate_id: name("associate_id")?,
            bearer: name("bearer")?,
            company: name("company")?,
            context: name("context")?,
            email: name("email")?,
            first_name: name("first_name")?,
            initials: name("initials")?,
            last_name: name("last_name")?,
            soap_url: name("soap_url")?,
            ticket: name("ticket")?,
            user: name("user")?,
            web_api_url: name("web_api_url")?,
        })
    }
}

/// Reads the table inside a route's.
pub(super) fn header_names(route: &Section) -> Option<HeaderNames> {
    let section = route.section("headers", TABLE.keys);
    let mut taken: Vec<(String, &'static str)> = Vec::new();
    // Defaults first, so that a name given twice is refused where somebody wrote it.
    let (written, left): (Vec<&Key>, Vec<&Key>) =
        TABLE.keys.iter().partition(|key| section.has(key.name));
    let read: Vec<(&str, Option<Option<HeaderName>>)> = left
        .into_iter()
        .chain(written)
        .map(|key| {
            let name = section.read(key.name, |value| {
                let Some(name) = header_name(value)? else { return Some(None) };
                refuse_taken(value, &name, &mut taken)?;
                Some(Some(name))
            });
            (key.name, name)
        })
        .collect();
    HeaderNames::from_names(|wanted| {
        read.iter().find(|(key, _)| *key == wanted).and_then(|(_, name)| name.clone())
    })
}

/// A name, or `None` for `false`.
fn header_name(value: &Value) -> Option<Option<HeaderName>> {
    match value.raw {
        DeValue::Boolean(false) => return Some(None),
        DeValue::Boolean(true) => {
            return value.refuse("is true", "write a header name, or false to leave it out");
        }
        _ => {}
    }
    let text = value.text()?;
    let Ok(name) = HeaderName::from_bytes(text.as_bytes()) else {
        let wrong = format!("{} is not a header name", quoted(text));
        return value.refuse(wrong, value.key.hint());
    };
    let plain = spelling(&name);
    if RESERVED.contains(&plain.as_str()) || plain.starts_with("x-forwarded-") {
        let wrong = format!("{} is reserved: HTTP itself or a proxy sets it", quoted(text));
        return value.refuse(wrong, value.key.hint());
    }
    Some(Some(name))
}

fn refuse_taken(
    value: &Value,
    name: &HeaderName,
    taken: &mut Vec<(String, &'static str)>,
) -> Option<()> {
    let plain = spelling(name);
    // A request carries one credential, so both kinds may go by the standard name.
    let both = ["bearer", "ticket"];
    let shares = |other: &str| {
        plain == "authorization" && both.contains(&other) && both.contains(&value.key.name)
    };
    let rival = taken.iter().find(|(known, other)| *known == plain && !shares(other));
    if let Some((_, other)) = rival {
        let wrong = format!("{name} is the name of headers.{other} too");
        return value.refuse(wrong, "give each its own name, or write false to leave one out");
    }
    taken.push((plain, value.key.name));
    Some(())
}

/// One spelling for names that many servers take for the same.
fn spelling(name: &HeaderName) -> String {
    name.as_str().replace('_', "-")
}

/// Hop-by-hop headers (RFC 9110 §7.6.1), those that frame or address the message, and those that
/// say where it came from.
const RESERVED: [&str; 19] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-real-ip",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_names_nobody_reserves_and_no_two_share() {
        let mut names: Vec<&str> = TABLE.keys.iter().map(|key| key.text).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.keys.len());
        assert_eq!(HeaderNames::default().ticket.unwrap(), "soticket");
    }
}
