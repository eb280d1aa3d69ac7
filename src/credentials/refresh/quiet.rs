//! When a provider that failed is asked again: by one at a time, and seldom.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;

/// Those that failed lately, by relying party.
#[derive(Debug, Default)]
pub(super) struct Quiet(Mutex<HashMap<String, Trouble>>);

#[derive(Clone, Copy, Debug)]
struct Trouble {
    /// Nobody asks before.
    until: Timestamp,
    /// Seconds to wait after the next failure.
    step: u64,
}

impl Quiet {
    /// Whether somebody may ask now. After a failure one may, whenever a while has passed, and the
    /// others not until that one has been answered.
    pub fn may_ask(&self, party: &str, now: Timestamp) -> bool {
        let mut all = self.lock();
        let Some(trouble) = all.get_mut(party) else { return true };
        if now < trouble.until {
            return false;
        }
        trouble.until = now.plus(trouble.step);
        true
    }

    /// It answered.
    pub fn answered(&self, party: &str) {
        self.lock().remove(party);
    }

    /// It failed.
    pub fn failed(&self, party: &str, now: Timestamp) {
        let mut all = self.lock();
        let step = all.get(party).map_or(SHORTEST, |trouble| (trouble.step * 2).min(LONGEST));
        all.insert(party.to_owned(), Trouble { until: now.plus(step), step });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seconds after the first failure.
const SHORTEST: u64 = 2;
/// Seconds at most: tokens last longer by far.
const LONGEST: u64 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_failed_is_asked_by_one_at_a_time_and_less_and_less() {
        let (quiet, mut now, mut asked) = (Quiet::default(), Timestamp(0), 0);
        quiet.failed("main", now);
        while now < Timestamp(1_800) {
            now = now.plus(1);
            for _ in 0..1_000 {
                if quiet.may_ask("main", now) {
                    asked += 1;
                    quiet.failed("main", now);
                }
            }
            assert!(quiet.may_ask("other", now));
        }
        assert!((60..70).contains(&asked), "{asked} in half an hour");
        quiet.answered("main");
        assert!(quiet.may_ask("main", now) && quiet.may_ask("main", now));
    }
}
