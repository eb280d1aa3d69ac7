//! The session store that needs no server: the whole state sealed in the browser's cookie.

use std::sync::Arc;

use http::HeaderValue;

use crate::clock::Timestamp;
use crate::config;
use crate::crypto::{KeyRing, Purpose, Random};
use crate::telemetry::Unfit;
use crate::web::{CookieAttributes, CookieNames, Cookies, PublicOrigin};

use super::chunks::{Chunked, TooLong};
use super::opened::Opened;
use super::remembered::Ended;
use super::state::SessionState;

/// Reads and writes session cookies of one host.
#[derive(Clone, Debug)]
pub struct SealedCookie {
    keys: KeyRing,
    name: String,
    attributes: CookieAttributes,
    context: Vec<u8>,
    idle: u64,
    absolute: u64,
    ended: Arc<Ended>,
    opened: Arc<Opened>,
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
}

impl SealedCookie {
    /// For one host. The cookie's name and the origin are sealed in: a cookie copied to another
    /// host of ours does not open there.
    pub fn new(
        settings: &config::Session,
        names: &CookieNames,
        origin: &PublicOrigin,
        ended: Arc<Ended>,
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
            idle: settings.idle,
            absolute: settings.absolute,
            ended,
            opened: Arc::new(Opened::new()),
        }
    }

    /// The session a request brings.
    pub fn load(&self, cookies: Cookies<'_>, now: Timestamp) -> Loaded {
        let state = self.chunked().read(cookies).and_then(|sealed| self.state(&sealed));
        match state {
            Some(state) => match self.unfit(&state, now) {
                None => Loaded::Live(state),
                Some(why) => Loaded::Rejected(why),
            },
            None if !cookies.has(&self.name) => Loaded::NotPresented,
            None => Loaded::Rejected(Unfit::Unreadable),
        }
    }

    /// Whose session a request brings, be it over or not.
    pub fn whose(&self, cookies: Cookies<'_>) -> Option<Arc<SessionState>> {
        self.chunked().read(cookies).and_then(|sealed| self.state(&sealed))
    }

    /// Whether the cookie should be written again, so that the idle lifetime counts from now:
    /// once for each tenth of it at most.
    pub fn is_due(&self, state: &SessionState, now: Timestamp) -> bool {
        now.since(state.seen) > self.idle / 10
    }

    /// The cookies that carry `state`.
    ///
    /// # Errors
    /// [`TooLong`] when it does not fit; then there is no session.
    pub fn store(
        &self,
        state: &SessionState,
        random: &Random,
        cookies: Cookies<'_>,
    ) -> Result<Vec<HeaderValue>, TooLong> {
        let plain = postcard::to_stdvec(state).map_err(|_| TooLong)?;
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
    pub fn end(&self, state: &SessionState, now: Timestamp) {
        self.ended.end(state, now);
    }

    fn state(&self, sealed: &[u8]) -> Option<Arc<SessionState>> {
        if let Some(known) = self.opened.state(sealed) {
            return Some(known);
        }
        let plain = self.keys.open(Purpose::Session, &self.context, sealed).ok()?;
        let state = Arc::new(postcard::from_bytes::<SessionState>(&plain).ok()?);
        self.opened.remember(sealed, &state);
        Some(state)
    }

    fn unfit(&self, state: &SessionState, now: Timestamp) -> Option<Unfit> {
        if now.since(state.signed_in) >= self.absolute {
            return Some(Unfit::TooOld);
        }
        if now.since(state.seen) >= self.idle {
            return Some(Unfit::Idle);
        }
        self.ended.contains(state).then_some(Unfit::Ended)
    }

    fn chunked(&self) -> Chunked<'_> {
        Chunked { name: &self.name, attributes: self.attributes }
    }
}
