//! The first step: remember where the person wanted to go, and send them to SuperID.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;

use crate::config::{Authority, Environment, Flow, Legacy, Pkce, RedirectParameter, RelyingParty};
use crate::crypto::{Random, plain_sha256};
use crate::identity::ContextId;
use crate::session::Loaded;
use crate::web::{Reply, ReturnTo};
use crate::ws_federation::sign_in_query;

use super::attempt::{Attempt, Place, Seeds};
use super::binding::{Binding, LegacyAttempt};
use super::desk::{Counter, Desk};
use super::failure::{Failed, Failure, Outcome};

/// What somebody wants: to come in, with this relying party, and to get there.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    pub party: &'a RelyingParty,
    pub target: ReturnTo,
    /// The tenant to sign in to; SuperID asks where there is none.
    pub tenant: Option<ContextId>,
}

impl Desk {
    /// Redirects to SuperID. Whatever session the browser had is removed: who reaches the sign-in
    /// is signed out until it succeeds.
    ///
    /// # Errors
    /// `TooBusy` when no more attempts could be remembered as spent, `LoopCookie` when sign-ins
    /// succeed one after the other and the session never comes back, `BadRequest` for another tenant
    /// than the relying party is for.
    pub fn begin(&self, at: Counter<'_>, wish: &Wish<'_>) -> Outcome {
        let random = self.random.drawn();
        let binding = self.binding(at).unwrap_or_else(|| Binding::fresh(&random));
        self.begun(at, wish, binding, &random)
    }

    /// As [`Desk::begin`], for this browser.
    pub(super) fn begin_as(&self, at: Counter<'_>, wish: &Wish<'_>, binding: Binding) -> Outcome {
        self.begun(at, wish, binding, &self.random.drawn())
    }

    fn begun(
        &self,
        at: Counter<'_>,
        wish: &Wish<'_>,
        mut binding: Binding,
        random: &Random,
    ) -> Outcome {
        if !self.changes_tenant(at, wish) && !binding.begins(&wish.party.name, self.clock.now()) {
            binding.forget_returns();
            let detail = "signing in succeeds and the session cookie never comes back";
            let failed = Failed::new(Failure::LoopCookie, detail).again(wish.target.clone());
            return Err(failed.with_cookie(self.bind(at, &binding)));
        }
        self.begin_with(at, wish, (binding, random), 0)
    }

    /// Whether the session came back, and is of another tenant than is asked for: a person with two
    /// panels is no loop.
    fn changes_tenant(&self, at: Counter<'_>, wish: &Wish<'_>) -> bool {
        let Some(tenant) = &wish.tenant else { return false };
        match at.sessions.load(at.cookies, self.clock.now()) {
            Loaded::Live(session) => session.principal.context != *tenant,
            _ => false,
        }
    }

    /// As [`Desk::begin`], for the given round of an attempt.
    pub(super) fn begin_round(
        &self,
        at: Counter<'_>,
        wish: &Wish<'_>,
        binding: Binding,
        round: u8,
    ) -> Outcome {
        self.begin_with(at, wish, (binding, &self.random.drawn()), round)
    }

    fn begin_with(
        &self,
        at: Counter<'_>,
        wish: &Wish<'_>,
        (mut binding, random): (Binding, &Random),
        round: u8,
    ) -> Outcome {
        let now = self.clock.now();
        let seeds = Seeds::fresh(random);
        let id = seeds.id();
        if !self.spent.has_room(&id, now) {
            let detail = "the set of spent attempts is full";
            return Err(Failed::new(Failure::TooBusy, detail).again(wish.target.clone()));
        }
        let tenant = tenant_of(wish)?;
        self.metrics.sessions().sign_in_begun();
        let (location, extra) = match &wish.party.flow {
            Flow::Code | Flow::WsFederation => {
                let mut attempt = Attempt::new(wish.party, tenant, &binding, now, &seeds);
                attempt.rounds = round;
                self.authorize(at, wish, attempt, random)?
            }
            Flow::Legacy(legacy) => {
                let environment = wish.party.environment().ok_or_else(nobody)?;
                let location = legacy_login(at, (environment, wish.party), legacy, tenant.as_ref());
                binding.remember(LegacyAttempt {
                    id,
                    relying_party: wish.party.name.clone(),
                    target: wish.target.as_str().to_owned(),
                    tenant,
                    begun: now,
                });
                (location, None)
            }
        };
        Ok(Reply::redirect(&location)
            .with_cookies(at.sessions.remove(at.cookies))
            .with_cookies([self.bind_by(at, &binding, random)])
            .with_cookies(extra))
    }

