//! Tokens that were taken, so that none is taken twice: remembered here, and where there are several
//! replicas in the store they share.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::crypto::Random;
use crate::redis_link::{LinkFailed, RedisLink};
use crate::session::Remembered;

use super::failure::{Failed, Failure};

/// The used tokens.
pub(super) struct UsedTokens {
    pub(super) here: Arc<Remembered>,
    pub(super) store: Option<RedisLink>,
}

impl UsedTokens {
    /// Whether a token was taken here.
    fn knows(&self, digest: &[u8; 32], now: Timestamp) -> bool {
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        self.here.knows(&id, now)
    }

    /// Whether a token was taken, here or by another replica, as far as can be told.
    pub(super) async fn was_taken(&self, digest: &[u8; 32], now: Timestamp) -> bool {
        if self.knows(digest, now) {
            return true;
        }
        let Some(store) = &self.store else { return false };
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        matches!(store.get(&name_of(&id)).await, Ok(Some(_)))
    }

    /// One use for each token, until it would be refused for its age anyway. A store that cannot be
    /// asked is a no: another replica may have taken it.
    pub(super) async fn take_once(
        &self,
        (digest, until): ([u8; 32], Timestamp),
        now: Timestamp,
        random: &Random,
    ) -> Result<(), Failed> {
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        let taken = || Failed::new(Failure::TokenReplayed, "a token posted twice");
        if self.here.knows(&id, now) {
            return Err(taken());
        }
        if let Some(store) = &self.store {
            let first = first_of_all(store, random, &id, until.since(now)).await;
            let first = first.map_err(|error| {
                let detail = format!("used tokens are not known: {error}");
                Failed::new(Failure::StoreUnavailable, detail)
            })?;
            if !first {
                return Err(taken());
            }
        }
        match self.here.first(&id, until, now) {
            Ok(true) => Ok(()),
            Ok(false) => Err(taken()),
            Err(full) => Err(Failed::new(Failure::TooBusy, full.to_string())),
        }
    }
}

/// Whether no replica took it before. The value is this try's own: the command may be carried out
/// twice when a connection breaks, and must not find itself.
async fn first_of_all(
    store: &RedisLink,
    random: &Random,
    id: &[u8; 16],
    seconds: u64,
) -> Result<bool, LinkFailed> {
    let life = Duration::from_secs(seconds.saturating_add(CLOCKS_APART));
    let ours: [u8; 16] = random.bytes();
    store.compare_and_set(&name_of(id), None, &ours, life).await
}

fn name_of(id: &[u8; 16]) -> String {
    format!("used:{}", URL_SAFE_NO_PAD.encode(id))
}

/// Seconds a token is remembered beyond its end, for a replica whose clock is behind.
const CLOCKS_APART: u64 = 300;
