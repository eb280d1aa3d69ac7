//! What comes back to the redirect URL: the attempt is opened, tied to its browser and spent before
//! anything leaves the machine; only then is the answer verified or redeemed and the session made.
//!
//! Cases, in the order they are decided. An error wins over whatever else an answer brings, and is
//! shown in any case; it spends the attempt only where the answer would have.
//! 1. a parameter twice: a page, nothing is believed;
//! 2. no `state`, or one that does not open or is too old: a page with a way to try again;
//! 3. another browser's: a page. Of another tab of this browser, which got its binding first: on
//!    to the target when that tab has signed in by now, else once more to SuperID;
//! 4. by another way than was asked for: a page;
//! 5. spent: a page;
//! 6. an error: a page that says which;
//! 7. fewer parts than were asked for, or more: a page;
//! 8. an id_token: verified with the code and access token beside it, or a page;
//! 9. a code: redeemed and verified, or a page.

use crate::config::{Flow, Pkce, RelyingParty, ResponseMode};
use crate::identity::{Credential, Principal};
use crate::session::{Loaded, SessionState};
use crate::superid::{CodeGrant, FrontToken, SignedIn, VerifiedClaims};
use crate::web::{Fields, Reply, ReturnTo};

use super::answer::{Answer, Brought, FrontAccess};
use super::attempt::Attempt;
use super::begin::{Wish, redirect_url};
use super::binding::Binding;
use super::consent::Consent;
use super::desk::{Counter, Desk};
use super::elsewhere::in_the_words_of;
use super::failure::{Failed, Failure, Outcome};
use super::held::other_way;
use super::not_believed::failed;

