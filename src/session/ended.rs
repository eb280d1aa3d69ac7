//! A bounded set of what is over, so that nothing of it lives again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::clock::Timestamp;

use super::heirs::{Heirs, Note};
use super::remembered::{SHARDS, shard_of};

/// What the names of a set are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// What sessions have in common, see [`super::What`].
    Marks,
    /// Sessions.
    Sessions,
}

/// What is over, by names of 16 bytes, and since when: a session that has one of the names and began
/// no later than that is refused, for every copy of its cookie. When there is no room, the oldest
/// give way and every session as old as those is refused: that signs some people out early, and
/// never lets an ended session live.
#[derive(Debug)]
pub(super) struct Ended {
    shards: Vec<RwLock<EndedShard>>,
    most_per_shard: usize,
    absolute: AtomicU64,
    names: Names,
    pub(super) heirs: Heirs,
}

impl Names {
    fn over(self, name: [u8; 16], until: Timestamp) -> Note {
        match self {
            Self::Marks => Note::Marked(name, until),
            Self::Sessions => Note::Ended(name, until),
        }
    }

    fn refused(self, name: [u8; 16], until: Timestamp) -> Note {
        match self {
            Self::Marks => Note::MarksRefusedUntil(name, until),
            Self::Sessions => Note::RefusedUntil(name, until),
        }
    }
}

impl Ended {
    /// Room for about `most` names; each is forgotten when the absolute lifetime of what it is about is
    /// over.
    pub fn new(most: usize, absolute: u64, names: Names) -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::default()).collect();
        Self {
            shards,
            most_per_shard: most.div_ceil(SHARDS).max(1),
            absolute: AtomicU64::new(absolute),
            names,
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

    /// Remembers that what has this name and began no later than `until` is over, and says so if that
    /// is new.
    pub(super) fn note(&self, name: [u8; 16], until: Timestamp, now: Timestamp) {
        let mut shard = self.write(&name);
        let known = shard.until.get(&name).copied();
        if known.is_some_and(|known| known >= until) {
            return;
        }
        if known.is_none() && shard.until.len() >= self.most_per_shard {
            shard.make_room(now, self.absolute.load(Ordering::Relaxed));
        }
        shard.until.insert(name, until);
        drop(shard);
        self.heirs.tell(self.names.over(name, until));
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
            notes.extend(shard.refused_until.map(|time| self.names.refused([number; 16], time)));
            notes.extend(shard.until.iter().map(|(id, time)| self.names.over(*id, *time)));
        }
        notes
    }

    /// Whether what has this name and began then is over, or might be. A session's name is its own, and
    /// over is over.
    pub(super) fn has(&self, name: &[u8; 16], began: Timestamp) -> bool {
        let shard = self.read(name);
        shard.refused_until.is_some_and(|time| began <= time)
            || shard.until.get(name).is_some_and(|until| match self.names {
                Names::Marks => began <= *until,
                Names::Sessions => true,
            })
    }

    /// Whether anything of this name is over.
    pub(super) fn has_name(&self, name: &[u8; 16]) -> bool {
        self.read(name).until.contains_key(name)
    }

    /// Until when what has this name is over, if it is.
    pub(super) fn until(&self, name: &[u8; 16]) -> Option<Timestamp> {
        self.read(name).until.get(name).copied()
    }

    fn refuse_all(&self, over: Timestamp) {
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.refused_until = shard.refused_until.max(Some(over));
        }
    }

    fn read(&self, name: &[u8; 16]) -> RwLockReadGuard<'_, EndedShard> {
        self.shards[shard_of(name)].read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, id: &[u8; 16]) -> RwLockWriteGuard<'_, EndedShard> {
        self.shards[shard_of(id)].write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct EndedShard {
    until: HashMap<[u8; 16], Timestamp>,
    refused_until: Option<Timestamp>,
}

impl EndedShard {
    fn make_room(&mut self, now: Timestamp, absolute: u64) {
        let before = self.until.len();
        self.until.retain(|_, until| now.since(*until) <= absolute);
        if self.until.len() < before {
            return;
        }
        let dated = self.until.values().filter(|until| **until < FOREVER);
        let Some(oldest) = dated.min().copied() else { return };
        self.until.retain(|_, until| *until > oldest);
        self.refused_until = self.refused_until.max(Some(oldest));
    }
}

/// What is over until then is never forgotten.
pub(super) const FOREVER: Timestamp = Timestamp(u64::MAX / 2);

#[cfg(test)]
mod tests {
    use super::*;

    fn name(last: u8) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[15] = last;
        bytes
    }

    #[test]
    fn a_longer_lifetime_revives_nobody() {
        let ended = Ended::new(64, 100, Names::Sessions);
        ended.lengthen(1000, Timestamp(500));
        assert!(ended.has(&name(1), Timestamp(400)), "was over at 500");
        assert!(!ended.has(&name(1), Timestamp(401)));
        ended.lengthen(900, Timestamp(2000));
        assert!(!ended.has(&name(1), Timestamp(1500)), "a shorter one changes nothing here");
    }

    #[test]
    fn an_ended_session_never_lives_again_even_when_there_is_no_room() {
        let ended = Ended::new(1, 1000, Names::Sessions);
        ended.note(name(1), Timestamp(5), Timestamp(10));
        ended.note(name(2), Timestamp(6), Timestamp(10));
        assert!(ended.has(&name(1), Timestamp(5)));
        assert!(ended.has(&name(2), Timestamp(6)));
        assert!(ended.has(&name(3), Timestamp(4)), "as old as what was forgotten");
        assert!(!ended.has(&name(4), Timestamp(7)));
    }
}
