//! Refresh tokens of sessions that were ended, revoked where they came from (RFC 7009).
//!
//! Beside whatever ended the session, which waits for nothing: so many at once, each once. What is left
//! over or fails is counted and in the audit log, and the token ends by the provider's own rules.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::config::{RefreshTokens, RelyingParty};
use crate::crypto::plain_sha256;
use crate::identity::RefreshToken;
use crate::oidc::Providers;
use crate::session::{Refresh, SessionState};
use crate::superid::{NotRevoked, SuperId};
use crate::telemetry::{AuditLog, Event, Metrics, Revoking as Outcome, Who};

use super::asking::chain;
use super::flights::Flights;

/// Tells providers of tokens that are wanted no more; cheap to clone.
#[derive(Clone)]
pub(super) struct Revoking {
    pub superid: Arc<SuperId>,
    pub providers: Arc<Providers>,
    pub metrics: Arc<Metrics>,
    pub audit: AuditLog,
    pub flights: Arc<Flights>,
    pub told: Arc<Told>,
}

/// What was told, and how much may be on its way; it outlives configurations.
#[derive(Debug)]
pub(super) struct Told {
    places: Arc<Semaphore>,
    latest: Mutex<Latest>,
}

#[derive(Debug, Default)]
struct Latest {
    names: HashSet<[u8; 16]>,
    order: VecDeque<[u8; 16]>,
}

impl Revoking {
    /// Sets out with the refresh token of a session that is over, where it has one that its relying party
    /// wants revoked. A browser may bring an ended session again and again: its token is told of once.
    pub fn revoke(&self, party: Arc<RelyingParty>, state: &Arc<SessionState>) {
        if party.refresh_tokens != RefreshTokens::UseAndRevoke {
            return;
        }
        let token = state.refresh.as_ref().and_then(Refresh::token).cloned();
        let (Some(token), Ok(runtime)) = (token, Handle::try_current()) else { return };
        if !self.told.is_first(&token) {
            return;
        }
        let Ok(place) = self.told.places.clone().try_acquire_owned() else {
            self.tell(&party, state, Err("too many are on their way".to_owned()), Outcome::Left);
            return;
        };
        let (revoking, state, task) = (self.clone(), state.clone(), self.flights.task());
        runtime.spawn(async move {
            let outcome = revoking.ask(&party, &token).await;
            match outcome {
                Ok(()) => revoking.tell(&party, &state, Ok(()), Outcome::Revoked),
                Err(NotRevoked::NotOffered) => {}
                Err(why) => revoking.tell(&party, &state, Err(chain(&why)), Outcome::Failed),
            }
            drop((place, task));
        });
    }

    async fn ask(&self, party: &RelyingParty, token: &RefreshToken) -> Result<(), NotRevoked> {
        match party.membership() {
            None => self.superid.revoke(party, token).await,
            Some(_) => self.providers.revoke(party, token).await,
        }
    }

    fn tell(
        &self,
        party: &RelyingParty,
        state: &SessionState,
        outcome: Result<(), String>,
        counted: Outcome,
    ) {
        self.metrics.sessions().token_revoked(counted);
        let (who, relying_party) = (Who::is(&state.principal), party.name.as_str());
        match outcome {
            Ok(()) => self.audit.record(Event::RefreshTokenRevoked { who, relying_party }),
            Err(detail) => {
                tracing::warn!(relying_party, detail, "a refresh token is not revoked");
                let detail = detail.as_str();
                self.audit.record(Event::RefreshTokenNotRevoked { who, relying_party, detail });
            }
        }
    }
}

impl Told {
    fn is_first(&self, token: &RefreshToken) -> bool {
        let digest = plain_sha256(token.reveal().as_bytes());
        let name = *digest.first_chunk().expect("a digest is 32 bytes");
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if !latest.names.insert(name) {
            return false;
        }
        latest.order.push_back(name);
        if latest.order.len() > MOST_KNOWN
            && let Some(oldest) = latest.order.pop_front()
        {
            latest.names.remove(&oldest);
        }
        true
    }
}

impl Default for Told {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), latest: Mutex::default() }
    }
}

/// On their way: each is over within the time that calls to SuperID have.
const AT_ONCE: usize = 256;
/// Tokens that are not told of again.
const MOST_KNOWN: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_of_once_and_what_is_remembered_of_them_is_bounded() {
        let told = Told::default();
        let token = |number: usize| RefreshToken::parse(&format!("token {number}")).unwrap();
        assert!(told.is_first(&token(0)) && !told.is_first(&token(0)));
        assert!((1..=MOST_KNOWN).all(|one| told.is_first(&token(one))));
        assert!(!told.is_first(&token(MOST_KNOWN)));
        assert!(told.is_first(&token(0)), "the oldest is forgotten");
        let latest = told.latest.lock().unwrap();
        assert_eq!((latest.names.len(), latest.order.len()), (MOST_KNOWN, MOST_KNOWN));
    }
}
