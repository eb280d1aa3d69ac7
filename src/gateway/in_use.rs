//! When sessions that have something open for long were last in use.
//!
//! A cookie says when it was written, and nobody is asked for it while a WebSocket is open: what other
//! requests of its session say goes in here.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::session::SessionId;

/// Sessions with something open, of all workers; as large as there are such.
#[derive(Debug)]
pub(super) struct InUse {
    shards: [Mutex<HashMap<SessionId, Use>>; SHARDS],
    all: AtomicUsize,
}

#[derive(Debug)]
struct Use {
    /// How many it has open.
    open: u32,
    last: Timestamp,
}

impl InUse {
    /// Of an entry, for whoever wants to know what one takes.
    #[cfg(test)]
    pub(super) const BYTES: usize = size_of::<(SessionId, Use)>();

    pub(super) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), all: AtomicUsize::new(0) }
    }

    /// A session that was last in use then has one more open.
    pub(super) fn enters(&self, id: SessionId, last: Timestamp) {
        self.all.fetch_add(1, Ordering::Relaxed);
        let mut shard = self.shard(id);
        let known = shard.entry(id).or_insert(Use { open: 0, last });
        known.open += 1;
        known.last = known.last.max(last);
    }

    /// It has one less open.
    pub(super) fn leaves(&self, id: SessionId) {
        self.all.fetch_sub(1, Ordering::Relaxed);
        let mut shard = self.shard(id);
        if let Some(known) = shard.get_mut(&id) {
            known.open -= 1;
            if known.open == 0 {
                shard.remove(&id);
            }
        }
    }

    /// A session is in use. Nearly always there is nobody to be told.
    pub(super) fn is_used(&self, id: SessionId, now: Timestamp) {
        if self.all.load(Ordering::Relaxed) == 0 {
            return;
        }
        if let Some(known) = self.shard(id).get_mut(&id) {
            known.last = known.last.max(now);
        }
    }

    /// When a session that has something open was last in use.
    pub(super) fn last(&self, id: SessionId) -> Option<Timestamp> {
        self.shard(id).get(&id).map(|known| known.last)
    }

    fn shard(&self, id: SessionId) -> MutexGuard<'_, HashMap<SessionId, Use>> {
        let shard = &self.shards[usize::from(id.0[0]) % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const SHARDS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_use_counts_whoever_said_it_and_nothing_stays_behind() {
        let (uses, id) = (InUse::new(), SessionId([7; 16]));
        uses.is_used(id, Timestamp(5));
        assert_eq!(uses.last(id), None, "it has nothing open");
        uses.enters(id, Timestamp(10));
        uses.is_used(id, Timestamp(30));
        uses.enters(id, Timestamp(20));
        assert_eq!(uses.last(id), Some(Timestamp(30)));
        uses.leaves(id);
        assert_eq!(uses.last(id), Some(Timestamp(30)));
        uses.leaves(id);
        assert_eq!(uses.last(id), None);
        assert!(uses.shards.iter().all(|shard| shard.lock().unwrap().is_empty()));
    }
}
