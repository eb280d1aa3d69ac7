//! Sessions of one host: what a request's cookies say, whichever store they lead to.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::config;
use crate::crypto::{KeyRing, Purpose, Random, SealedBy};
use crate::telemetry::Unfit;
use crate::web::{CookieAttributes, CookieNames, Cookies, PublicOrigin};

use super::SessionId;
use super::chunks::{Chunked, TooLong};
use super::handle::Handle;
use super::index::Entered;
use super::label::Label;
use super::lately::Known;
use super::lifetimes::Lifetimes;
use super::newer::Newer;
use super::opened::Opened;
use super::record::Record;
use super::revocations::Revocations;
use super::shared_records::SharedRecords;
use super::state::SessionState;
use super::store::{NotKept, Store};

/// Reads, makes and ends sessions of one host.
#[derive(Clone, Debug)]
pub struct Sessions {
    keys: KeyRing,
    name: String,
    attributes: CookieAttributes,
    context: Vec<u8>,
    pub(super) lifetimes: Lifetimes,
    pub(super) ended: Arc<Revocations>,
    opened: Arc<Opened>,
    pub(super) store: Store,
    pub(super) newer: Newer,
}

/// What a request's cookies say.
#[derive(Debug)]
pub enum Loaded {
    /// A living session.
    Live(Arc<SessionState>),
    /// There is no session cookie.
    NotPresented,
    /// There is one, and it is forged, damaged, ended or past its time.
    Rejected(Unfit),
    /// There is one of ours, and the store cannot be asked: nobody knows.
    Unavailable,
}

/// A session the store has to be asked for.
#[derive(Debug)]
pub struct Question {
    store: Arc<SharedRecords>,
    id: SessionId,
}

/// A session that was made.
#[derive(Debug)]
pub struct Made {
    pub cookies: Vec<HeaderValue>,
    /// How many others gave way to it.
    pub evicted: usize,
}

impl Sessions {
    /// For one host. The cookie's name and the origin are sealed in: a cookie copied to another
    /// host of ours does not open there.
    pub fn new(
        settings: &config::Session,
        names: &CookieNames,
        origin: &PublicOrigin,
        (ended, store): (Arc<Revocations>, Store),
    ) -> Self {
        let same_site = match settings.same_site {
            config::SameSite::Lax => "Lax",
            config::SameSite::None => "None",
            config::SameSite::Strict => "Strict",
        };
        Self {
            keys: settings.keys.clone(),
            name: names.session.clone(),
            attributes: CookieAttributes { secure: origin.is_https(), same_site },
            context: format!("{}\n{origin}", names.session).into_bytes(),
            lifetimes: Lifetimes::of(settings),
            ended,
            opened: Arc::new(Opened::new()),
            store,
            newer: Newer::default(),
        }
    }

    /// The same, with what is known of sessions that their browsers or the store do not have yet.
    pub fn with_newer(self, newer: Newer) -> Self {
        Self { newer, ..self }
    }

    /// The session a request brings. Where [`Sessions::question`] has one, it is to be asked before.
    pub fn load(&self, cookies: Cookies<'_>, now: Timestamp) -> Loaded {
        self.load_by_last_word(cookies, now, Duration::ZERO)
    }

    /// The same where the store does not answer, by what it last said, if that is no older than
    /// `within`. What it said had ended stays ended, and so does what ended here.
    pub fn load_by_last_word(
        &self,
        cookies: Cookies<'_>,
        now: Timestamp,
        within: Duration,
    ) -> Loaded {
        match self.found(cookies, within) {
            Found::State(_) if self.ended.is_ignorant() => Loaded::Unavailable,
            Found::State(state) => match self.unfit(&state, now) {
                None => Loaded::Live(state),
                Some(why) => Loaded::Rejected(why),
            },
            Found::NotAsked => Loaded::Unavailable,
            Found::Nothing if !cookies.has(&self.name) => Loaded::NotPresented,
            Found::Nothing => Loaded::Rejected(Unfit::Unreadable),
            Found::Gone => Loaded::Rejected(Unfit::Gone),
        }
    }