impl Desk {
    /// Answers a visit to the redirect URL with this query, for one of `parties`.
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
        let answer = Answer::read(&fields, ResponseMode::Query);
        self.settle(at, parties, fields.get("state"), &answer).await
    }

    /// Ends the attempt an answer names.
    pub(super) async fn settle(
        &self,
        at: Counter<'_>,
        parties: &[&RelyingParty],
        state: Option<&str>,
        answer: &Answer,
    ) -> Outcome {
        let attempt = self.opened(at, state).map_err(|failed| answer.or(failed))?;
        self.settled(at, parties, &attempt, answer).await
    }

    /// Ends an attempt whose `state` was ours.
    pub(super) async fn settled(
        &self,
        at: Counter<'_>,
        parties: &[&RelyingParty],
        attempt: &Attempt,
        answer: &Answer,
    ) -> Outcome {
        let target = self.target_of(at, attempt);
        let refused = |failed: Failed| answer.or(failed).again(target.clone());
        let party = self.asking(parties, attempt).map_err(|failed| answer.or(failed))?;
        let Some(binding) = self.binding(at) else {
            let detail = "the callback came without the binding cookie";
            return Err(refused(Failed::new(Failure::BindingMissing, detail)));
        };
        if !attempt.is_of(&binding) {
            if let Some(said) = &answer.said {
                return Err(in_the_words_of(party, said).again(target));
            }
            return self.another_tab(at, party, attempt, binding, target).await;
        }
        if attempt.mode != answer.mode {
            return Err(refused(other_way(attempt, answer)));
        }
        let until = attempt.begun.plus(self.attempt_life);
        self.spend(&attempt.id, until).map_err(|failed| failed.again(target.clone()))?;
        self.check_answerer(party, answer).await.map_err(|failed| failed.again(target.clone()))?;
        if let Some(said) = &answer.said {
            return Err(in_the_words_of(party, said).again(target));
        }
        let brought = answer.parts(attempt.asked).map_err(|failed| failed.again(target.clone()))?;
        let who = self.signed_in(at, (party, attempt), &brought).await;
        let (principal, credential) = who.map_err(|failed| failed.again(target.clone()))?;
        let reply = self.admit(at, binding, party, (principal, credential), &target).await?;
        Ok(reply.with_cookies(self.forget_target(at, attempt)))
    }

    /// Who began the attempt, if that one still asks for the same.
    fn asking<'p>(
        &self,
        parties: &[&'p RelyingParty],
        attempt: &Attempt,
    ) -> Result<&'p RelyingParty, Failed> {
        parties
            .iter()
            .find(|party| party.name == attempt.relying_party && attempt.fits(party))
            .filter(|party| party.flow == Flow::Code)
            .copied()
            .ok_or_else(|| {
                let detail = "the relying party is gone, or asks for something else by now";
                Failed::new(Failure::AttemptExpired, detail)
            })
    }

    /// The attempt a `state` names, if it is ours and still good.
    pub(super) fn opened(&self, at: Counter<'_>, state: Option<&str>) -> Result<Attempt, Failed> {
        let Some(state) = state else {
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
    pub(super) async fn another_tab(
        &self,
        at: Counter<'_>,
        party: &RelyingParty,
        attempt: &Attempt,
        binding: Binding,
        target: ReturnTo,
    ) -> Outcome {
        let is_signed_in = match at.sessions.ask(at.cookies, self.clock.now()).await {
            Loaded::Live(session) => serves(&session, attempt),
            Loaded::NotPresented | Loaded::Rejected(_) | Loaded::Unavailable => false,
        };
        if is_signed_in {
            return Ok(Reply::redirect(&target.on(&at.host.origin)));
        }
        if attempt.rounds >= MOST_ROUNDS {
            let detail = "the binding cookie changed on every round";
            return Err(Failed::new(Failure::LoopCookie, detail).again(target));
        }
        let wish = Wish { party, target, tenant: attempt.tenant.clone() };
        self.begin_again(at, &wish, (binding, attempt.rounds + 1)).await
    }

    /// Who signed in, by what was brought: an id_token is verified before the code beside it is
    /// redeemed, and a token that nothing else keeps from being used twice is used up.
    async fn signed_in(
        &self,
        at: Counter<'_>,
        (party, attempt): (&RelyingParty, &Attempt),
        brought: &Brought<'_>,
    ) -> Result<(Principal, Credential), Failed> {
        if party.membership().is_some() {
            return self.signed_in_elsewhere(at, (party, attempt), brought).await;
        }
        let front = match brought.id_token {
            Some(id_token) => Some(self.front(party, attempt, brought, id_token).await?),
            None => None,
        };
        let (claims, credential) = match (brought.code, front) {
            (Some(code), front) => {
                let redeemed = self.redeemed(at, (party, attempt), code).await?;
                if front.is_some_and(|front| !front.agrees_with(&redeemed.claims)) {
                    let detail = "the two id_tokens are about different people";
                    return Err(Failed::new(Failure::Unverified, detail));
                }
                (redeemed.claims, redeemed.credential)
            }
            (None, Some(claims)) => {
                self.take_once(&claims).await?;
                (claims, self.front_credential(brought.access_token.as_ref()))
            }
            (None, None) => {
                let detail = "neither a code nor an id_token was asked for";
                return Err(Failed::new(Failure::Internal, detail));
            }
        };
        self.keep(at, party, Consent::in_claims(&claims)).await;
        Ok((claims.principal(&self.kept_claims), credential))
    }

    async fn front(
        &self,
        party: &RelyingParty,
        attempt: &Attempt,
        brought: &Brought<'_>,
        id_token: &str,
    ) -> Result<VerifiedClaims, Failed> {
        let front = FrontToken {
            id_token,
            code: brought.code,
            access_token: brought.access_token.as_ref().map(|access| access.token.reveal()),
            nonce: &attempt.nonce(),
            tenant: attempt.tenant.as_ref(),
        };
        self.superid.verify_front(party, front).await.map_err(|error| failed(&error))
    }

    async fn redeemed(
        &self,
        at: Counter<'_>,
        (party, attempt): (&RelyingParty, &Attempt),
        code: &str,
    ) -> Result<SignedIn, Failed> {
        let verifier = attempt.verifier();
        let grant = CodeGrant {
            code,
            redirect_uri: &redirect_url(at, party),
            verifier: (party.pkce == Pkce::S256).then_some(verifier.as_str()),
            nonce: &attempt.nonce(),
            tenant: attempt.tenant.as_ref(),
        };
        self.superid.redeem(party, grant).await.map_err(|error| failed(&error))
    }

    /// `at_hash` ties the token to the id_token; beside a code it is not used, because the code
    /// brings one that no browser has seen.
    fn front_credential(&self, access: Option<&FrontAccess>) -> Credential {
        match access {
            Some(FrontAccess { token, seconds }) => {
                let until = self.clock.now().plus(*seconds);
                Credential::Bearer { token: token.clone(), until }
            }
            None => Credential::Nothing,
        }
    }
}

fn serves(session: &SessionState, attempt: &Attempt) -> bool {
    attempt.is_with(&session.relying_party, session.bond)
        && attempt.tenant.as_ref().is_none_or(|tenant| *tenant == session.principal.context)
}

/// Two tabs settle in one round; more is a browser that loses cookies.
const MOST_ROUNDS: u8 = 3;
