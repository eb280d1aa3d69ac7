//! Asks what a request brings as proof of who sent it.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::session::{Loaded, SealedCookie, SessionState};
use crate::telemetry::Unfit;
use crate::web::Inbound;

/// The proofs one host takes.
#[derive(Clone, Debug)]
pub struct Authenticator {
    cookie: SealedCookie,
}

/// What the proofs say.
#[derive(Debug)]
pub enum Authenticated {
    /// Nothing was presented.
    Nobody,
    /// A living session.
    Proven(Arc<SessionState>),
    /// Something was presented and is worth nothing: it counts as not presented, and its cookies
    /// are removed with the next answer of ours.
    Rejected(Unfit),
}

impl Authenticator {
    /// Takes session cookies.
    pub fn new(cookie: SealedCookie) -> Self {
        Self { cookie }
    }

    /// Who sent the request.
    pub fn authenticate(&self, inbound: &Inbound<'_>, now: Timestamp) -> Authenticated {
        match self.cookie.load(inbound.cookies(), now) {
            Loaded::Live(state) => Authenticated::Proven(state),
            Loaded::NotPresented => Authenticated::Nobody,
            Loaded::Rejected(why) => Authenticated::Rejected(why),
        }
    }

    /// The store behind the cookies.
    pub fn cookie(&self) -> &SealedCookie {
        &self.cookie
    }
}
