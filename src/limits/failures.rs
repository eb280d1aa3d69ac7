//! Who failed to prove who they are, and how often: after so many failures nobody is asked any more.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;

/// Failures by a key, for a minute from the first of them. Bounded: where there is no room for one more
/// key, the one whose time is over soonest gives way.
#[derive(Debug, Default)]
pub struct Failures(Mutex<HashMap<u128, Failed>>);

#[derive(Clone, Copy, Debug)]
struct Failed {
    count: u32,
    until: Timestamp,
}

impl Failures {
    /// Failures within [`Failures::MINUTE`] before nobody is asked any more.
    pub const MOST: u32 = 10;
    /// Seconds failures are remembered from the first of them on.
    pub const MINUTE: u64 = 60;

    /// Whether somebody may try; otherwise the seconds until they may.
    ///
    /// # Errors
    /// Seconds, at least 1.
    pub fn may_try(&self, key: u128, now: Timestamp) -> Result<(), u64> {
        let every = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match every.get(&key) {
            Some(failed) if failed.count >= Self::MOST && now < failed.until => {
                Err(failed.until.since(now).max(1))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Somebody failed.
    pub fn failed(&self, key: u128, now: Timestamp) {
        let mut every = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        every.retain(|_, failed| now < failed.until);
        if every.len() >= MOST_KEYS && !every.contains_key(&key) {
            let soonest = every.iter().min_by_key(|(_, failed)| failed.until).map(|(key, _)| *key);
            soonest.map(|key| every.remove(&key));
        }
        let fresh = Failed { count: 0, until: now.plus(Self::MINUTE) };
        every.entry(key).or_insert(fresh).count += 1;
    }
}

/// Some 64 KiB.
const MOST_KEYS: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    #[test]
    fn after_ten_failures_one_waits_for_the_minute_to_end_and_others_do_not() {
        let failures = Failures::default();
        for _ in 0..Failures::MOST {
            assert_eq!(failures.may_try(1, NOW), Ok(()));
            failures.failed(1, NOW);
        }
        assert_eq!(failures.may_try(1, NOW), Err(60));
        assert_eq!(failures.may_try(1, NOW.plus(59)), Err(1));
        assert_eq!(failures.may_try(2, NOW), Ok(()));
        assert_eq!(failures.may_try(1, NOW.plus(60)), Ok(()));
    }

    #[test]
    fn strangers_cannot_make_it_grow() {
        let failures = Failures::default();
        for stranger in 0..3 * MOST_KEYS as u128 {
            failures.failed(stranger, NOW);
        }
        assert_eq!(failures.0.lock().unwrap().len(), MOST_KEYS);
    }
}
