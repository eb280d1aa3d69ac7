//! The legacy callback: a form posted from SuperID's page, which comes without our cookies.
//!
//! The POST only verifies: what it found is sealed into a short-lived cookie and the browser is
//! sent to a page of ours. Only there, where the binding cookie is sent along, is an attempt of
//! this browser spent and a session made. Two more things stand against login CSRF, because this
//! flow has neither state nor nonce: the form's `Origin` must be SuperID's, and the hand-over is a
//! cookie, which nobody can plant from outside, instead of a code in the address.

use http::HeaderMap;

use crate::config::{Legacy, NullOrigin, RelyingParty};
use crate::identity::Credential;
use crate::web::{Fields, ReturnTo};

use super::consent::Consent;
use super::desk::{Counter, Desk};
use super::elsewhere::in_the_words_of;
use super::failure::{Failed, Failure, Outcome};
use super::handover::{HANDOVER_LIFE, Handover, Posted};
use super::not_believed::failed;
use super::said::Said;

impl Desk {
    /// Takes a posted form: verifies the token in it and hands over to [`Desk::finish`].
    ///
    /// # Errors
    /// [`Failed`]; nothing of the form is kept then.
    pub(super) async fn posted(
        &self,
        at: Counter<'_>,
        (party, legacy): (&RelyingParty, &Legacy),
        headers: &HeaderMap,
        fields: &Fields,
    ) -> Outcome {
        from_superid(party, legacy, headers)?;
        if let Some(said) = Said::in_answer(fields) {
            return Err(in_the_words_of(party, said.failed()).again(ReturnTo::root()));
        }
        let Some(token) = fields.get("jwt") else {
            let detail = match fields.get("saml") {
                Some(_) => "a SAML token was posted; set the registration's token type to JWT",
                None => "a posted form without a jwt field",
            };
            return Err(Failed::new(Failure::BadRequest, detail));
        };
        let claims =
            self.superid.verify_posted(party, token).await.map_err(|error| failed(&error))?;
        self.take_once(&claims).await?;
        let posted = Posted {
            id: self.random.bytes(),
            relying_party: party.name.clone(),
            bond: party.bond,
            ticket: claims.ticket().cloned(),
            consent: Consent::in_claims(&claims),
            principal: claims.principal(&self.kept_claims),
            verified: self.clock.now(),
        };
        self.hand_over(at, &Handover::Posted(Box::new(posted)))
    }

    /// Makes the session of a posted token.
    ///
    /// # Errors
    /// [`Failed`] when there is no living attempt of this browser for it.
    pub(super) async fn finish_posted(
        &self,
        at: Counter<'_>,
        parties: &[&RelyingParty],
        handoff: Posted,
    ) -> Outcome {
        let mut binding = self.binding(at).ok_or_else(|| {
            Failed::new(Failure::BindingMissing, "a posted sign-in without the binding cookie")
        })?;
        let party = parties
            .iter()
            .find(|party| party.name == handoff.relying_party && party.bond == handoff.bond)
            .ok_or_else(|| Failed::new(Failure::AttemptExpired, "the relying party is gone"))?;
        let attempt =
            binding.take_legacy(&party.name, |begun| self.is_alive(begun)).ok_or_else(|| {
                Failed::new(Failure::BindingMissing, "this browser began no legacy sign-in")
            })?;
        self.spend(&attempt.id, attempt.begun.plus(self.attempt_life))?;
        self.spend(&handoff.id, handoff.verified.plus(HANDOVER_LIFE))?;
        if attempt.tenant.as_ref().is_some_and(|tenant| *tenant != handoff.principal.context) {
            return Err(Failed::new(Failure::Unverified, "signed in to another tenant than asked"));
        }
        let target = ReturnTo::parse(&attempt.target, &at.host.origin, &at.host.prefix)
            .unwrap_or_else(ReturnTo::root);
        self.keep(at, party, handoff.consent).await;
        let credential = handoff.ticket.map_or(Credential::Nothing, Credential::Ticket);
        self.admit(at, binding, party, (handoff.principal, credential), &target)
    }
}

/// Browsers say which page posted a form (Fetch §3.1); only SuperID's may. Programs say nothing,
/// and have no victim's cookies either.
fn from_superid(party: &RelyingParty, legacy: &Legacy, headers: &HeaderMap) -> Result<(), Failed> {
    let mut origins = headers.get_all(http::header::ORIGIN).iter();
    let expected = party.environment().map(|one| one.login_origin()).unwrap_or_default();
    let accepted = match (origins.next().map(http::HeaderValue::as_bytes), origins.next()) {
        (None, _) => true,
        (Some(b"null"), None) => legacy.null_origin == NullOrigin::Accepted,
        (Some(origin), None) => origin == expected.as_bytes(),
        (Some(_), Some(_)) => false,
    };
    if accepted {
        return Ok(());
    }
    let detail = format!("a form posted from elsewhere than {expected}");
    Err(Failed::new(Failure::PostOriginRefused, detail))
}
