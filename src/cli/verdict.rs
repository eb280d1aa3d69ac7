//! How a command that looks at a configuration ends.

use std::process::ExitCode;

/// The exit codes of `check` and `keys`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// 0: all is well; there may be warnings.
    Fine,
    /// 1: something is wrong, and has been printed.
    Problems,
    /// 2: the configuration file could not be read.
    Unreadable,
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Fine => Self::SUCCESS,
            Verdict::Problems => Self::from(1),
            Verdict::Unreadable => Self::from(2),
        }
    }
}
