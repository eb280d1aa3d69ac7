//! Where the times of everybody's next turn are written: so many rows, and no more.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;

/// At most [`MOST_ROWS`] rows. When there is no room, rows whose time is over go first, and then
/// those that are over soonest: who is forgotten has a little more than was due, and nobody has
/// less. Sharded, so that the workers do not meet at one lock.
#[derive(Debug)]
pub(super) struct Ledger {
    shards: Vec<Mutex<HashMap<u128, Nanos>>>,
    hasher: RandomState,
}

impl Ledger {
    pub(super) fn new() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: RandomState::new() }
    }
}

impl StateStore for Ledger {
    type Key = u128;

    fn measure_and_replace<T, F, E>(&self, key: &u128, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let number = self.hasher.hash_one(key) as usize % SHARDS;
        let mut shard = self.shards[number].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = shard.get_mut(key) {
            let (outcome, next) = measure(Some(*row))?;
            *row = next;
            return Ok(outcome);
        }
        let (outcome, next) = measure(None)?;
        if shard.len() >= MOST_ROWS / SHARDS {
            make_room(&mut shard, next);
        }
        shard.insert(*key, next);
        Ok(outcome)
    }
}

/// `fresh` is the row of somebody who comes for the first time: one before it means no more.
/// A quarter goes at once, so that the price is paid seldom.
fn make_room(shard: &mut HashMap<u128, Nanos>, fresh: Nanos) {
    let wanted = shard.len() - shard.len() / 4;
    shard.retain(|_, row| *row > fresh);
    if shard.len() <= wanted {
        return;
    }
    let mut rows: Vec<Nanos> = shard.values().copied().collect();
    let gone = rows.len() - wanted;
    let (_, last, _) = rows.select_nth_unstable(gone - 1);
    let last = *last;
    shard.retain(|_, row| *row > last);
}

/// About 3 MiB.
const MOST_ROWS: usize = 65_536;
const SHARDS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(ledger: &Ledger) -> usize {
        ledger.shards.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }

    fn write(ledger: &Ledger, key: u128, row: u64) {
        let written = ledger.measure_and_replace(&key, |_| Ok::<_, ()>(((), Nanos::from(row))));
        assert_eq!(written, Ok(()));
    }

    #[test]
    fn strangers_cannot_make_it_grow_and_the_busiest_are_kept() {
        let ledger = Ledger::new();
        for busy in 0..100 {
            write(&ledger, busy, 1 << 40);
        }
        for stranger in 1_000..300_000 {
            write(&ledger, stranger, 1_000 + stranger as u64);
        }
        assert!(rows(&ledger) <= MOST_ROWS, "{}", rows(&ledger));
        for busy in 0..100 {
            let kept = ledger.measure_and_replace(&busy, |row| match row {
                Some(row) => Ok::<_, ()>((row.as_u64(), row)),
                None => Err(()),
            });
            assert_eq!(kept, Ok(1 << 40));
        }
    }

    #[test]
    fn a_refusal_writes_nothing() {
        let ledger = Ledger::new();
        assert_eq!(ledger.measure_and_replace(&1, |_| Err::<((), Nanos), _>(7)), Err(7));
        assert_eq!(rows(&ledger), 0);
    }
}
