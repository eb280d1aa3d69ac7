//! The callback of the code flow: the attempt is opened, tied to its browser and spent before
//! anything leaves the machine; only then is the code redeemed and the session made.
//!
//! Cases, in the order they are decided:
//! 1. a parameter twice, or no `state`: a page, nothing is believed;
//! 2. a `state` that does not open or is too old: a page with a way to try again;
//! 3. another browser's: a page. Of another tab of this browser, which got its binding first: on
//!    to the target when that tab has signed in by now, else once more to SuperID;
//! 4. spent: a page;
//! 5. an error, even beside a code: a page that says which;
//! 6. a code: redeemed and verified, or a page.

use crate::config::{Pkce, RelyingParty};
use crate::session::{Loaded, SessionState};
use crate::superid::{ClaimsRefused, CodeGrant, SignInFailed};
use crate::web::{Fields, Reply, ReturnTo};

use super::attempt::Attempt;
use super::begin::{Wish, redirect_url};
use super::binding::Binding;
use super::consent::Consent;
use super::desk::{Counter, Desk};
use super::failure::{Failed, Failure, Outcome};

impl Desk {
    /// Answers a callback with this query, for one of `parties`.
    ///
    /// # Errors
    /// [`Failed`] says what the person and what the operator should know.
    pub async fn complete(
        &self,
        at: Counter<'_>,
        query: &str,
        parties: &[&RelyingParty],
    ) -> Outcome {
        let fields = Fields::parse(query.as_bytes())
            .map_err(|error| Failed::new(Failure::BadRequest, error.to_string()))?;
        let attempt = self.opened(at, &fields)?;
        let target = self.target_of(at, &attempt);
        let party = parties
            .iter()
            .find(|party| party.name == attempt.relying_party)
            .ok_or_else(|| Failed::new(Failure::AttemptExpired, "the relying party is gone"))?;
        let Some(binding) = self.binding(at) else {
            let detail = "the callback came without the binding cookie";
            return Err(Failed::new(Failure::BindingMissing, detail).again(target));
        };
        if !attempt.is_of(&binding) {
            return self.another_tab(at, party, &attempt, binding, target);
        }
        let until = attempt.begun.plus(self.attempt_life);
        self.spend(&attempt.id, until).map_err(|failed| failed.again(target.clone()))?;
        let code = answered_code(&fields).map_err(|failed| failed.again(target.clone()))?;
        let reply = self.redeem(at, party, &attempt, code, binding, &target).await?;
        Ok(reply.with_cookies(self.forget_target(at, &attempt)))
    }

    fn opened(&self, at: Counter<'_>, fields: &Fields) -> Result<Attempt, Failed> {
        let Some(state) = fields.get("state") else {
            return Err(Failed::new(Failure::BadRequest, "a callback without state"));
        };
        let attempt = Attempt::open(state, &at.host.origin, &self.keys)
            .ok_or_else(|| Failed::new(Failure::AttemptExpired, "the state is not ours"))?;
        if !self.is_alive(attempt.begun) {
            let target = self.target_of(at, &attempt);
            return Err(
                Failed::new(Failure::AttemptExpired, "the attempt is too old").again(target)
            );
        }
        Ok(attempt)
    }

    /// The first pages of a browser without cookies, opened at once, each got a binding, and one
    /// of them stayed. Nothing of this answer is used: the code is left to die unredeemed.
    fn another_tab(
        &self,
        at: Counter<'_>,
        party: &RelyingParty,
        attempt: &Attempt,
        binding: Binding,
        target: ReturnTo,
    ) -> Outcome {
        let signed_in = match at.sessions.load(at.cookies, self.clock.now()) {
            Loaded::Live(session) => serves(&session, attempt),
            Loaded::NotPresented | Loaded::Rejected(_) => false,
        };
        if signed_in {
            return Ok(Reply::redirect(&target.on(&at.host.origin)));
        }
        if attempt.rounds >= MOST_ROUNDS {
            let detail = "the binding cookie changed on every round";
            return Err(Failed::new(Failure::LoopCookie, detail).again(target));
        }
        let wish = Wish { party, target, tenant: attempt.tenant.clone() };
        self.begin_round(at, &wish, binding, attempt.rounds + 1)
    }

    async fn redeem(
        &self,
        at: Counter<'_>,
        party: &RelyingParty,
        attempt: &Attempt,
        code: &str,
        binding: Binding,
        target: &ReturnTo,
    ) -> Outcome {
        let verifier = attempt.verifier();
        let grant = CodeGrant {
            code,
            redirect_uri: &redirect_url(at, party),
            verifier: (party.pkce == Pkce::S256).then_some(verifier.as_str()),
            nonce: &attempt.nonce(),
            tenant: attempt.tenant.as_ref(),
        };
        let signed_in = self
            .superid
            .redeem(party, grant)
            .await
            .map_err(|error| failed(&error).again(target.clone()))?;
        self.keep(at, party, Consent::in_claims(&signed_in.claims)).await;
        let principal = signed_in.claims.principal(&self.kept_claims);
        self.admit(at, binding, party, (principal, signed_in.credential), target)
    }
}

/// What a failed exchange or verification is to the person.
pub(super) fn failed(error: &SignInFailed) -> Failed {
    let failure = match error {
        SignInFailed::Misconfigured { .. } => Failure::Misconfigured,
        SignInFailed::Outage { .. } => Failure::SuperIdUnreachable,
        SignInFailed::Refused { error } => Failure::SuperIdRefused(clean(error.as_str())),
        SignInFailed::Untrusted(ClaimsRefused::Expired | ClaimsRefused::NotYetValid) => {
            Failure::LoopClock
        }
        SignInFailed::Untrusted(ClaimsRefused::SerialUnknown) => Failure::TenantUnknown,
        SignInFailed::Untrusted(_) => Failure::Unverified,
    };
    Failed::new(failure, chain(error))
}

/// An error with its sources, which is how operators read it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// What an error code of SuperID's is to the person (RFC 6749 §4.1.2.1).
pub(super) fn refused_by_superid(error: &str) -> Failed {
    let failure = match error {
        "access_denied" | "consent_required" => Failure::ConsentDeclined,
        "server_error" | "temporarily_unavailable" => Failure::SuperIdUnreachable,
        _ => Failure::SuperIdRefused(clean(error)),
    };
    Failed::new(failure, format!("SuperID answered {:?}", clean(error)))
}

/// The code, unless SuperID answered with an error; where both are there the error wins.
fn answered_code(fields: &Fields) -> Result<&str, Failed> {
    if let Some(error) = fields.get("error") {
        return Err(refused_by_superid(error));
    }
    match fields.get("code") {
        Some(code) if is_code(code) => Ok(code),
        _ => Err(Failed::new(Failure::BadRequest, "a callback without a usable code")),
    }
}

fn is_code(code: &str) -> bool {
    (1..=512).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_graphic())
}

fn clean(code: &str) -> String {
    code.chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
        .take(64)
        .collect()
}

fn serves(session: &SessionState, attempt: &Attempt) -> bool {
    session.relying_party == attempt.relying_party
        && attempt.tenant.as_ref().is_none_or(|tenant| *tenant == session.principal.context)
}

/// Two tabs settle in one round; more is a browser that loses cookies.
const MOST_ROUNDS: u8 = 3;
