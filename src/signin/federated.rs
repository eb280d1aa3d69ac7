//! Sign-in by WS-Federation: a form with a token, posted from the provider's page without our cookies.
//!
//! The POST verifies the token, uses it up, and hands the person over, sealed, with the attempt its
//! `wctx` names. Only at a page of ours, where the binding cookie is sent along, is the attempt tied to
//! its browser and spent, and a session made. A token that nobody here asked for has no `wctx` of ours
//! and signs nobody in.

use http::{HeaderMap, StatusCode};

use crate::config::{Flow, RelyingParty, Trust};
use crate::identity::Credential;
use crate::saml::SamlRefused;
use crate::session::{NotKept, SessionState};
use crate::superid::CleanText;
use crate::telemetry::{Event, Who};
use crate::web::{Fields, Reply, ReturnTo};
use crate::ws_federation::{Clocks, FederationFailed, verify};

use super::attempt::Attempt;
use super::begin::redirect_url;
use super::desk::{Counter, Desk};
use super::elsewhere::in_the_words_of;
use super::failure::{Failed, Failure, Outcome};
use super::form_origin::from_the_provider;
use super::handover::{Arrived, HANDOVER_LIFE, Handover};
use super::not_believed::chain;
use super::said::Said;

impl Desk {
    /// Takes a posted answer of WS-Federation.
    ///
    /// # Errors
    /// [`Failed`]; nothing of the form is kept then.
    pub(super) async fn federated(
        &self,
        at: Counter<'_>,
        parties: &[&RelyingParty],
        headers: &HeaderMap,
        fields: &Fields,
    ) -> Outcome {
        let attempt = self.answered(at, fields)?;
        let target = self.target_of(at, &attempt);
        let again = |failed: Failed| failed.again(target.clone());
        let (party, trust) = federated_party(parties, &attempt).map_err(again)?;
        from_the_provider(&self.provider_origin(party), headers).map_err(again)?;
        if let Some(said) = Said::in_answer(fields) {
            return Err(again(in_the_words_of(party, &said)));
        }
        let wresult = wresult(fields).map_err(again)?;
        let clocks = Clocks { now: self.clock.now(), leeway: self.leeway };
        let reply = redirect_url(at, party);
        let arrival = verify(trust, wresult, (&party.client_id, &reply), clocks);
        let arrival = arrival.map_err(|error| again(refused(&error)))?;
        let principal = arrival.admit(trust, &self.kept_claims);
        let principal = principal.map_err(|error| again(refused(&error)))?;
        if attempt.tenant.as_ref().is_some_and(|tenant| *tenant != principal.context) {
            let detail = "signed in to another tenant than asked";
            return Err(again(Failed::new(Failure::Unverified, detail)));
        }
        self.take_first(arrival.digest(), arrival.expires()).await.map_err(again)?;
        let (id, verified) = (self.random.bytes(), clocks.now);
        let arrived = Arrived { id, attempt, principal, verified };
        self.hand_over(at, &Handover::Federated(Box::new(arrived)))
    }

    /// Makes the session of a posted token, for the browser that began.
    ///
    /// # Errors
    /// [`Failed`] when this browser did not begin the attempt, or it was spent.
    pub(super) async fn finish_federated(
        &self,
        at: Counter<'_>,
        parties: &[&RelyingParty],
        arrived: Arrived,
    ) -> Outcome {
        let Arrived { id, attempt, principal, verified } = arrived;
        let target = self.target_of(at, &attempt);
        let again = |failed: Failed| failed.again(target.clone());
        let (party, _) = federated_party(parties, &attempt).map_err(again)?;
        let Some(binding) = self.binding(at) else {
            let detail = "a token was posted without the binding cookie";
            return Err(again(Failed::new(Failure::BindingMissing, detail)));
        };
        if !attempt.is_of(&binding) {
            return self.another_tab(at, party, &attempt, binding, target).await;
        }
        self.spend(&attempt.id, attempt.begun.plus(self.attempt_life)).map_err(again)?;
        self.spend(&id, verified.plus(HANDOVER_LIFE)).map_err(again)?;
        let who = (principal, Credential::Nothing);
        let reply = self.admit(at, binding, party, who, &target).await?;
        Ok(reply.with_cookies(self.forget_target(at, &attempt)))
    }

