//! The store in Redis: sessions that every replica serves.
//!
//! Its name is `session:` and the id in base64url, its value what is sealed, and its life in Redis (`PX`)
//! tidies up alone: whether a session is over is said by our clock and what is sealed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::KeyRing;
use crate::redis_link::{LinkFailed, RedisLink};

use super::index::{Entered, Index};
use super::lately::{Known, Lately};
use super::record::Record;

/// Sessions by their ids.
#[derive(Debug)]
pub struct SharedRecords {
    link: Option<RedisLink>,
    lately: Lately,
}

impl SharedRecords {
    /// Over this link. Without one nothing is ever known, and nobody gets in.
    pub fn new(link: Option<RedisLink>) -> Self {
        Self { link, lately: Lately::new(Lately::REFRESH) }
    }

    /// The same, asking the store each time.
    pub fn always_asking(link: RedisLink) -> Self {
        Self { link: Some(link), lately: Lately::new(Duration::ZERO) }
    }

    pub(super) fn has_link(&self) -> bool {
        self.link.is_some()
    }

    /// What the store said within this time, or two seconds where that is longer.
    pub(super) fn known(&self, id: &[u8; 16], within: Duration) -> Known {
        self.lately.known(id, within)
    }

    pub(super) fn is_to_be_asked(&self, id: &[u8; 16]) -> bool {
        self.lately.is_to_be_asked(id)
    }

    /// Asks. Where there is no answer in time, what was known before may still do.
    pub(super) async fn ask(&self, id: [u8; 16]) {
        let Some(link) = &self.link else { return };
        let asked = Instant::now();
        match link.get(&name(&id)).await {
            Ok(found) => self.lately.heard(id, found.map(Arc::from), asked),
            Err(failed) => tracing::debug!(%failed, "a session cannot be looked up"),
        }
    }

    /// What the store has now, whatever was known before.
    ///
    /// # Errors
    /// [`LinkFailed`]; then nobody knows.
    pub(super) async fn fetch(&self, id: [u8; 16]) -> Result<Option<Arc<[u8]>>, LinkFailed> {
        let asked = Instant::now();
        let found: Option<Arc<[u8]>> = self.link()?.get(&name(&id)).await?.map(Arc::from);
        self.lately.heard(id, found.clone(), asked);
        Ok(found)
    }

    /// Writes what is there otherwise, if it is as it was; says whether.
    ///
    /// # Errors
    /// [`LinkFailed`]; then it may have been written.
    pub(super) async fn swap(
        &self,
        id: [u8; 16],
        before: Option<&[u8]>,
        (record, seconds): (&Record, u64),
    ) -> Result<bool, LinkFailed> {
        let (name, asked) = (name(&id), Instant::now());
        let link = self.link()?;
        let written = link.compare_and_set(&name, before, &record.sealed, life(seconds)).await?;
        if written {
            self.lately.heard(id, Some(record.sealed.clone()), asked);
        }
        Ok(written)
    }

    /// Keeps a new session for so many seconds at most.
    ///
    /// # Errors
    /// [`LinkFailed`]; then nobody may have a handle of it.
    pub(super) async fn put(
        &self,
        id: [u8; 16],
        record: &Record,
        seconds: u64,
    ) -> Result<(), LinkFailed> {
        let asked = Instant::now();
        self.link()?.set(&name(&id), &record.sealed, life(seconds)).await?;
        self.lately.heard(id, Some(record.sealed.clone()), asked);
        Ok(())
    }

    /// Writes a session again, if it is there as it was: a late write revives nobody. Nobody waits for
    /// it; where it fails, the next request does the same.
    pub(super) fn replace(&self, id: [u8; 16], before: Arc<[u8]>, record: Record, seconds: u64) {
        let Some(link) = &self.link else { return };
        self.lately.writing(&id, record.sealed.clone(), Instant::now());
        link.beside(move |link| async move {
            let (name, sealed) = (name(&id), &record.sealed);
            let written = link.compare_and_set(&name, Some(&before), sealed, life(seconds)).await;
            if let Err(failed) = written {
                tracing::debug!(%failed, "a session in use was not written again");
            }
        });
    }

    /// Takes a session out.
    ///
    /// # Errors
    /// [`LinkFailed`]; then it may still be there.
    pub(super) async fn remove(&self, id: &[u8; 16]) -> Result<(), LinkFailed> {
        self.link()?.delete(&name(id)).await?;
        self.lately.heard(*id, None, Instant::now());
        Ok(())
    }

    /// The lists of whose they are.
    pub(super) fn index<'a>(&'a self, keys: &'a KeyRing) -> Result<Index<'a>, LinkFailed> {
        Ok(Index { link: self.link()?, keys })
    }

    /// Enters a new session in them.
    pub(super) fn enter(&self, entered: Entered) {
        self.link.iter().for_each(|link| entered.clone().write(link));
    }

    /// Takes a session out; whether it was there.
    ///
    /// # Errors
    /// [`LinkFailed`]; then it may still be there.
    pub(super) async fn take_out(&self, id: &[u8; 16]) -> Result<bool, LinkFailed> {
        let was_there = self.link()?.get(&name(id)).await?.is_some();
        self.remove(id).await?;
        Ok(was_there)
    }

    pub(super) fn link(&self) -> Result<&RedisLink, LinkFailed> {
        self.link.as_ref().ok_or_else(|| LinkFailed::Down("there is no link".into()))
    }
}

fn name(id: &[u8; 16]) -> String {
    format!("session:{}", URL_SAFE_NO_PAD.encode(id))
}

fn life(seconds: u64) -> Duration {
    Duration::from_secs(seconds.saturating_add(CLOCKS_APART))
}

/// Seconds a session stays in Redis beyond its end, for a replica whose clock is behind.
const CLOCKS_APART: u64 = 300;