    /// What the store has to be asked before [`Sessions::load`] can tell; mostly nothing.
    pub fn question(&self, cookies: Cookies<'_>) -> Option<Question> {
        let Store::Redis(_) = &self.store else { return None };
        self.question_about(self.handle(cookies)?.id)
    }

    /// The session a request brings, after asking the store for it.
    pub async fn ask(&self, cookies: Cookies<'_>, now: Timestamp) -> Loaded {
        if let Some(question) = self.question(cookies) {
            question.ask().await;
        }
        self.load(cookies, now)
    }

    /// Whose session a request brings, be it over or not.
    pub fn whose(&self, cookies: Cookies<'_>) -> Option<Arc<SessionState>> {
        match self.found(cookies, Duration::ZERO) {
            Found::State(state) => Some(state),
            Found::Gone | Found::NotAsked | Found::Nothing => None,
        }
    }

    /// Why a session that was loaded before, and last used at `seen`, is over by now. `None` while it
    /// lives, and while its store cannot be asked: an outage ends nobody's.
    pub fn over(&self, state: &SessionState, seen: Timestamp, now: Timestamp) -> Option<Unfit> {
        let is_gone = || {
            let kept = !matches!(self.store, Store::Cookie);
            kept && matches!(self.store.known(&state.id.0, Duration::ZERO), Known::Nothing)
        };
        self.unfit_since(state, seen, now).or_else(|| is_gone().then_some(Unfit::Gone))
    }

    /// What the store has to be asked before [`Sessions::over`] can tell; mostly nothing.
    pub fn question_about(&self, id: SessionId) -> Option<Question> {
        let Store::Redis(store) = &self.store else { return None };
        store.is_to_be_asked(&id.0).then(|| Question { store: store.clone(), id })
    }

    /// Whether the session should be written again: so that the idle lifetime counts from now, once for
    /// each tenth of it at most; at once where another key seals by now; or so that the browser gets
    /// what a refresh brought.
    pub fn is_due(&self, state: &SessionState, cookies: Cookies<'_>, now: Timestamp) -> bool {
        self.lifetimes.is_due(state.seen, now)
            || self.is_of_an_older_key(state)
            || self.is_ahead_of(cookies, state)
    }

    /// Whether a session that was loaded is sealed with a key that may go one day.
    pub fn is_of_an_older_key(&self, state: &SessionState) -> bool {
        let sealing = self.keys.names().next();
        !state.keys.is_empty() && sealing.is_some_and(|sealing| !state.keys.contains(&sealing))
    }

    /// Makes a session.
    ///
    /// # Errors
    /// [`NotKept`]; then there is none.
    pub async fn make(
        &self,
        state: &SessionState,
        random: &Random,
        cookies: Cookies<'_>,
    ) -> Result<Made, NotKept> {
        let state = &SessionState { signed_in: self.ended.begins(state), ..state.clone() };
        if matches!(self.store, Store::Cookie) {
            return Ok(Made { cookies: self.sealed(state, random, cookies)?, evicted: 0 });
        }
        let handle = Handle::fresh(state, random);
        let record = self.record(&handle, state, random)?;
        let evicted = self.store.put(state.id.0, record, (self.lifetimes, state.seen)).await?;
        if let Store::Redis(shared) = &self.store {
            let over = state.signed_in.plus(self.lifetimes.absolute);
            shared.enter(Entered::of(state, over, (&self.keys, random)));
        }
        Ok(Made { cookies: self.handed(&handle, random, cookies)?, evicted })
    }

