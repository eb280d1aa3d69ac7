//! Where sessions are kept: with the browser, in this process, or in the store replicas share.
//!
//! The contract, which every kind keeps (`tests/sessions`): a session lives from its sign-in until it is
//! idle or old, by our clock, or is ended; ended is ended, for every copy of its cookie, and no late
//! write revives it; what cannot be asked is [`NotKept`] or unavailable, and never a sign-out.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::{SessionStore, Settings};
use crate::redis_link::{LinkFailed, RedisLink};

use super::chunks::TooLong;
use super::lately::Known;
use super::lifetimes::Lifetimes;
use super::record::Record;
use super::records::Records;
use super::shared_records::SharedRecords;

/// One for all hosts; cheap to clone.
#[derive(Clone, Debug)]
pub enum Store {
    /// The browser has it all, sealed.
    Cookie,
    /// The browser has a handle.
    Memory(Arc<Records>),
    /// The browser has a handle.
    Redis(Arc<SharedRecords>),
}

/// Why a session was not made, or not ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    #[error(transparent)]
    TooLong(#[from] TooLong),
    #[error("the session store: {0}")]
    Unavailable(#[from] LinkFailed),
}

impl Store {
    /// What the settings ask for. Sessions in memory go on from the configuration before, and so does
    /// what is known of those in Redis.
    pub fn new(settings: &Settings, link: Option<RedisLink>, before: Option<&Self>) -> Self {
        let most = settings.limits.sessions;
        match (settings.session.store, before) {
            (SessionStore::Cookie, _) => Self::Cookie,
            (SessionStore::Memory, Some(Self::Memory(records))) => {
                records.bound(most);
                Self::Memory(records.clone())
            }
            (SessionStore::Memory, _) => Self::Memory(Arc::new(Records::new(most))),
            (SessionStore::Redis, Some(Self::Redis(shared))) if shared.has_link() => {
                Self::Redis(shared.clone())
            }
            (SessionStore::Redis, _) => Self::Redis(Arc::new(SharedRecords::new(link))),
        }
    }

    /// Those in memory, where there are any.
    pub fn records(&self) -> Option<&Arc<Records>> {
        match self {
            Self::Memory(records) => Some(records),
            Self::Cookie | Self::Redis(_) => None,
        }
    }

    /// What is known of a session; of what is shared, by a word that is no older than `within`, or than
    /// two seconds where that is less.
    pub(super) fn known(&self, id: &[u8; 16], within: Duration) -> Known {
        match self {
            Self::Cookie => Known::Nothing,
            Self::Memory(records) => records.get(id).map_or(Known::Nothing, Known::Kept),
            Self::Redis(shared) => shared.known(id, within),
        }
    }

    /// Keeps a new session; how many others gave way to it.
    pub(super) async fn put(
        &self,
        id: [u8; 16],
        record: Record,
        (lifetimes, now): (Lifetimes, Timestamp),
    ) -> Result<usize, NotKept> {
        match self {
            Self::Cookie => Ok(0),
            Self::Memory(records) => Ok(records.put(id, record, (lifetimes, now))),
            Self::Redis(shared) => {
                let seconds = lifetimes.left(record.signed_in, now);
                shared.put(id, &record, seconds).await?;
                Ok(0)
            }
        }
    }

    /// Writes a session again if it is there as it was `before`; whether it may have been.
    pub(super) fn replace(
        &self,
        id: [u8; 16],
        before: Arc<[u8]>,
        record: Record,
        seconds: u64,
    ) -> bool {
        match self {
            Self::Cookie => true,
            Self::Memory(records) => records.replace(id, &before, record),
            Self::Redis(shared) => {
                shared.replace(id, before, record, seconds);
                true
            }
        }
    }

    pub(super) async fn remove(&self, id: &[u8; 16]) -> Result<(), NotKept> {
        match self {
            Self::Cookie => Ok(()),
            Self::Memory(records) => {
                records.remove(id);
                Ok(())
            }
            Self::Redis(shared) => Ok(shared.remove(id).await?),
        }
    }
}
