//! Asks what a request brings as proof of who sent it.

use std::sync::Arc;
use std::time::Duration;

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
        self.authenticate_by_last_word(inbound, now, Duration::ZERO)
    }

    /// The same where the store of sessions does not answer, by a word of it no older than `within`.
    pub fn authenticate_by_last_word(
        &self,
        inbound: &Inbound<'_>,
        now: Timestamp,
        within: Duration,
    ) -> Authenticated {
        match self.sessions.load_by_last_word(inbound.cookies(), now, within) {
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
