//! Bounded sets of ids that are remembered until a time: spent attempts and used tokens.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::clock::Timestamp;

use super::heirs::{Heirs, Kind, Note};

/// Ids that may not be used again before their time is over. Sharded, so that the workers do not
/// meet at one lock.
#[derive(Debug)]
pub struct Remembered {
    shards: Vec<RwLock<HashMap<[u8; 16], Timestamp>>>,
    most_per_shard: usize,
    kind: Kind,
    pub(super) heirs: Heirs,
}

/// There is no room to remember one more, so it must not happen at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the set of remembered ids is full")]
pub struct Full;

impl Remembered {
    /// Room for about `most` ids of a kind.
    pub fn new(most: usize, kind: Kind) -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::default()).collect();
        let most_per_shard = most.div_ceil(SHARDS).max(1);
        Self { shards, most_per_shard, kind, heirs: Heirs::default() }
    }

    /// Remembers `id` until `until`. `true` when it was not remembered before: only one of any
    /// number of callers is told so.
    ///
    /// # Errors
    /// [`Full`] when every place is taken by one whose time is not over.
    pub fn first(&self, id: &[u8; 16], until: Timestamp, now: Timestamp) -> Result<bool, Full> {
        let mut shard = self.write(id);
        if shard.get(id).is_some_and(|end| now <= *end) {
            return Ok(false);
        }
        if shard.len() >= self.most_per_shard {
            shard.retain(|_, end| now <= *end);
            if shard.len() >= self.most_per_shard {
                return Err(Full);
            }
        }
        shard.insert(*id, until);
        drop(shard);
        self.heirs.tell(self.kind.note(*id, until));
        Ok(true)
    }

    /// Remembers what another process does, room or no room: that one's bound holds for it, and here
    /// nothing new is taken until there is room again.
    pub(super) fn keep(&self, id: [u8; 16], until: Timestamp, now: Timestamp) {
        let mut shard = self.write(&id);
        if shard.get(&id).is_some_and(|end| now <= *end) {
            return;
        }
        shard.insert(id, until);
        drop(shard);
        self.heirs.tell(self.kind.note(id, until));
    }

    /// Everything that is remembered.
    pub(super) fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            notes.extend(shard.iter().map(|(id, until)| self.kind.note(*id, *until)));
        }
        notes
    }

    /// Whether `id` is remembered.
    pub fn knows(&self, id: &[u8; 16], now: Timestamp) -> bool {
        self.read(id).get(id).is_some_and(|end| now <= *end)
    }

    /// Whether one more `id` could be remembered.
    pub fn has_room(&self, id: &[u8; 16], now: Timestamp) -> bool {
        let shard = self.read(id);
        shard.len() < self.most_per_shard || shard.values().any(|end| now > *end)
    }

    fn read(&self, id: &[u8; 16]) -> RwLockReadGuard<'_, HashMap<[u8; 16], Timestamp>> {
        self.shards[shard_of(id)].read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, id: &[u8; 16]) -> RwLockWriteGuard<'_, HashMap<[u8; 16], Timestamp>> {
        self.shards[shard_of(id)].write().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn shard_of(id: &[u8; 16]) -> usize {
    usize::from(id[0]) % SHARDS
}

pub(super) const SHARDS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_first_once_until_its_time_is_over() {
        let (set, id) = (Remembered::new(64, Kind::Spent), [1; 16]);
        assert_eq!(set.first(&id, Timestamp(10), Timestamp(0)), Ok(true));
        assert_eq!(set.first(&id, Timestamp(10), Timestamp(10)), Ok(false));
        assert_eq!(set.first(&id, Timestamp(20), Timestamp(11)), Ok(true));
    }

    #[test]
    fn a_full_set_refuses_rather_than_forget() {
        let (set, mut other) = (Remembered::new(1, Kind::Spent), [1; 16]);
        other[15] = 2;
        assert_eq!(set.first(&[1; 16], Timestamp(10), Timestamp(0)), Ok(true));
        assert!(!set.has_room(&other, Timestamp(0)));
        assert_eq!(set.first(&other, Timestamp(10), Timestamp(0)), Err(Full));
        assert!(set.has_room(&other, Timestamp(11)));
        assert_eq!(set.first(&other, Timestamp(20), Timestamp(11)), Ok(true));
    }
}
