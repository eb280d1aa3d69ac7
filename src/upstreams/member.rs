//! One server of a pool: what it has to do, and whether it is well.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::clock::Timestamp;
use crate::config::HealthCheck;

/// A server as its pool knows it. It lives on where a new configuration has it too.
#[derive(Debug)]
pub struct Member {
    name: String,
    in_flight: AtomicUsize,
    /// Answers and failures in a row, as those who asked found them.
    failures: AtomicUsize,
    /// Seconds since 1970; it is left out until then.
    ejected_until: AtomicU64,
    /// Looks in a row that found the other than what it counts as.
    doubts: AtomicUsize,
    is_down: AtomicBool,
}

/// What a look at a server changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Down,
    Nothing,
    Up,
}

impl Member {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            in_flight: AtomicUsize::new(0),
            failures: AtomicUsize::new(0),
            ejected_until: AtomicU64::new(0),
            doubts: AtomicUsize::new(0),
            is_down: AtomicBool::new(false),
        }
    }

    /// Its URL.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Requests that are with it now.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Whether it is sent requests: found well, and not left out for its failures.
    pub fn is_up(&self, now: Timestamp) -> bool {
        !self.is_down.load(Ordering::Relaxed) && !self.is_ejected(now)
    }

    pub(super) fn is_ejected(&self, now: Timestamp) -> bool {
        now.0 < self.ejected_until.load(Ordering::Relaxed)
    }

    /// Notes what a look at it found: as many in a row as `check` says change what it counts as.
    pub fn looked_at(&self, well: Looks, check: &HealthCheck) -> Turn {
        let is_down = self.is_down.load(Ordering::Relaxed);
        if is_down == (well == Looks::Ill) {
            self.doubts.store(0, Ordering::Relaxed);
            return Turn::Nothing;
        }
        let wanted = if is_down { check.healthy_after } else { check.unhealthy_after };
        if self.doubts.fetch_add(1, Ordering::Relaxed) + 1 < wanted {
            return Turn::Nothing;
        }
        self.doubts.store(0, Ordering::Relaxed);
        self.is_down.store(!is_down, Ordering::Relaxed);
        if is_down { Turn::Up } else { Turn::Down }
    }

    /// It is looked at no more: then only its answers count.
    pub(super) fn is_no_more_looked_at(&self) {
        self.is_down.store(false, Ordering::Relaxed);
        self.doubts.store(0, Ordering::Relaxed);
    }

    pub(super) fn enter(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn answered(&self) {
        // Read first: every request comes by here, and writing is dear where workers share it.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// How often it failed in a row, this time included.
    pub(super) fn failed(&self) -> usize {
        self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// Leaves it out until then. The next failure after that leaves it out again at once.
    pub(super) fn eject(&self, until: Timestamp) {
        self.ejected_until.store(until.0, Ordering::Relaxed);
    }
}

/// What a look at a server found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    Ill,
    Well,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn several_looks_in_a_row_change_what_a_server_counts_as() {
        let check = HealthCheck {
            path: "/health".to_owned(),
            host: None,
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(1),
            healthy_after: 2,
            unhealthy_after: 3,
        };
        let (member, now) = (Member::new("http://a:1".to_owned()), Timestamp(0));
        use Looks::{Ill, Well};
        for (looks, turn) in [
            (Ill, Turn::Nothing),
            (Ill, Turn::Nothing),
            (Well, Turn::Nothing),
            (Ill, Turn::Nothing),
            (Ill, Turn::Nothing),
            (Ill, Turn::Down),
            (Ill, Turn::Nothing),
            (Well, Turn::Nothing),
            (Ill, Turn::Nothing),
            (Well, Turn::Nothing),
            (Well, Turn::Up),
        ] {
            assert_eq!(member.looked_at(looks, &check), turn);
        }
        assert!(member.is_up(now));
    }
}
