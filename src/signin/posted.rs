//! The legacy callback: a form posted from SuperID's page, which comes without our cookies; or an
//! address SuperID leads to, where a relying party takes those.
//!
//! The POST only verifies: what it found is sealed into a short-lived cookie and the browser is
//! sent to a page of ours. Only there, where the binding cookie is sent along, is an attempt of
//! this browser spent and a session made. Two more things stand against login CSRF, because this
//! flow has neither state nor nonce: the form's `Origin` must be SuperID's, and the hand-over is a
//! cookie, which nobody can plant from outside, instead of a code in the address. An address has no
//! `Origin`: who takes those gives up the first of the two.

use http::HeaderMap;

use crate::config::{Flow, Legacy, LegacyToken, NullOrigin, RelyingParty};
use crate::identity::Credential;
use crate::superid::{SignInFailed, VerifiedClaims};
use crate::web::{Fields, ReturnTo};

use super::begin::redirect_url;
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
        if !legacy.is_posted() {
            let detail = "a posted form, and this relying party takes addresses alone";
            return Err(Failed::new(Failure::BadRequest, detail));
        }
        from_superid(party, legacy, headers)?;
        self.told_token(at, (party, legacy), fields).await
    }

    /// Takes a token out of an address, as is done with a form. Nothing but a visit
    /// may bring one, so that an image on another site signs nobody in.
    ///
    /// # Errors
    /// [`Failed`]; nothing of the address is kept then.
    pub async fn addressed(
        &self,
        at: Counter<'_>,
        (party, legacy): (&RelyingParty, &Legacy),
        headers: &HeaderMap,
        fields: &Fields,
    ) -> Outcome {
        let mode = headers.get("sec-fetch-mode").map(http::HeaderValue::as_bytes);
        if mode.is_some_and(|mode| mode != b"navigate") {
            let detail = "a token in an address that nobody visits";
            return Err(Failed::new(Failure::BadRequest, detail));
        }
        self.told_token(at, (party, legacy), fields).await
    }

    async fn told_token(
        &self,
        at: Counter<'_>,
        (party, legacy): (&RelyingParty, &Legacy),
        fields: &Fields,
    ) -> Outcome {
        if let Some(said) = Said::in_answer(fields) {
            return Err(in_the_words_of(party, &said).again(ReturnTo::root()));
        }
        let token = Token::among(fields, legacy.token)?;
        let claims = self.verified(at, party, token).await.map_err(|error| failed(&error))?;
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

    async fn verified(
        &self,
        at: Counter<'_>,
        party: &RelyingParty,
        token: Token<'_>,
    ) -> Result<VerifiedClaims, SignInFailed> {
        match token {
            Token::Jwt(token) => self.superid.verify_posted(party, token).await,
            Token::Saml(field) => {
                self.superid.verify_saml(party, field, &redirect_url(at, party)).await
            }
        }
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
        self.admit(at, binding, party, (handoff.principal, credential), &target).await
    }
}

/// The one token that counts of those an answer brought.
enum Token<'a> {
    Jwt(&'a str),
    Saml(&'a str),
}

impl<'a> Token<'a> {
    /// Registrations can be set to send both kinds (`superid.md` §3); the JWT counts then, where it
    /// is taken.
    fn among(fields: &'a Fields, taken: LegacyToken) -> Result<Self, Failed> {
        let refused = |detail: &str| Err(Failed::new(Failure::BadRequest, detail));
        let jwt = fields.get("jwt").filter(|_| taken != LegacyToken::Saml);
        let saml = match (fields.get("saml"), fields.get("samlresponse")) {
            (Some(_), Some(_)) => return refused("saml and SAMLResponse beside each other"),
            (bare, response) => bare.or(response),
        };
        match (jwt, saml, taken) {
            (Some(jwt), ..) => Ok(Self::Jwt(jwt)),
            (None, Some(saml), LegacyToken::Saml | LegacyToken::Either) => Ok(Self::Saml(saml)),
            (None, Some(_), LegacyToken::Jwt) => {
                refused("a SAML token, and this relying party takes JWT; see legacy.token")
            }
            (None, None, LegacyToken::Saml) if fields.get("jwt").is_some() => {
                refused("a JWT, and this relying party takes SAML; see legacy.token")
            }
            (None, None, _) => refused("an answer without a token"),
        }
    }
}

/// The relying party whose tokens come in addresses, if these fields may be such an answer.
pub fn takes_address<'p>(
    parties: &[&'p RelyingParty],
    fields: &Fields,
) -> Option<(&'p RelyingParty, &'p Legacy)> {
    let is_token = ["jwt", "saml", "samlresponse"].iter().any(|name| fields.get(name).is_some());
    let is_answer = is_token || (fields.get("error").is_some() && fields.get("state").is_none());
    parties.iter().filter(|_| is_answer).find_map(|party| match &party.flow {
        Flow::Legacy(legacy) if legacy.is_in_address() => Some((*party, legacy)),
        _ => None,
    })
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
