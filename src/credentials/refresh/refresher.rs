//! Refreshes sessions: ahead of time with nobody waiting, or for those whose access token is dead.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::clock::{Clock, Timestamp};
use crate::config::{RefreshTokens, Settings};
use crate::crypto::Random;
use crate::oidc::Providers;
use crate::session::{Refresh, SessionState, Sessions};
use crate::superid::SuperId;
use crate::telemetry::{AuditLog, Metrics};

use super::asking::Asking;
use super::errand::Errand;
use super::flights::{Flight, Flights, Waiting};
use super::means::Means;
use super::revoking::Revoking;

/// One for each configuration that is in force; what is under way is known to all of them.
pub struct Refresher(Arc<Means>);

/// What somebody with a dead access token can do.
#[derive(Debug)]
pub enum Needed {
    /// Nothing here: there is no refresh token, or it is lost.
    Nothing,
    /// Nothing yet: the provider failed lately.
    Outage,
    /// Wait for this.
    Wait(Waiting),
}

impl Refresher {
    /// For these settings, with whoever can be asked.
    pub fn new(
        settings: &Settings,
        (superid, providers): (&Arc<SuperId>, &Arc<Providers>),
        (kept_claims, metrics, audit): (Vec<String>, &Arc<Metrics>, &AuditLog),
        (clock, random): (&Clock, &Random),
        before: Option<&Self>,
    ) -> Self {
        let asking = Asking {
            superid: superid.clone(),
            providers: providers.clone(),
            parties: settings.relying_parties.clone(),
            kept_claims,
        };
        let flights = before.map_or_else(Flights::new, |before| before.0.flights.clone());
        let revoking = Revoking {
            superid: superid.clone(),
            providers: providers.clone(),
            metrics: metrics.clone(),
            audit: audit.clone(),
            flights: flights.clone(),
            told: before.map_or_else(Arc::default, |before| before.0.revoking.told.clone()),
        };
        Self(Arc::new(Means {
            asking,
            clock: clock.clone(),
            random: random.clone(),
            metrics: metrics.clone(),
            flights,
            quiet: before.map_or_else(Arc::default, |before| before.0.quiet.clone()),
            revoking,
        }))
    }

    /// Begins the refresh of a session that is in use, if it is time for one. Nobody waits for it; where
    /// it fails, a later request does the same.
    pub fn ahead(&self, sessions: &Sessions, state: &Arc<SessionState>, now: Timestamp) {
        let due = state.refresh.as_ref().is_some_and(|refresh| refresh.is_due(now));
        if !due || self.0.metrics.drain().has_begun() || !self.may_use(state) {
            return;
        }
        if let (_, Some(flight)) = self.0.flights.join(state.id.0)
            && self.0.quiet.may_ask(&state.relying_party, now)
        {
            self.send(flight, sessions, state);
        }
    }

    /// For a session whose access token is dead.
    pub fn needed(&self, sessions: &Sessions, state: &Arc<SessionState>, now: Timestamp) -> Needed {
        if state.refresh.as_ref().and_then(Refresh::token).is_none() || !self.may_use(state) {
            return Needed::Nothing;
        }
        let (waiting, flight) = self.0.flights.join(state.id.0);
        let Some(flight) = flight else { return Needed::Wait(waiting) };
        if !self.0.quiet.may_ask(&state.relying_party, now) {
            return Needed::Outage;
        }
        self.send(flight, sessions, state);
        Needed::Wait(waiting)
    }

    /// Has the refresh token of a session that was ended revoked where it came from, if that is wanted and
    /// possible. Nobody waits for it.
    pub fn revoke(&self, state: &Arc<SessionState>) {
        if state.can_be_refreshed()
            && let Some(party) = self.0.asking.party(state)
        {
            self.0.revoking.revoke(party, state);
        }
    }

    /// Waits until nothing is under way, for a process that stops: a token on its way would be lost.
    pub async fn settled(&self) {
        self.0.flights.settled().await;
    }

    fn may_use(&self, state: &SessionState) -> bool {
        let party = self.0.asking.party(state);
        party.is_none_or(|party| party.refresh_tokens != RefreshTokens::Ignore)
    }

    /// Sets out, on the runtime of whoever calls: a caller who gives up does not take it down for the
    /// others. Without a runtime it ends at once, and whoever waits takes over.
    fn send(&self, flight: Flight, sessions: &Sessions, state: &Arc<SessionState>) {
        let Ok(runtime) = Handle::try_current() else { return };
        let (means, sessions, state) = (self.0.clone(), sessions.clone(), state.clone());
        let task = self.0.flights.task();
        runtime.spawn(async move {
            let landed = Errand { means, sessions, state }.run().await;
            flight.land(landed);
            drop(task);
        });
    }
}