    /// The authorize address, its query within [`MOST_QUERY`] bytes: what does not fit in `state`
    /// rides in a cookie.
    fn authorize(
        &self,
        at: Counter<'_>,
        wish: &Wish<'_>,
        mut attempt: Attempt,
        random: &Random,
    ) -> Result<(String, Option<HeaderValue>), Failed> {
        let base = match &wish.party.authority {
            Authority::SuperId(environment) => environment.authorize(attempt.tenant.as_ref()),
            Authority::Provider(_) => {
                self.providers.authorize_endpoint(wish.party).ok_or_else(nobody)?.into()
            }
            Authority::WsFederation(trust) => trust.federation.sign_in_url.clone().into(),
        };
        attempt.target = Place::Inline(wish.target.as_str().to_owned());
        let mut query = self.authorize_query(at, wish.party, &attempt, random);
        let mut cookie = None;
        if query.len() > MOST_QUERY {
            cookie = self.keep_long_target(at, &mut attempt, &wish.target);
            if cookie.is_none() {
                attempt.target = Place::Inline(without_query(&wish.target));
            }
            query = self.authorize_query(at, wish.party, &attempt, random);
        }
        if query.len() > MOST_QUERY {
            attempt.target = Place::Inline("/".to_owned());
            query = self.authorize_query(at, wish.party, &attempt, random);
        }
        // An authorize address may have a query of its own (RFC 6749 §3.1).
        let joint = if base.contains('?') { "&" } else { "?" };
        Ok(([base.as_str(), joint, &query].concat(), cookie))
    }

    /// OpenID Connect Core §3.1.2.1, RFC 7636 §4.3, and `superid.md` §2.
    fn authorize_query(
        &self,
        at: Counter<'_>,
        party: &RelyingParty,
        attempt: &Attempt,
        random: &Random,
    ) -> String {
        let state = attempt.seal(&at.host.origin, &self.keys, random);
        if let Some(trust) = party.trust() {
            let redirect = redirect_url(at, party);
            let ours = (party.client_id.as_str(), redirect.as_str());
            return sign_in_query(&trust.federation, ours, &state, self.clock.now());
        }
        let mut query = self.queries.begun(party, &at.host.origin);
        // These are of letters that stand for themselves.
        let mut append = |name: &str, value: &str| {
            query.extend(["&", name, "=", value]);
        };
        append("state", &state);
        append("nonce", &attempt.nonce());
        if party.pkce == Pkce::S256 && party.response.parts.code {
            let challenge = URL_SAFE_NO_PAD.encode(plain_sha256(attempt.verifier().as_bytes()));
            append("code_challenge", &challenge);
            append("code_challenge_method", "S256");
        }
        query
    }
}

/// A relying party's own tenant, and no other beside it.
fn tenant_of(wish: &Wish<'_>) -> Result<Option<ContextId>, Failed> {
    match (&wish.party.tenant, &wish.tenant) {
        (Some(own), Some(asked)) if own != asked => {
            let detail = format!("{} signs in to {own} alone, not to {asked}", wish.party.name);
            Err(Failed::new(Failure::BadRequest, detail))
        }
        (own, asked) => Ok(own.clone().or_else(|| asked.clone())),
    }
}

fn nobody() -> Failed {
    Failed::new(Failure::Misconfigured, "the relying party has nowhere to send people to")
}

/// The registered redirect URL, computed from the configured origin alone.
pub(super) fn redirect_url(at: Counter<'_>, party: &RelyingParty) -> String {
    format!("{}{}", at.host.origin.as_str(), party.redirect_path)
}

/// `superid.md` §1: `app_id`, and only what the configuration asks for besides.
fn legacy_login(
    at: Counter<'_>,
    (environment, party): (&Environment, &RelyingParty),
    legacy: &Legacy,
    tenant: Option<&ContextId>,
) -> String {
    let mut url = environment.legacy_login_url.clone();
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("app_id", &party.client_id);
        match legacy.redirect_parameter {
            RedirectParameter::None => {}
            RedirectParameter::RedirectUri => {
                query.append_pair("redirect_uri", &redirect_url(at, party));
            }
            RedirectParameter::RedirectUrl => {
                query.append_pair("redirect_url", &redirect_url(at, party));
            }
        }
        if let Some(tenant) = tenant {
            query.append_pair("ctx", tenant.as_str());
        }
    }
    url.into()
}

fn without_query(target: &ReturnTo) -> String {
    target.path().to_owned()
}

/// Some servers refuse a URL of more than 2,048 bytes; the address before it needs the rest.
const MOST_QUERY: usize = 1900;
