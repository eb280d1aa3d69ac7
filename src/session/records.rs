//! The store in memory: sessions of this process, and of those that follow it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::clock::Timestamp;

use super::heirs::{Heirs, Note};
use super::lifetimes::Lifetimes;
use super::record::Record;
use super::revocations::Revocations;

/// Sessions by their ids. Sharded, so that the workers do not meet at one lock. When there is no room,
/// the one that was out of use for longest gives way: its person signs in again.
#[derive(Debug)]
pub struct Records {
    shards: Vec<RwLock<Shard>>,
    most_per_shard: AtomicUsize,
    heirs: Heirs,
}

#[derive(Debug, Default)]
struct Shard {
    records: HashMap<[u8; 16], Record>,
    /// When those that are over were last taken out.
    swept: Timestamp,
}

impl Records {
    /// Room for about `most` sessions.
    pub fn new(most: usize) -> Self {
        let records = Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            most_per_shard: AtomicUsize::new(0),
            heirs: Heirs::default(),
        };
        records.bound(most);
        records
    }

    /// Follows another bound. Those beyond it stay until others come.
    pub fn bound(&self, most: usize) {
        self.most_per_shard.store(most.div_ceil(SHARDS).max(1), Ordering::Relaxed);
    }

    /// How many there are, those included that are over and were not taken out yet.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| read(shard).records.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn get(&self, id: &[u8; 16]) -> Option<Arc<[u8]>> {
        read(self.shard(id)).records.get(id).map(|record| record.sealed.clone())
    }

    /// Keeps a new session; how many others gave way.
    pub(super) fn put(
        &self,
        id: [u8; 16],
        record: Record,
        (lifetimes, now): (Lifetimes, Timestamp),
    ) -> usize {
        let mut shard = write(self.shard(&id));
        shard.sweep(lifetimes, now);
        let mut evicted = 0;
        while shard.records.len() >= self.most_per_shard.load(Ordering::Relaxed) {
            shard.evict_longest_idle();
            evicted += 1;
        }
        shard.records.insert(id, record.clone());
        drop(shard);
        self.heirs.tell(Note::Kept(id, record));
        evicted
    }

    /// Writes a session again, if it is there as it was: a late write revives nobody.
    pub(super) fn replace(&self, id: [u8; 16], before: &[u8], record: Record) {
        let mut shard = write(self.shard(&id));
        match shard.records.get_mut(&id) {
            Some(present) if *present.sealed == *before => *present = record.clone(),
            Some(_) | None => return,
        }
        drop(shard);
        self.heirs.tell(Note::Kept(id, record));
    }

    pub(super) fn remove(&self, id: &[u8; 16]) {
        write(self.shard(id)).records.remove(id);
    }

    /// Keeps what another process does, unless it is ended or known by a later writing. There is room
    /// for it: that one's bound holds.
    pub(super) fn keep(&self, id: [u8; 16], record: Record, ended: &Revocations) {
        let mut shard = write(self.shard(&id));
        let known = shard.records.get(&id).is_some_and(|known| known.seen >= record.seen);
        if known || ended.has_session(&id, record.signed_in) {
            return;
        }
        shard.records.insert(id, record.clone());
        drop(shard);
        self.heirs.tell(Note::Kept(id, record));
    }

    /// Everything there is, and from now on everything that is written, to `heir`.
    pub(super) fn bequeath(&self, heir: &Sender<Note>) -> Vec<Note> {
        self.heirs.add(heir.clone());
        let mut notes = Vec::new();
        for shard in &self.shards {
            let shard = read(shard);
            notes.extend(shard.records.iter().map(|(id, one)| Note::Kept(*id, one.clone())));
        }
        notes
    }

    pub(super) fn disinherit(&self) {
        self.heirs.leave();
    }

    fn shard(&self, id: &[u8; 16]) -> &RwLock<Shard> {
        &self.shards[usize::from(id[0]) % SHARDS]
    }
}

impl Shard {
    /// Takes out what is over, once for each tenth of the idle lifetime.
    fn sweep(&mut self, lifetimes: Lifetimes, now: Timestamp) {
        if lifetimes.is_due(self.swept, now) {
            self.records.retain(|_, one| lifetimes.unfit(one.signed_in, one.seen, now).is_none());
            self.swept = now;
        }
    }

    fn evict_longest_idle(&mut self) {
        let longest = self.records.iter().min_by_key(|(_, record)| record.seen);
        if let Some(id) = longest.map(|(id, _)| *id) {
            self.records.remove(&id);
        }
    }
}

fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

const SHARDS: usize = 64;

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::super::ended::Names;
    use super::super::what::Over;
    use super::*;

    const NOW: Timestamp = Timestamp(10_000);
    const LIVES: Lifetimes = Lifetimes { idle: 100, absolute: 1_000 };

    fn record(text: &str, seen: u64) -> Record {
        let signed_in = Timestamp(9_500);
        Record { sealed: text.as_bytes().into(), signed_in, seen: Timestamp(seen) }
    }

    #[test]
    fn the_one_out_of_use_for_longest_gives_way_and_those_that_are_over_before_it() {
        let records = Records::new(2 * SHARDS);
        let id = |number: u8| [number * 64; 16];
        assert_eq!(records.put(id(0), record("over", 9_850), (LIVES, Timestamp(9_900))), 0);
        assert_eq!(records.put(id(1), record("old", 9_950), (LIVES, NOW)), 0);
        assert_eq!(records.put(id(2), record("older", 9_940), (LIVES, NOW)), 0, "one was over");
        assert_eq!(records.put(id(3), record("new", 10_000), (LIVES, NOW)), 1);
        assert!(records.get(&id(1)).is_some() && records.get(&id(3)).is_some());
        assert!(records.get(&id(2)).is_none() && records.len() == 2);
    }

    #[test]
    fn a_late_write_revives_nobody() {
        let records = Records::new(64);
        records.put([1; 16], record("first", 9_950), (LIVES, NOW));
        records.replace([1; 16], b"first", record("second", 10_000));
        records.replace([1; 16], b"first", record("third", 10_000));
        assert_eq!(records.get(&[1; 16]).as_deref(), Some(&b"second"[..]));
        records.remove(&[1; 16]);
        records.replace([1; 16], b"second", record("late", 10_000));
        assert!(records.get(&[1; 16]).is_none());
    }

    #[test]
    fn an_heir_has_what_was_and_what_comes_and_keeps_the_latest_writing() {
        let (old, new, ended) = (Records::new(64), Records::new(64), Revocations::new(64, 1_000));
        old.put([1; 16], record("first", 9_950), (LIVES, NOW));
        let (heir, comes) = channel();
        let before = old.bequeath(&heir);
        old.replace([1; 16], b"first", record("second", 10_000));
        old.put([2; 16], record("other", 10_000), (LIVES, NOW));
        let (names, name) = (Names::Sessions, [2; 16]);
        ended.take(Over { names, name, began: Timestamp(9_500) }, NOW);
        // In the wrong order, too.
        for note in comes.try_iter().chain(before) {
            let Note::Kept(id, record) = note else { panic!("{note:?}") };
            new.keep(id, record, &ended);
        }
        assert_eq!(new.get(&[1; 16]).as_deref(), Some(&b"second"[..]));
        assert!(new.get(&[2; 16]).is_none(), "it was ended");
        assert_eq!(new.len(), 1);
    }
}
