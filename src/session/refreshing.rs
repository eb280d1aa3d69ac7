//! A session whose credential was had anew: where that is written, and how whoever comes late finds it.
//!
//! Failures, in the order they can come. The tokens came and the store cannot be written: they are kept
//! here, whoever comes here gets them, and writing is tried again under the same lease. The session was
//! ended meanwhile: nothing is written, and what is kept here revives nobody, because a session's end is
//! asked for by its name. It was written again meanwhile, as in use: the tokens are written over that.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::crypto::{KeyRing, Random};
use crate::redis_link::{LinkFailed, RedisLink};
use crate::web::Cookies;

use super::handle::Handle;
use super::sessions::Sessions;
use super::shared_records::SharedRecords;
use super::state::SessionState;
use super::store::{NotKept, Store};

/// What is kept of a session now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Newest {
    /// It was ended.
    Gone,
    /// Somebody has refreshed it; whoever asks for it gets that.
    Newer,
    /// Nothing newer.
    Same,
}

impl Sessions {
    /// The store that replicas share, for whoever takes turns; none where there is one process.
    pub fn link(&self) -> Option<&RedisLink> {
        self.shared().and_then(|shared| shared.link().ok())
    }

    /// Looks where it is kept whether somebody has refreshed a session.
    ///
    /// # Errors
    /// [`LinkFailed`]; then nobody knows.
    pub async fn newest(&self, state: &SessionState) -> Result<Newest, LinkFailed> {
        if self.ended.has(state) {
            return Ok(Newest::Gone);
        }
        let known = |sealed: Option<Arc<[u8]>>| self.newer_of(state, sealed.as_deref());
        if known(self.newer.here.get(&state.id.0)).is_some() {
            return Ok(Newest::Newer);
        }
        let kept = self.kept(state).await?;
        if kept.is_none() && !matches!(self.store, Store::Cookie) {
            return Ok(Newest::Gone);
        }
        let Some(newer) = known(kept) else { return Ok(Newest::Same) };
        if matches!(self.store, Store::Cookie) {
            self.keep_here(&newer);
        }
        Ok(Newest::Newer)
    }

    /// Keeps what a refresh made of a session where this process finds it, at once.
    pub fn refreshed(&self, state: &SessionState) {
        if !matches!(self.store, Store::Memory(_)) {
            self.keep_here(state);
        }
    }

    /// Writes it where everybody finds it: once this is done, no other process has to know of it. Whoever
    /// gets an error tries again. A session that was ended, or written by a later refresh, stays so.
    ///
    /// # Errors
    /// [`NotKept`]; then others may not know of it.
    pub async fn write_refreshed(
        &self,
        state: &SessionState,
        (random, now): (&Random, Timestamp),
    ) -> Result<(), NotKept> {
        let Some(handle) = Handle::known(state) else { return Ok(()) };
        loop {
            if self.ended.has(state) {
                self.newer.here.remove(&state.id.0);
                return Ok(());
            }
            let before = self.kept(state).await?;
            if before.is_none() && !matches!(self.store, Store::Cookie) {
                self.newer.here.remove(&state.id.0);
                return Ok(());
            }
            let known = before.as_deref().and_then(|before| self.opened(&handle, before));
            if known.as_ref().is_some_and(|known| known.round() >= state.round()) {
                break;
            }
            // Written later than what is there, for whoever orders by that.
            let seen = known.map_or(state.seen, |known| state.seen.max(known.seen.plus(1)));
            let record = self.record(&handle, &SessionState { seen, ..state.clone() }, random)?;
            let written = match (&self.store, self.shared()) {
                (Store::Memory(records), _) => {
                    let before = before.as_deref().unwrap_or_default();
                    records.replace(state.id.0, before, record)
                }
                (_, Some(shared)) => {
                    let seconds = self.lifetimes.left(state.signed_in, now);
                    shared.swap(state.id.0, before.as_deref(), (&record, seconds)).await?
                }
                (_, None) => true,
            };
            if written {
                break;
            }
        }
        if matches!(self.store, Store::Redis(_)) {
            self.newer.here.remove(&state.id.0);
        }
        Ok(())
    }

    /// The newest of a session that is known here.
    pub(super) fn lifted(&self, state: Arc<SessionState>) -> Arc<SessionState> {
        if state.refresh.is_none() {
            return state;
        }
        let sealed = self.newer.here.get(&state.id.0);
        match self.newer_of(&state, sealed.as_deref()) {
            Some(newer) if newer.seen < state.seen => {
                Arc::new(SessionState { seen: state.seen, ..(*newer).clone() })
            }
            Some(newer) => newer,
            None => state,
        }
    }

    /// Whether the browser should get it: a cookie carries the session, and an older one.
    pub(super) fn is_ahead_of(&self, cookies: Cookies<'_>, state: &SessionState) -> bool {
        matches!(self.store, Store::Cookie)
            && state.round() > 0
            && self.carried(cookies).is_some_and(|carried| carried.round() < state.round())
    }

    /// What is sealed, if it is the same session further on.
    fn newer_of(&self, state: &SessionState, sealed: Option<&[u8]>) -> Option<Arc<SessionState>> {
        let sealed = sealed.filter(|sealed| !self.ended.has_key(|| KeyRing::key_naming(sealed)))?;
        let newer = self.opened(&Handle::known(state)?, sealed)?;
        (newer.round() > state.round()).then_some(newer)
    }

    fn keep_here(&self, state: &SessionState) {
        let Some(handle) = Handle::known(state) else { return };
        // Nobody waits for it, and a session whose tokens do not fit lives on without them.
        if let Ok(record) = self.record(&handle, state, &Random::system()) {
            let _gave_way = self.newer.here.put(state.id.0, record, (self.lifetimes, state.seen));
        }
    }

    async fn kept(&self, state: &SessionState) -> Result<Option<Arc<[u8]>>, LinkFailed> {
        match (&self.store, self.shared()) {
            (Store::Memory(records), _) => Ok(records.get(&state.id.0)),
            (_, Some(shared)) => shared.fetch(state.id.0).await,
            (_, None) => Ok(None),
        }
    }

    fn shared(&self) -> Option<&SharedRecords> {
        match &self.store {
            Store::Cookie => self.newer.shared.as_deref(),
            Store::Memory(_) => None,
            Store::Redis(shared) => Some(shared),
        }
    }
}
