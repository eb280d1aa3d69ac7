//! Bounded sets of ids that are remembered until a time: spent attempts, used tokens, ended
//! sessions.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::clock::Timestamp;

use super::SessionState;
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

/// Sessions that were signed out, so that a copy of their cookie is dead too. When there is no
/// room, the oldest give way and every session as old as those is refused: that signs some people
/// out early, and never lets an ended session live.
#[derive(Debug)]
pub struct Ended {
    shards: Vec<RwLock<EndedShard>>,
    most_per_shard: usize,
    absolute: AtomicU64,
    pub(super) heirs: Heirs,
}

impl Ended {
    /// Room for about `most` sessions; each is forgotten when its absolute lifetime is over.
    pub fn new(most: usize, absolute: u64) -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::default()).collect();
        Self {
            shards,
            most_per_shard: most.div_ceil(SHARDS).max(1),
            absolute: AtomicU64::new(absolute),
            heirs: Heirs::default(),
        }
    }

    /// Follows a longer absolute lifetime. Sessions that were over under the shorter one may have
    /// been forgotten here, so all of them stay over.
    pub fn lengthen(&self, absolute: u64, now: Timestamp) {
        let before = self.absolute.fetch_max(absolute, Ordering::Relaxed);
        if before < absolute {
            self.refuse_all(Timestamp(now.0.saturating_sub(before)));
        }
    }

    /// Takes over from a process with another absolute lifetime: what was over there stays over.
    pub(super) fn come_after(&self, before: u64, now: Timestamp) {
        if before < self.absolute.load(Ordering::Relaxed) {
            self.refuse_all(Timestamp(now.0.saturating_sub(before)));
        }
    }

    /// Ends a session.
    pub fn end(&self, session: &SessionState, now: Timestamp) {
        self.note(session.id.0, session.signed_in, now);
    }

    /// Remembers a session as ended, and says so if that is new.
    pub(super) fn note(&self, id: [u8; 16], signed_in: Timestamp, now: Timestamp) {
        let mut shard = self.write(&id);
        if shard.signed_in.contains_key(&id) {
            return;
        }
        if shard.signed_in.len() >= self.most_per_shard {
            shard.make_room(now, self.absolute.load(Ordering::Relaxed));
        }
        shard.signed_in.insert(id, signed_in);
        drop(shard);
        self.heirs.tell(Note::Ended(id, signed_in));
    }

    /// Refuses all sessions of this id's shard that are as old as this.
    pub(super) fn refuse_until(&self, id: [u8; 16], time: Timestamp) {
        let mut shard = self.write(&id);
        shard.refused_until = shard.refused_until.max(Some(time));
    }

    /// Everything that is remembered. What a full shard forgets later needs no note: each heir has
    /// been told of those it forgot.
    pub(super) fn notes(&self) -> Vec<Note> {
        let mut notes = vec![Note::Absolute(self.absolute.load(Ordering::Relaxed))];
        for (number, shard) in (0_u8..).zip(&self.shards) {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            notes.extend(shard.refused_until.map(|time| Note::RefusedUntil([number; 16], time)));
            notes.extend(shard.signed_in.iter().map(|(id, time)| Note::Ended(*id, *time)));
        }
        notes
    }

    /// Whether a session was ended, or might have been.
    pub fn contains(&self, session: &SessionState) -> bool {
        self.has(&session.id.0, session.signed_in)
    }

    pub(super) fn has(&self, id: &[u8; 16], signed_in: Timestamp) -> bool {
        let shard = self.shards[shard_of(id)].read().unwrap_or_else(PoisonError::into_inner);
        shard.refused_until.is_some_and(|time| signed_in <= time)
            || shard.signed_in.contains_key(id)
    }

    fn refuse_all(&self, over: Timestamp) {
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.refused_until = shard.refused_until.max(Some(over));
        }
    }

    fn write(&self, id: &[u8; 16]) -> RwLockWriteGuard<'_, EndedShard> {
        self.shards[shard_of(id)].write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct EndedShard {
    signed_in: HashMap<[u8; 16], Timestamp>,
    refused_until: Option<Timestamp>,
}

impl EndedShard {
    fn make_room(&mut self, now: Timestamp, absolute: u64) {
        let before = self.signed_in.len();
        self.signed_in.retain(|_, signed_in| now.since(*signed_in) <= absolute);
        if self.signed_in.len() < before {
            return;
        }
        let Some(oldest) = self.signed_in.values().min().copied() else { return };
        self.signed_in.retain(|_, signed_in| *signed_in > oldest);
        self.refused_until = self.refused_until.max(Some(oldest));
    }
}

fn shard_of(id: &[u8; 16]) -> usize {
    usize::from(id[0]) % SHARDS
}

const SHARDS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn session(id: u8, signed_in: u64) -> SessionState {
        let mut bytes = [0; 16];
        bytes[15] = id;
        SessionState::of("a@b", bytes, Timestamp(signed_in))
    }

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

    #[test]
    fn a_longer_lifetime_revives_nobody() {
        let ended = Ended::new(64, 100);
        ended.lengthen(1000, Timestamp(500));
        assert!(ended.contains(&session(1, 400)), "was over at 500");
        assert!(!ended.contains(&session(1, 401)));
        ended.lengthen(900, Timestamp(2000));
        assert!(!ended.contains(&session(1, 1500)), "a shorter one changes nothing here");
    }

    #[test]
    fn an_ended_session_never_lives_again_even_when_there_is_no_room() {
        let ended = Ended::new(1, 1000);
        ended.end(&session(1, 5), Timestamp(10));
        ended.end(&session(2, 6), Timestamp(10));
        assert!(ended.contains(&session(1, 5)));
        assert!(ended.contains(&session(2, 6)));
        assert!(ended.contains(&session(3, 4)), "as old as what was forgotten");
        assert!(!ended.contains(&session(4, 7)));
    }
}
