//! What happened lately, without names of people: the latest refusals, and the latest changes.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// The latest of both kinds, each bounded in number and length.
#[derive(Debug, Default)]
pub struct Recent {
    refusals: Mutex<VecDeque<TurnedAway>>,
    changes: Mutex<VecDeque<Happened>>,
}

/// A request that was refused. Neither who sent it nor what for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnedAway {
    /// Seconds since 1970.
    pub at: u64,
    pub status: u16,
    /// One of a fixed set of words.
    pub reason: String,
    /// Absent where it got no further than the door, or to a page of ours.
    pub route: Option<String>,
    pub tenant: Option<String>,
    /// Absent where it was refused by its bytes.
    pub request_id: Option<String>,
}

/// Something that changed what the gateway does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// Seconds since 1970.
    pub at: u64,
    /// `configuration`, `upgrade`, `certificate`, `tenant_notice` or `system_user_token`.
    pub what: String,
    /// What became of it, in a word or two.
    pub outcome: String,
    pub tenant: Option<String>,
}

impl Recent {
    /// Remembers a refusal, stamped with the machine's time. While somebody else does, or reads, it is
    /// left out: they come in crowds, and nobody waits for this.
    pub fn refused(&self, refusal: TurnedAway) {
        if let Ok(mut latest) = self.refusals.try_lock() {
            let request_id = refusal.request_id.map(|id| id.chars().take(MOST_LETTERS).collect());
            push(&mut latest, TurnedAway { at: now(), request_id, ..refusal }, MOST_REFUSALS);
        }
    }

    /// Remembers a change, stamped with the machine's time.
    pub fn changed(&self, what: &str, outcome: &str, tenant: Option<&str>) {
        let (what, outcome) = (what.to_owned(), outcome.to_owned());
        let event = Happened { at: now(), what, outcome, tenant: tenant.map(str::to_owned) };
        let mut latest = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        push(&mut latest, event, MOST_CHANGES);
    }

    /// The latest refusals, the latest first.
    pub fn refusals(&self) -> Vec<TurnedAway> {
        let latest = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        latest.iter().rev().cloned().collect()
    }

    /// The latest changes, the latest first.
    pub fn changes(&self) -> Vec<Happened> {
        let latest = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        latest.iter().rev().cloned().collect()
    }
}

/// Seconds since 1970, UTC.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn push<T>(latest: &mut VecDeque<T>, one: T, most: usize) {
    if latest.len() >= most {
        latest.pop_front();
    }
    latest.push_back(one);
}

/// A trusted proxy may have named a request.
const MOST_LETTERS: usize = 64;
const MOST_REFUSALS: usize = 100;
const MOST_CHANGES: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_stay_and_the_oldest_go() {
        let recent = Recent::default();
        for number in 0..1_000 {
            recent.refused(TurnedAway { status: number, ..TurnedAway::default() });
            recent.changed("configuration", &number.to_string(), None);
        }
        let refusals: Vec<u16> = recent.refusals().iter().map(|one| one.status).collect();
        assert_eq!(refusals, (900..1_000).rev().collect::<Vec<u16>>());
        assert_eq!((recent.changes().len(), recent.changes()[0].outcome.as_str()), (50, "999"));
    }
}
