//! The legacy callback: a form posted from SuperID's page, which comes without our cookies.
//!
//! The POST only verifies: what it found is sealed into a short-lived cookie and the browser is
//! sent to a page of ours. Only there, where the binding cookie is sent along, is an attempt of
//! this browser spent and a session made. Two more things stand against login CSRF, because this
//! flow has neither state nor nonce: the form's `Origin` must be SuperID's, and the hand-over is a
//! cookie, which nobody can plant from outside, instead of a code in the address.

use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::config::{Legacy, NullOrigin, RelyingParty};
use crate::crypto::Purpose;
use crate::identity::{Credential, Principal, Ticket};
use crate::session::{Chunked, Loaded};
use crate::superid::VerifiedClaims;
use crate::web::{Fields, Reply, ReturnTo};

use super::callback::{failed, refused_by_superid};
use super::consent::Consent;
use super::desk::{Counter, Desk};
use super::failure::{Failed, Failure, Outcome};

/// Verified claims on their way from the POST to our own page.
#[derive(Serialize, Deserialize)]
struct Handoff {
    id: [u8; 16],
    relying_party: String,
    principal: Principal,
    ticket: Option<Ticket>,
    consent: Option<Consent>,
    verified: Timestamp,
}

impl Desk {
    /// Takes a posted form: verifies the token in it and hands over to [`Desk::finish`].
    ///
    /// # Errors
    /// [`Failed`]; nothing of the form is kept then.
    pub async fn posted(
        &self,
        at: Counter<'_>,
        (party, legacy): (&RelyingParty, &Legacy),
        headers: &HeaderMap,
        form: &[u8],
    ) -> Outcome {
        from_superid(party, legacy, headers)?;
        let fields = Fields::parse(form)
            .map_err(|error| Failed::new(Failure::BadRequest, error.to_string()))?;
        if let Some(error) = fields.get("error") {
            return Err(refused_by_superid(error).again(ReturnTo::root()));
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
        self.take_once(&claims)?;
        self.hand_over(at, party, claims)
    }

    /// Makes the session of a posted token, for the browser that began the sign-in. Of several tabs
    /// that sign in at once, those that find nothing left to finish land on the root, signed in by
    /// the one that did.
    ///
    /// # Errors
    /// [`Failed`] when there is no hand-over, or no living attempt of this browser for it, and
    /// nobody is signed in.
    pub async fn finish(&self, at: Counter<'_>, parties: &[&RelyingParty]) -> Outcome {
        self.finished(at, parties).await.or_else(|failed| {
            match at.sessions.load(at.cookies, self.clock.now()) {
                Loaded::Live(_) => Ok(Reply::redirect(&ReturnTo::root().on(&at.host.origin))),
                Loaded::NotPresented | Loaded::Rejected(_) => Err(failed.again(ReturnTo::root())),
            }
        })
    }

    async fn finished(&self, at: Counter<'_>, parties: &[&RelyingParty]) -> Outcome {
        let handoff = self
            .handed_over(at)
            .ok_or_else(|| Failed::new(Failure::AttemptExpired, "there is nothing to finish"))?;
        let mut binding = self.binding(at).ok_or_else(|| {
            Failed::new(Failure::BindingMissing, "a posted sign-in without the binding cookie")
        })?;
        let party = parties
            .iter()
            .find(|party| party.name == handoff.relying_party)
            .ok_or_else(|| Failed::new(Failure::AttemptExpired, "the relying party is gone"))?;
        let attempt =
            binding.take_legacy(&party.name, |begun| self.is_alive(begun)).ok_or_else(|| {
                Failed::new(Failure::BindingMissing, "this browser began no legacy sign-in")
            })?;
        self.spend(&attempt.id, attempt.begun.plus(self.attempt_life))?;
        self.spend(&handoff.id, handoff.verified.plus(HANDOFF_LIFE))?;
        if attempt.tenant.as_ref().is_some_and(|tenant| *tenant != handoff.principal.context) {
            return Err(Failed::new(Failure::Unverified, "signed in to another tenant than asked"));
        }
        let target = ReturnTo::parse(&attempt.target, &at.host.origin, &at.host.prefix)
            .unwrap_or_else(ReturnTo::root);
        self.keep(at, party, handoff.consent).await;
        let credential = handoff.ticket.map_or(Credential::Nothing, Credential::Ticket);
        let reply = self.admit(at, binding, party, (handoff.principal, credential), &target)?;
        Ok(reply.with_cookies(self.chunked(at).remove(at.cookies)))
    }

    /// One use for each token, until it would be refused for its age anyway.
    fn take_once(&self, claims: &VerifiedClaims) -> Result<(), Failed> {
        let mut id = [0; 16];
        id.copy_from_slice(&claims.digest()[..16]);
        match self.used.first(&id, claims.expires(), self.clock.now()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failed::new(Failure::TokenReplayed, "a token posted twice")),
            Err(full) => Err(Failed::new(Failure::TooBusy, full.to_string())),
        }
    }

    fn hand_over(&self, at: Counter<'_>, party: &RelyingParty, claims: VerifiedClaims) -> Outcome {
        let handoff = Handoff {
            id: self.random.bytes(),
            relying_party: party.name.clone(),
            ticket: claims.ticket().cloned(),
            consent: Consent::in_claims(&claims),
            principal: claims.principal(&self.kept_claims),
            verified: self.clock.now(),
        };
        let plain = postcard::to_stdvec(&handoff)
            .map_err(|error| Failed::new(Failure::Internal, error.to_string()))?;
        let context = at.context(&at.names.handoff);
        let sealed = self.keys.seal(Purpose::Handoff, &context, &plain, &self.random);
        let cookies = self
            .chunked(at)
            .write(&sealed, Some(HANDOFF_LIFE), at.cookies)
            .map_err(|error| Failed::new(Failure::Internal, error.to_string()))?;
        Ok(Reply::redirect(&at.own("finish")).with_cookies(cookies))
    }

    fn handed_over(&self, at: Counter<'_>) -> Option<Handoff> {
        let sealed = self.chunked(at).read(at.cookies)?;
        let context = at.context(&at.names.handoff);
        let plain = self.keys.open(Purpose::Handoff, &context, &sealed).ok()?;
        let handoff: Handoff = postcard::from_bytes(&plain).ok()?;
        (self.clock.now().since(handoff.verified) <= HANDOFF_LIFE).then_some(handoff)
    }

    fn chunked<'a>(&self, at: Counter<'a>) -> Chunked<'a> {
        Chunked { name: &at.names.handoff, attributes: at.attributes() }
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

/// Seconds between the POST and our own page: a redirect, and a slow phone.
const HANDOFF_LIFE: u64 = 60;
