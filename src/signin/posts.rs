//! Where posts lie that are too large for a cookie, and which of all posts were sent: in this process, or
//! for all replicas in the store they share.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::crypto::Random;
use crate::redis_link::{LinkFailed, RedisLink};
use crate::session::{Full, Remembered};

use super::shelf::{Shelf, ShelfFull};

/// The posts of all browsers.
#[derive(Clone)]
pub(super) struct Posts {
    pub(super) here: Arc<Shelf>,
    /// In bytes, all those together that this process took.
    pub(super) most: usize,
    /// Those that were sent, as far as it is known here.
    pub(super) sent: Arc<Remembered>,
    pub(super) store: Option<RedisLink>,
}

/// Why something is not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostNotKept {
    #[error(transparent)]
    Full(#[from] ShelfFull),
    #[error("the store of kept posts: {0}")]
    Unavailable(#[from] LinkFailed),
}

/// Why nobody can tell whether something was sent before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotKnown {
    #[error(transparent)]
    Full(#[from] Full),
    #[error("the store of kept posts: {0}")]
    Unavailable(#[from] LinkFailed),
}

impl Posts {
    /// Keeps something sealed until then.
    pub(super) async fn keep(
        &self,
        id: [u8; 16],
        (until, now): (Timestamp, Timestamp),
        sealed: String,
    ) -> Result<(), PostNotKept> {
        let room = (now, self.most);
        let Some(store) = &self.store else {
            return Ok(self.here.put(id, until, sealed, room)?);
        };
        self.here.count(id, until, sealed.len(), room)?;
        let kept = store.set(&lying(&id), sealed.as_bytes(), life(until, now)).await;
        if kept.is_err() {
            self.here.drop_it(&id);
        }
        Ok(kept?)
    }

    /// Whether something might lie there, as far as that can be told at once.
    pub(super) fn may_have(&self, id: &[u8; 16], now: Timestamp) -> bool {
        self.store.is_some() || self.here.look(id, now).is_some()
    }

    /// What lies there.
    pub(super) async fn look(
        &self,
        id: &[u8; 16],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, LinkFailed> {
        match &self.store {
            Some(store) => store.get(&lying(id)).await,
            None => Ok(self.here.look(id, now).map(String::into_bytes)),
        }
    }

    /// Whether this is the one time that something is sent, which is known everywhere from now on. One who
    /// cannot be told so sends nothing, and neither does one who has no room to remember it.
    pub(super) async fn sends_first(
        &self,
        id: &[u8; 16],
        (until, now): (Timestamp, Timestamp),
        random: &Random,
    ) -> Result<bool, NotKnown> {
        if let Some(store) = &self.store
            && !first_of_all(store, id, life(until, now), random).await?
        {
            let _room = self.sent.first(id, until, now);
            return Ok(false);
        }
        let first = match (self.sent.first(id, until, now), &self.store) {
            (Err(full), None) => return Err(full.into()),
            // The store remembers it for everybody.
            (Err(_), Some(_)) => true,
            (Ok(first), _) => first,
        };
        self.here.drop_it(id);
        if let (true, Some(store)) = (first, &self.store) {
            let name = lying(id);
            store.beside(|store| async move {
                let _its_life_ends = store.delete(&name).await;
            });
        }
        Ok(first)
    }

    /// Whether something that lies nowhere was sent by another replica; remembered here if so.
    pub(super) async fn was_sent_elsewhere(
        &self,
        id: &[u8; 16],
        (until, now): (Timestamp, Timestamp),
    ) -> Result<bool, LinkFailed> {
        let Some(store) = &self.store else { return Ok(false) };
        let was_sent = store.get(&sent(id)).await?.is_some();
        if was_sent {
            let _room = self.sent.first(id, until, now);
        }
        Ok(was_sent)
    }

    /// Whether something was sent, as far as it is known here.
    pub(super) fn was_sent(&self, id: &[u8; 16], now: Timestamp) -> bool {
        self.sent.knows(id, now)
    }
}

/// Whether no replica sends it, or has. The value is this try's own: the command may be carried out twice
/// when a connection breaks, and must not find itself. Where nobody knows whether it was carried out, it is
/// taken back, so that the person can try again.
async fn first_of_all(
    store: &RedisLink,
    id: &[u8; 16],
    life: Duration,
    random: &Random,
) -> Result<bool, LinkFailed> {
    let (name, ours) = (sent(id), random.bytes::<16>());
    let first = store.compare_and_set(&name, None, &ours, life).await;
    if let Err(LinkFailed::TimedOut | LinkFailed::Lost(_)) = &first {
        store.beside(|store| async move {
            let _its_life_ends = store.compare_and_delete(&name, &ours).await;
        });
    }
    first
}

fn lying(id: &[u8; 16]) -> String {
    format!("post:{}", URL_SAFE_NO_PAD.encode(id))
}

fn sent(id: &[u8; 16]) -> String {
    format!("post-sent:{}", URL_SAFE_NO_PAD.encode(id))
}

fn life(until: Timestamp, now: Timestamp) -> Duration {
    Duration::from_secs(until.since(now).saturating_add(CLOCKS_APART))
}

/// Seconds a post and what is known of it stay beyond their end, for a replica whose clock is behind.
const CLOCKS_APART: u64 = 300;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Kind;

    #[tokio::test]
    async fn without_room_to_remember_it_nothing_counts_as_sent() {
        let posts = Posts {
            here: Arc::default(),
            most: 1000,
            sent: Arc::new(Remembered::new(1, Kind::Spent)),
            store: None,
        };
        let (random, mut other) = (Random::counting(), [1; 16]);
        other[15] = 2;
        let time = (Timestamp(10), Timestamp(0));
        assert_eq!(posts.sends_first(&[1; 16], time, &random).await, Ok(true));
        assert_eq!(posts.sends_first(&[1; 16], time, &random).await, Ok(false));
        posts.keep(other, time, "sealed".to_owned()).await.unwrap();
        let full = posts.sends_first(&other, time, &random).await;
        assert_eq!(full, Err(NotKnown::Full(Full)));
        assert!(posts.may_have(&other, Timestamp(0)), "it is still there to be sent");
        let later = (Timestamp(20), Timestamp(11));
        assert_eq!(posts.sends_first(&other, later, &random).await, Ok(true));
    }
}