    /// Writes a session again, as in use now. Nobody waits for it, and what does not fit is left out:
    /// the session lives on as it was. The cookies that change.
    pub fn renew(
        &self,
        state: &SessionState,
        random: &Random,
        (cookies, now): (Cookies<'_>, Timestamp),
    ) -> Vec<HeaderValue> {
        let renewed = SessionState { seen: now, ..state.clone() };
        if matches!(self.store, Store::Cookie) {
            return self.sealed(&renewed, random, cookies).unwrap_or_default();
        }
        let Some(handle) = self.handle(cookies) else { return Vec::new() };
        // A refresh may come meanwhile: then it is done again with what that brought.
        for _ in 0..TRIES {
            let Known::Kept(before) = self.store.known(&handle.id.0, Duration::ZERO) else { break };
            // Nor is anything older written over what one brought since this request was let in.
            let kept = self.opened(&handle, &before);
            let presented = kept.as_ref().and_then(|kept| kept.presented).max(renewed.presented);
            let newer = kept.filter(|kept| kept.round() > state.round());
            let renewed = newer.map_or_else(
                || SessionState { presented, ..renewed.clone() },
                |kept| SessionState { seen: now, ..(*kept).clone() },
            );
            let Ok(record) = self.record(&handle, &renewed, random) else { break };
            let seconds = self.lifetimes.left(state.signed_in, now);
            if self.store.replace(handle.id.0, before, record, seconds) {
                break;
            }
        }
        match self.chunked().read(cookies).map(|sealed| self.keys.sealed_by(&sealed)) {
            // The older key may go one day.
            Some(SealedBy::Older) => self.handed(&handle, random, cookies).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// The cookies that carry the whole of `state`.
    ///
    /// # Errors
    /// [`TooLong`] when it does not fit; then there is no session.
    pub fn sealed(
        &self,
        state: &SessionState,
        random: &Random,
        cookies: Cookies<'_>,
    ) -> Result<Vec<HeaderValue>, TooLong> {
        let plain = state.to_bytes().map_err(|_| TooLong)?;
        let sealed = self.keys.seal(Purpose::Session, &self.context, &plain, random);
        self.chunked().write(&sealed, None, cookies)
    }

    /// `Secure` and `SameSite` of the session's cookies.
    pub fn attributes(&self) -> CookieAttributes {
        self.attributes
    }

    /// Removes the cookies.
    pub fn remove(&self, cookies: Cookies<'_>) -> Vec<HeaderValue> {
        self.chunked().remove(cookies)
    }

    /// Ends a session, for every copy of its cookie.
    ///
    /// # Errors
    /// [`NotKept::Unavailable`]; then it may live on.
    pub async fn end(&self, state: &SessionState, now: Timestamp) -> Result<(), NotKept> {
        if matches!(self.store, Store::Redis(_)) {
            // The store first: where it fails, whoever asked has to be able to ask again.
            self.store.remove(&state.id.0).await?;
        }
        if let Err(failed) = self.ended.end(state, now).await {
            tracing::error!(%failed, "the end of a session holds here, and is told on later");
        }
        match self.store {
            Store::Redis(_) => Ok(()),
            Store::Cookie | Store::Memory(_) => {
                self.newer.here.remove(&state.id.0);
                self.store.remove(&state.id.0).await
            }
        }
    }

    /// Whether a session that was let in a while ago still lives, as far as is known without asking a
    /// store: neither over by what was revoked anywhere nor past its time.
    pub fn lives(&self, state: &SessionState, now: Timestamp) -> bool {
        now.since(state.signed_in) < self.lifetimes.absolute && !self.ended.has(state)
    }

    fn found(&self, cookies: Cookies<'_>, within: Duration) -> Found {
        match self.brought(cookies, within) {
            Found::State(state) => Found::State(self.lifted(state)),
            other => other,
        }
    }

    fn brought(&self, cookies: Cookies<'_>, within: Duration) -> Found {
        let Some(sealed) = self.chunked().read(cookies) else { return Found::Nothing };
        if self.ended.has_key(|| KeyRing::key_named(&sealed)) {
            return Found::Nothing;
        }
        if matches!(self.store, Store::Cookie) {
            return self.state(&sealed).map_or(Found::Nothing, Found::State);
        }
        let Some(handle) = Handle::open(&self.keys, &self.context, &sealed) else {
            return Found::Nothing;
        };
        match self.store.known(&handle.id.0, within) {
            Known::Kept(sealed) if self.ended.has_key(|| KeyRing::key_naming(&sealed)) => {
                Found::Gone
            }
            Known::Kept(sealed) => {
                self.opened(&handle, &sealed).map_or(Found::Nothing, Found::State)
            }
            Known::Nothing => Found::Gone,
            Known::NotAsked => Found::NotAsked,
        }
    }

    /// What the cookies carry, where they carry the whole of it.
    pub(super) fn carried(&self, cookies: Cookies<'_>) -> Option<Arc<SessionState>> {
        self.state(&self.chunked().read(cookies)?)
    }

    fn handle(&self, cookies: Cookies<'_>) -> Option<Handle> {
        Handle::open(&self.keys, &self.context, &self.chunked().read(cookies)?)
    }

    /// The cookies that carry a handle.
    fn handed(
        &self,
        handle: &Handle,
        random: &Random,
        cookies: Cookies<'_>,
    ) -> Result<Vec<HeaderValue>, TooLong> {
        let sealed = handle.seal(&self.keys, &self.context, random);
        self.chunked().write(&sealed, None, cookies)
    }

    pub(super) fn record(
        &self,
        handle: &Handle,
        state: &SessionState,
        random: &Random,
    ) -> Result<Record, TooLong> {
        let plain = state.to_bytes().map_err(|_| TooLong)?;
        let sealed = self.keys.seal_halved(&handle.half, &handle.id.0, &plain, random);
        if sealed.len() > Record::MOST {
            return Err(TooLong);
        }
        let label = match self.store {
            Store::Memory(_) => Label::of(state).to_bytes(),
            Store::Cookie | Store::Redis(_) => Vec::new(),
        };
        let (signed_in, seen) = (state.signed_in, state.seen);
        Ok(Record { sealed: sealed.into(), signed_in, seen, label: label.into() })
    }

    /// What a store had under this handle. A handle is ours and names its half: who has one may have
    /// what was opened with it, but not what was opened for another.
    pub(super) fn opened(&self, handle: &Handle, sealed: &[u8]) -> Option<Arc<SessionState>> {
        if let Some(known) = self.opened.state(sealed) {
            return Some(known).filter(|state| state.id == handle.id);
        }
        let plain = self.keys.open_halved(&handle.half, &handle.id.0, sealed).ok()?;
        let mut state = SessionState::from_bytes(&Zeroizing::new(plain))?;
        state.was_sealed_with(KeyRing::key_naming(sealed));
        let state = Arc::new(state);
        self.opened.remember(sealed, &state);
        Some(state).filter(|state| state.id == handle.id)
    }

    fn state(&self, sealed: &[u8]) -> Option<Arc<SessionState>> {
        self.opened.state(sealed).or_else(|| self.unsealed(sealed))
    }

    /// What a cookie that was not opened lately holds. A function of its own in the program too: the
    /// gate on instruction counts finds it by name.
    #[inline(never)]
    fn unsealed(&self, sealed: &[u8]) -> Option<Arc<SessionState>> {
        let plain = self.keys.open(Purpose::Session, &self.context, sealed).ok()?;
        let mut state = SessionState::from_bytes(&Zeroizing::new(plain))?;
        state.was_sealed_with(KeyRing::key_named(sealed));
        let state = Arc::new(state);
        self.opened.remember(sealed, &state);
        Some(state)
    }

    pub(super) fn unfit(&self, state: &SessionState, now: Timestamp) -> Option<Unfit> {
        self.unfit_since(state, state.seen, now)
    }

    fn unfit_since(&self, state: &SessionState, seen: Timestamp, now: Timestamp) -> Option<Unfit> {
        let spent = state.refresh.as_ref().is_some_and(|refresh| refresh.is_over(now));
        let over = self.lifetimes.unfit(state.signed_in, seen, now);
        let over = over.or(spent.then_some(Unfit::Unrefreshed));
        over.or_else(|| self.ended.has(state).then_some(Unfit::Ended))
    }

    fn chunked(&self) -> Chunked<'_> {
        Chunked { name: &self.name, attributes: self.attributes }
    }
}

impl Question {
    /// Asks. Returns within a second, answered or not.
    pub async fn ask(self) {
        self.store.ask(self.id.0).await;
    }
}

enum Found {
    /// The store has none of this name.
    Gone,
    NotAsked,
    Nothing,
    State(Arc<SessionState>),
}

/// Of writing a session in use again, where others write it too.
const TRIES: usize = 3;
