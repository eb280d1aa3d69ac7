//! `[log]`: how much is written, and whether each request has its line.

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
