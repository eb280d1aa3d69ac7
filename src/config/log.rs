//! `[log]`: how much is written, and whether each request has its line.

use super::section::Section;
use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "log",
    keys: &[Key::defaulted("level", "\"info\""), Key::defaulted("access", "true")],
};

/// What goes to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// One JSON line for each request.
    pub access: bool,
    pub level: LogLevel,
}

/// From terse to talkative; nothing beyond `Info` exists, because libraries would print headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Info,
    Warn,
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
    let access = section.read("access", |value| value.boolean());
    Some(Log { access: access?, level: level? })
}
