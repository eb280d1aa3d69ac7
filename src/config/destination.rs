//! Where lines are written: `to` and `path`, of `[log]` and of `[audit]`.

use std::path::PathBuf;

use super::section::Section;

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineDestination {
    /// A file, appended to and opened anew on SIGUSR1.
    File(PathBuf),
    /// systemd's journal, by its own protocol over this socket.
    Journald(PathBuf),
    Stdout,
    /// RFC 5424 over this datagram socket.
    Syslog(PathBuf),
}

/// What `to` may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Journald,
    Stdout,
    Syslog,
}

/// Reads both keys.
pub(super) fn destination(section: &Section) -> Option<LineDestination> {
    let kind = section.read("to", |value| {
        value.choice(&[
            ("stdout", Kind::Stdout),
            ("file", Kind::File),
            ("syslog", Kind::Syslog),
            ("journald", Kind::Journald),
        ])
    });
    let path = match section.has("path") {
        true => Some(section.optional("path", |value| {
            let text = value.line(1024)?;
            Some(section.reading.path(&text))
        })?),
        false => None,
    };
    match (kind?, path) {
        (Kind::File, Some(path)) => Some(LineDestination::File(path)),
        (Kind::Journald, path) => {
            Some(LineDestination::Journald(path.unwrap_or_else(|| JOURNALD.into())))
        }
        (Kind::Syslog, path) => {
            Some(LineDestination::Syslog(path.unwrap_or_else(|| SYSLOG.into())))
        }
        (Kind::Stdout, None) => Some(LineDestination::Stdout),
        (Kind::File, None) => {
            let instead = format!("write path = {}", section.example("path"));
            section.reading.problem(
                &section.place("path"),
                "is missing beside to = \"file\"",
                instead,
            );
            None
        }
        (Kind::Stdout, Some(_)) => {
            let wrong = "is not used: standard output has no path";
            let instead = "write to = \"file\", or leave path out";
            section.reading.warn(&section.place("path"), wrong, instead);
            Some(LineDestination::Stdout)
        }
    }
}

const JOURNALD: &str = "/run/systemd/journal/socket";
const SYSLOG: &str = "/dev/log";
