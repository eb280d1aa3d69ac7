//! How long a session may live, by when it began and when it was last in use.

use crate::clock::Timestamp;
use crate::config;
use crate::telemetry::Unfit;

/// Both lifetimes, in seconds; the same whatever keeps the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    pub idle: u64,
    pub absolute: u64,
}

impl Lifetimes {
    /// Those of a configuration.
    pub fn of(settings: &config::Session) -> Self {
        Self { idle: settings.idle, absolute: settings.absolute }
    }

    /// Why a session is over, if it is.
    pub(super) fn unfit(
        self,
        signed_in: Timestamp,
        seen: Timestamp,
        now: Timestamp,
    ) -> Option<Unfit> {
        if now.since(signed_in) >= self.absolute {
            return Some(Unfit::TooOld);
        }
        (now.since(seen) >= self.idle).then_some(Unfit::Idle)
    }

    /// Whether it should be written again, so that the idle lifetime counts from now: once for each
    /// tenth of it at most.
    pub(super) fn is_due(self, seen: Timestamp, now: Timestamp) -> bool {
        now.since(seen) > self.idle / 10
    }

    /// Seconds a session that is in use now can live without further use.
    pub(super) fn left(self, signed_in: Timestamp, now: Timestamp) -> u64 {
        self.idle.min(self.absolute.saturating_sub(now.since(signed_in)))
    }
}
