//! Why the store did not do what it was asked.

use std::sync::Arc;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::config::RedisNode;

/// A command that failed. No text in it holds a value or a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkFailed {
    /// Redis took the command and answered with an error.
    #[error("redis answered with an error: {0}")]
    Answer(Arc<str>),
    /// Too many commands wait already.
    #[error("redis is asked too much at once")]
    Busy,
    /// There is no connection, and the last attempt at one failed.
    #[error("redis cannot be reached: {0}")]
    Down(Arc<str>),
    /// The connection broke before the answer came: the command may have been carried out.
    #[error("the connection to redis broke before it answered: {0}")]
    Lost(Arc<str>),
    /// Redis has reached its `maxmemory`, and nothing was written.
    #[error("redis has no memory left: {0}")]
    OutOfMemory(Arc<str>),
    /// Redis does not take our user or password, or does not allow a command.
    #[error("redis refuses our user or password: {0}")]
    Refused(Arc<str>),
    /// It did not answer in time.
    #[error("redis did not answer in time")]
    TimedOut,
    /// The configuration holds nothing a client can be made of.
    #[error("[redis] cannot be used: {0}")]
    Unusable(Arc<str>),
}

impl LinkFailed {
    /// What metrics and JSON call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Answer(_) => "answer",
            Self::Busy => "busy",
            Self::Down(_) => "down",
            Self::Lost(_) => "lost",
            Self::OutOfMemory(_) => "out_of_memory",
            Self::Refused(_) => "refused",
            Self::TimedOut => "timed_out",
            Self::Unusable(_) => "unusable",
        }
    }

    /// Every name there is.
    pub const NAMES: [&str; 8] =
        ["answer", "busy", "down", "lost", "out_of_memory", "refused", "timed_out", "unusable"];

    /// What a broken connection leaves open.
    pub(super) fn unknown(self) -> Self {
        match self {
            Self::Down(why) => Self::Lost(why),
            other => other,
        }
    }

    /// Whether it says more about the way to the server than about the command.
    pub(super) fn is_of_the_way(&self) -> bool {
        matches!(self, Self::Down(_) | Self::Lost(_) | Self::TimedOut)
    }

    pub(super) fn of(error: &RedisError) -> Self {
        let text = || bounded(&error.to_string());
        match error.kind() {
            ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => {
                Self::Refused(text())
            }
            _ if matches!(error.code(), Some("NOAUTH" | "WRONGPASS")) => Self::Refused(text()),
            _ if is_out_of_memory(error) => Self::OutOfMemory(text()),
            ErrorKind::InvalidClientConfig => Self::Unusable(text()),
            ErrorKind::Server(_) | ErrorKind::Extension => Self::Answer(text()),
            _ => Self::Down(text()),
        }
    }
}

/// Why a node of a cluster does not carry a command out that another one would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Elsewhere {
    pub to: Where,
    pub failed: LinkFailed,
}

/// Where a command is to go instead. A host that is empty is that of whoever says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Where {
    /// There, this once, and announced (`ASK`).
    Announced(RedisNode),
    /// Nowhere just now (`TRYAGAIN`, `CLUSTERDOWN`, `MASTERDOWN`).
    Later,
    /// There, from now on (`MOVED`).
    Moved(RedisNode),
}

impl Elsewhere {
    pub(super) fn of(error: &RedisError) -> Option<Self> {
        let ErrorKind::Server(kind) = error.kind() else { return None };
        let node = || {
            let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
            let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            Some(RedisNode { host, port: port.parse().ok()? })
        };
        let to = match kind {
            ServerErrorKind::Ask => Where::Announced(node()?),
            ServerErrorKind::Moved => Where::Moved(node()?),
            ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown => Where::Later,
            _ => return None,
        };
        Some(Self { to, failed: LinkFailed::Down(bounded(&error.to_string())) })
    }

    /// What it means to whoever takes a node for a server of its own.
    pub(super) fn of_no_cluster(self) -> LinkFailed {
        match self.to {
            Where::Later => self.failed,
            Where::Announced(_) | Where::Moved(_) => LinkFailed::Answer(
                "this is a node of a cluster: write cluster = […] instead of url".into(),
            ),
        }
    }
}

/// Whether the connection is of no use any more: it broke, or it leads to a server that has become
/// a replica or is still loading.
pub(super) fn breaks(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::BusyLoading)
    ) || error.is_unrecoverable_error()
}

/// Older servers have it inside the error of a script.
fn is_out_of_memory(error: &RedisError) -> bool {
    error.code() == Some("OOM") || error.to_string().contains("OOM command not allowed")
}

fn bounded(text: &str) -> Arc<str> {
    text.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect::<String>().into()
}

const LONGEST: usize = 200;
