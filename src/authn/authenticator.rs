//! Asks what a request brings as proof of who sent it.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::session::{Loaded, SessionState, Sessions};
use crate::telemetry::Unfit;
use crate::web::Inbound;

/// The proofs one host takes.
#[derive(Clone, Debug)]
pub struct Authenticator {
    sessions: Sessions,
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
    /// Something was presented, and what would tell cannot be asked.
    Unavailable,
}

impl Authenticator {
    /// Takes session cookies.
    pub fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }

    /// Who sent the request.
    pub fn authenticate(&self, inbound: &Inbound<'_>, now: Timestamp) -> Authenticated {
        match self.sessions.load(inbound.cookies(), now) {
            Loaded::Live(state) => Authenticated::Proven(state),
            Loaded::NotPresented => Authenticated::Nobody,
            Loaded::Rejected(why) => Authenticated::Rejected(why),
            Loaded::Unavailable => Authenticated::Unavailable,
        }
    }

    /// The sessions behind the cookies.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }
}
