//! What the shared store said lately, so that not every request has to ask it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Answers of the store by session, each good for [`Lately::USABLE`] from when it was asked for. This is
/// real time: how old an answer is does not depend on the clock sessions go by.
#[derive(Debug)]
pub(super) struct Lately {
    shards: Vec<Mutex<HashMap<[u8; 16], Heard>>>,
    refresh: Duration,
}

/// What is known of a session without asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// The store has it.
    Kept(Arc<[u8]>),
    /// The store does not have it.
    Nothing,
    /// The store has to be asked, or could not be.
    NotAsked,
}

#[derive(Debug)]
struct Heard {
    sealed: Option<Arc<[u8]>>,
    /// When the store was asked for what it said last. That we wrote something does not count.
    said: Instant,
    /// When it was asked, or written to: an answer to an older question is not taken.
    at: Instant,
    /// Somebody asks again meanwhile.
    asking: bool,
}

impl Lately {
    /// The longest an answer is used: a session that ends elsewhere ends here within this.
    pub const USABLE: Duration = Duration::from_secs(2);
    /// From this age on somebody asks again, and meanwhile others use what there is.
    pub const REFRESH: Duration = Duration::from_secs(1);

    pub fn new(refresh: Duration) -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), refresh }
    }

    /// What the store said of it within this time, or [`Lately::USABLE`] where that is longer.
    pub fn known(&self, id: &[u8; 16], within: Duration) -> Known {
        match self.shard(id).get(id) {
            Some(heard) if heard.said.elapsed() < within.max(Self::USABLE) => {
                heard.sealed.clone().map_or(Known::Nothing, Known::Kept)
            }
            Some(_) | None => Known::NotAsked,
        }
    }

    /// Whether the store is to be asked; of many who could, one is told so while there is an answer
    /// that can be used.
    pub fn is_to_be_asked(&self, id: &[u8; 16]) -> bool {
        match self.shard(id).get_mut(id) {
            Some(heard) if heard.said.elapsed() < self.refresh => false,
            Some(heard) if heard.said.elapsed() < Self::USABLE => {
                !std::mem::replace(&mut heard.asking, true) || self.refresh.is_zero()
            }
            Some(_) | None => true,
        }
    }

    /// Remembers an answer to what was asked then, unless a later one is known.
    pub fn heard(&self, id: [u8; 16], sealed: Option<Arc<[u8]>>, at: Instant) {
        let mut shard = self.shard(&id);
        if shard.get(&id).is_some_and(|known| known.at > at) {
            return;
        }
        if shard.len() >= MOST_PER_SHARD && !shard.contains_key(&id) {
            let oldest = shard.iter().min_by_key(|(_, heard)| heard.said).map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                shard.remove(&oldest);
            }
        }
        shard.insert(id, Heard { sealed, said: at, at, asking: false });
    }

    /// Remembers what is being written. It makes nothing younger: else a session that is in use would
    /// be served for ever without anybody to ask.
    pub fn writing(&self, id: &[u8; 16], sealed: Arc<[u8]>, at: Instant) {
        if let Some(heard) = self.shard(id).get_mut(id)
            && heard.sealed.is_some()
        {
            (heard.sealed, heard.at) = (Some(sealed), at.max(heard.at));
        }
    }

    fn shard(&self, id: &[u8; 16]) -> MutexGuard<'_, HashMap<[u8; 16], Heard>> {
        self.shards[usize::from(id[0]) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const SHARDS: usize = 64;
/// With [`SHARDS`] this bounds the memory at some 16,000 sessions.
const MOST_PER_SHARD: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_asks_again_while_others_use_what_there_is_and_nobody_uses_what_is_old() {
        let (lately, now) = (Lately::new(Lately::REFRESH), Instant::now());
        assert!(lately.is_to_be_asked(&[1; 16]));
        assert_eq!(lately.known(&[1; 16], Duration::ZERO), Known::NotAsked);
        lately.heard([1; 16], None, now);
        assert!(!lately.is_to_be_asked(&[1; 16]));
        assert_eq!(lately.known(&[1; 16], Duration::ZERO), Known::Nothing);
        let Some(older) = now.checked_sub(Duration::from_millis(1_100)) else { return };
        lately.heard([2; 16], Some(b"x"[..].into()), older);
        assert!(lately.is_to_be_asked(&[2; 16]), "one");
        assert!(!lately.is_to_be_asked(&[2; 16]), "no other");
        assert_eq!(lately.known(&[2; 16], Duration::ZERO), Known::Kept(b"x"[..].into()));
        let Some(old) = now.checked_sub(Lately::USABLE) else { return };
        lately.heard([3; 16], None, old);
        assert_eq!(lately.known(&[3; 16], Duration::ZERO), Known::NotAsked);
        assert!(lately.is_to_be_asked(&[3; 16]) && lately.is_to_be_asked(&[3; 16]));
        lately.heard([1; 16], Some(b"y"[..].into()), old);
        assert_eq!(
            lately.known(&[1; 16], Duration::ZERO),
            Known::Nothing,
            "a late answer to an older question"
        );
    }

    #[test]
    fn the_last_word_lasts_for_a_time_and_writing_makes_it_no_younger() {
        let (lately, now) = (Lately::new(Lately::REFRESH), Instant::now());
        let Some(asked) = now.checked_sub(Duration::from_secs(30)) else { return };
        let minute = Duration::from_secs(60);
        lately.heard([1; 16], Some(b"x"[..].into()), asked);
        lately.heard([2; 16], None, asked);
        assert_eq!(lately.known(&[1; 16], Duration::ZERO), Known::NotAsked);
        assert_eq!(lately.known(&[1; 16], minute), Known::Kept(b"x"[..].into()));
        assert_eq!(lately.known(&[2; 16], minute), Known::Nothing, "ended is ended");
        lately.writing(&[1; 16], b"y"[..].into(), now);
        lately.writing(&[2; 16], b"y"[..].into(), now);
        assert_eq!(lately.known(&[1; 16], minute), Known::Kept(b"y"[..].into()));
        assert_eq!(lately.known(&[1; 16], minute / 2), Known::NotAsked, "as old as it was");
        assert_eq!(lately.known(&[2; 16], minute), Known::Nothing);
        lately.heard([1; 16], None, asked);
        assert_ne!(lately.known(&[1; 16], minute), Known::Nothing, "asked before the writing");
    }

    #[test]
    fn there_is_a_bound() {
        let (lately, now) = (Lately::new(Lately::REFRESH), Instant::now());
        for number in 0..2 * u32::try_from(MOST_PER_SHARD).unwrap() {
            let mut id = [0; 16];
            id[12..].copy_from_slice(&number.to_be_bytes());
            lately.heard(id, None, now);
            assert_eq!(lately.known(&id, Duration::ZERO), Known::Nothing);
        }
        assert_eq!(lately.shards[0].lock().unwrap().len(), MOST_PER_SHARD);
    }
}