    /// Ends the session a provider of these parties has made, without a word, as it asks for from a
    /// frame or an image of its sign-out page (WS-Federation 1.2 §13.2.4). Whoever asks can do nothing
    /// else by it.
    ///
    /// # Errors
    /// When the session could not be ended; then nothing is removed.
    pub async fn clean_up(
        &self,
        at: Counter<'_>,
        session: Option<&SessionState>,
        parties: &[&RelyingParty],
    ) -> Result<Reply, NotKept> {
        let is_theirs = |session: &&SessionState| {
            let mut federated = parties.iter().filter(|party| party.trust().is_some());
            federated.any(|party| party.name == session.relying_party && party.bond == session.bond)
        };
        let Some(session) = session.filter(is_theirs) else {
            return Ok(Reply::status(StatusCode::OK));
        };
        self.end_here(at, session).await?;
        Ok(Reply::status(StatusCode::OK).with_cookies(at.sessions.remove(at.cookies)))
    }

    /// Ends a session for every copy of its cookie.
    pub(super) async fn end_here(
        &self,
        at: Counter<'_>,
        session: &SessionState,
    ) -> Result<(), NotKept> {
        at.sessions.end(session, self.clock.now()).await?;
        self.metrics.sessions().signed_out();
        if let Some(scene) = at.scene {
            let (who, relying_party) = (Who::is(&session.principal), &session.relying_party);
            scene.record(Event::SignedOut { who, relying_party });
        }
        Ok(())
    }

    fn answered(&self, at: Counter<'_>, fields: &Fields) -> Result<Attempt, Failed> {
        match fields.get("wa") {
            Some("wsignin1.0") => {}
            other => {
                let action = CleanText::of(other.unwrap_or_default(), &[]);
                let detail = format!("a form with wa={:?}, not wsignin1.0", action.as_str());
                return Err(Failed::new(Failure::BadRequest, detail));
            }
        }
        if fields.get("wctx").is_none() {
            let detail = "a token without wctx: the sign-in was begun at the provider, not here";
            let failed = Failed::new(Failure::AttemptExpired, detail);
            return Err(failed.again(ReturnTo::root()));
        }
        self.opened(at, fields.get("wctx"))
    }
}

/// Whether fields are WS-Federation's, for one of these parties to look at.
pub(super) fn is_federated(parties: &[&RelyingParty], fields: &Fields) -> bool {
    let speak = |party: &&RelyingParty| party.flow == Flow::WsFederation;
    let named = ["wa", "wresult", "wctx"].iter().any(|name| fields.get(name).is_some());
    parties.iter().any(speak) && (named || parties.iter().all(speak))
}

/// Whether a visit is a provider's request to end what a session it made.
pub fn asks_to_clean_up(parties: &[&RelyingParty], fields: &Fields) -> bool {
    parties.iter().any(|party| party.flow == Flow::WsFederation)
        && fields.get("wa") == Some("wsignoutcleanup1.0")
}

fn federated_party<'p>(
    parties: &[&'p RelyingParty],
    attempt: &Attempt,
) -> Result<(&'p RelyingParty, &'p Trust), Failed> {
    let began = |party: &&&RelyingParty| party.name == attempt.relying_party && attempt.fits(party);
    let party = parties.iter().find(began);
    party.and_then(|party| Some((*party, &**party.trust()?))).ok_or_else(|| {
        let detail = "the relying party is gone, or asks for something else by now";
        Failed::new(Failure::AttemptExpired, detail)
    })
}

/// The answer itself. An address where it lies is not visited: it could be anybody's.
fn wresult(fields: &Fields) -> Result<&str, Failed> {
    let refused = |detail: &str| Err(Failed::new(Failure::BadRequest, detail));
    match (fields.get("wresult"), fields.get("wresultptr")) {
        (Some(wresult), None) => Ok(wresult),
        (None, None) => refused("wsignin1.0 without wresult"),
        (_, Some(_)) => refused("wresultptr: a token is taken from the form alone"),
    }
}

/// Whose fault it was, in words for each.
fn refused(error: &FederationFailed) -> Failed {
    let failure = match error {
        FederationFailed::Encrypted => Failure::Misconfigured,
        FederationFailed::NotLetIn(_) => Failure::NotLetIn,
        FederationFailed::Refused => Failure::ProviderRefused("fault".to_owned()),
        FederationFailed::Untrusted(SamlRefused::Expired | SamlRefused::NotYetValid) => {
            Failure::LoopClock
        }
        FederationFailed::Subject | FederationFailed::Untrusted(_) => Failure::Unverified,
    };
    Failed::new(failure, chain(error))
}
