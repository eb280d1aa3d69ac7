//! SuperID as the rest of the gateway sees it: codes and posted tokens in, verified claims out.

use std::collections::HashMap;
use std::sync::Arc;

use url::Url;

use crate::back_channel::Transport;
use crate::clock::Clock;
use crate::config::{Environment, Flow, RelyingParty, Settings};
use crate::crypto::RsaPublic;
use crate::identity::{ContextId, Credential, RefreshToken, SystemUserToken};
use crate::saml::{Profile, SamlRefused, SamlRules};
use crate::telemetry::SuperIdCalls;

use super::claims::VerifiedClaims;
use super::counted::Counted;
use super::failure::{ClaimsRefused, ErrorCode, SignInFailed};
use super::jwt::UnverifiedToken;
use super::key_hint::KeyHint;
use super::key_store::KeyStore;
use super::legacy_saml::AssertionRules;
use super::refreshed::{RefreshFailed, Refreshable, Refreshed};
use super::revocation::{self, NotRevoked};
use super::serials::Serials;
use super::system_user::BoughtTicket;
use super::tenant_change::{NoticeRefused, NoticeRules, TenantNotice, UnverifiedNotice};
use super::tenant_state::{StateFailed, TenantState};
use super::ticket_refused::TicketRefused;
use super::token_endpoint::{self, CodeGrant};
use super::verify::{Hashed, Nonce};
use super::{legacy, legacy_saml, system_user, tenant_state, verify};

/// Every SuperID the configuration names.
pub struct SuperId {
    back_channel: Arc<Counted>,
    clock: Clock,
    /// For what nobody signs in by: tickets and tenants' states, hundreds at once after a start.
    errands: Counted,
    issuers: HashMap<Url, Arc<Issuer>>,
    leeway: u64,
}

/// What a redeemed code brought.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub claims: VerifiedClaims,
    /// A bearer token, dead `expires_in` seconds after SuperID was asked.
    pub credential: Credential,
    /// What tokens can be had anew with.
    pub refresh: Option<Refreshable>,
}

/// An id_token as the browser brought it, and what the sign-in it ends began with.
#[derive(Clone, Copy)]
pub struct FrontToken<'a> {
    pub id_token: &'a str,
    /// The code beside it.
    pub code: Option<&'a str>,
    /// The access token beside it.
    pub access_token: Option<&'a str>,
    /// The nonce that was sent.
    pub nonce: &'a str,
    /// The tenant that was asked for, which must be the one signed in to.
    pub tenant: Option<&'a ContextId>,
}

impl SuperId {
    /// Nothing is fetched yet: the first sign-in does that. What `before` knows of a SuperID that
    /// is still named, its keys and the serials it told, is kept.
    pub fn new(
        settings: &Settings,
        clock: Clock,
        counters: &SuperIdCalls,
        before: Option<&Self>,
    ) -> Self {
        let environments = settings
            .relying_parties
            .iter()
            .filter_map(|party| party.environment().map(|one| &**one));
        let back_channel = Arc::new(Counted::new(
            settings.limits.superid_timeout,
            transport(environments.clone()),
            counters,
        ));
        let known = |url: &Url| before.and_then(|before| before.issuers.get(url)).cloned();
        let issuers = environments
            .map(|environment| environment.jwks_url.clone())
            .map(|url| {
                let issuer = known(&url)
                    .unwrap_or_else(|| Arc::new(Issuer::new(url.clone(), &back_channel, &clock)));
                (url, issuer)
            })
            .collect();
        let errands = back_channel.beside();
        Self { back_channel, clock, errands, issuers, leeway: settings.session.leeway }
    }

    /// Redeems a code, verifies the id_token that came back, and learns the tenant's serial.
    ///
    /// # Errors
    /// [`SignInFailed`] says whose fault it is. The code is spent either way.
    pub async fn redeem(
        &self,
        party: &RelyingParty,
        grant: CodeGrant<'_>,
    ) -> Result<SignedIn, SignInFailed> {
        let (environment, issuer) = self.sign_in_issuer(party)?;
        let asked = self.clock.now();
        let tokens =
            token_endpoint::redeem(&self.back_channel, (environment, party), &grant).await?;
        let token = UnverifiedToken::parse(tokens.id_token.reveal())?;
        let keys = issuer.keys.keys_for(token.key()).await.map_err(SignInFailed::Outage)?;
        let rules = verify::IdTokenRules {
            access_token: Hashed::IfStated(tokens.access_token.reveal()),
            addresses: &environment.addresses,
            client_id: &party.client_id,
            code: Hashed::IfStated(grant.code),
            issuer: &environment.issuer,
            leeway: self.leeway,
            nonce: Nonce::Sent(grant.nonce),
            now: self.clock.now(),
            tenant: grant.tenant,
        };
        let claims = verify::check(&token, &keys, &rules)?;
        if let Some(serial) = claims.serial() {
            issuer.serials.learn(claims.context(), serial);
        }
        let until = asked.plus(tokens.expires_in);
        let credential = Credential::Bearer { token: tokens.access_token, until };
        let claims = of_own_tenant(party, claims)?;
        let refresh = tokens.refresh_token.map(|token| Refreshable { token, asked, until });
        Ok(SignedIn { claims, credential, refresh })
    }

    /// Has tokens anew for a refresh token, and verifies the id_token among them: SuperID sends one
    /// each time (`superid.md` §4). Whose it is, is the caller's to compare.
    ///
    /// # Errors
    /// [`RefreshFailed`] says whether the refresh token may still be good.
    pub async fn refresh(
        &self,
        party: &RelyingParty,
        token: &RefreshToken,
    ) -> Result<Refreshed<SignedIn>, RefreshFailed<SignInFailed>> {
        let (environment, issuer) = self.sign_in_issuer(party).map_err(RefreshFailed::before)?;
        let asked = self.clock.now();
        let tokens = token_endpoint::refresh(&self.errands, (environment, party), token).await;
        let tokens = tokens.map_err(RefreshFailed::before)?;
        let kept = tokens.refresh_token.clone();
        let after = |why| RefreshFailed { why, rotated: kept.clone() };
        let unverified = UnverifiedToken::parse(tokens.id_token.reveal());
        let unverified = unverified.map_err(|why| after(why.into()))?;
        let keys = issuer.keys.keys_for(unverified.key()).await;
        let keys = keys.map_err(|why| after(SignInFailed::Outage(why)))?;
        let rules = verify::IdTokenRules {
            access_token: Hashed::IfStated(tokens.access_token.reveal()),
            addresses: &environment.addresses,
            client_id: &party.client_id,
            code: Hashed::Nothing,
            issuer: &environment.issuer,
            leeway: self.leeway,
            nonce: Nonce::NotAsked,
            now: self.clock.now(),
            tenant: None,
        };
        let claims = verify::check(&unverified, &keys, &rules);
        let claims = claims.and_then(|claims| of_own_tenant(party, claims));
        let claims = claims.map_err(|why| after(why.into()))?;
        if let Some(serial) = claims.serial() {
            issuer.serials.learn(claims.context(), serial);
        }
        let until = asked.plus(tokens.expires_in);
        let credential = Credential::Bearer { token: tokens.access_token, until };
        let who = SignedIn { claims, credential, refresh: None };
        Ok(Refreshed { who: Some(who), rotated: tokens.refresh_token, asked, until })
    }

    /// Tells SuperID that a refresh token is wanted no more.
    ///
    /// # Errors
    /// [`NotRevoked`]; then it may still be good.
    pub async fn revoke(
        &self,
        party: &RelyingParty,
        token: &RefreshToken,
    ) -> Result<(), NotRevoked> {
        revocation::revoke(&self.errands, party, token).await
    }

    /// Verifies an id_token that came through the browser, and learns the tenant's serial. Whether it
    /// was used before is the caller's to know.
    ///
    /// # Errors
    /// [`SignInFailed`] says whose fault it is.
    pub async fn verify_front(
        &self,
        party: &RelyingParty,
        front: FrontToken<'_>,
    ) -> Result<VerifiedClaims, SignInFailed> {
        let (environment, issuer) = self.sign_in_issuer(party)?;
        let token = UnverifiedToken::parse(front.id_token)?;
        let keys = issuer.keys.keys_for(token.key()).await.map_err(SignInFailed::Outage)?;
        let stated = |what: Option<_>| what.map_or(Hashed::Nothing, Hashed::Stated);
        let rules = verify::IdTokenRules {
            access_token: stated(front.access_token),
            addresses: &environment.addresses,
            client_id: &party.client_id,
            code: stated(front.code),
            issuer: &environment.issuer,
            leeway: self.leeway,
            nonce: Nonce::Sent(front.nonce),
            now: self.clock.now(),
            tenant: front.tenant,
        };
        let claims = of_own_tenant(party, verify::check(&token, &keys, &rules)?)?;
        if let Some(serial) = claims.serial() {
            issuer.serials.learn(claims.context(), serial);
        }
        Ok(claims)
    }

    /// Verifies a JWT that was posted to the callback of a relying party with the legacy flow.
    /// Whether it was used before is the caller's to know.
    ///
    /// # Errors
    /// [`SignInFailed`] says whose fault it is.
    pub async fn verify_posted(
        &self,
        party: &RelyingParty,
        token: &str,
    ) -> Result<VerifiedClaims, SignInFailed> {
        let Flow::Legacy(settings) = &party.flow else {
            return Err(ClaimsRefused::LegacyOff.into());
        };
        let (environment, issuer) = self.sign_in_issuer(party)?;
        let token = UnverifiedToken::parse(token)?;
        let keys = issuer.keys.keys_for(token.key()).await.map_err(SignInFailed::Outage)?;
        let serial = |context: &ContextId| {
            settings.serials.get(context).cloned().or_else(|| issuer.serials.of(context))
        };
        let rules = legacy::LegacyRules {
            addresses: &environment.addresses,
            issuer: &environment.legacy_issuer,
            leeway: self.leeway,
            now: self.clock.now(),
            serial: &serial,
        };
        let claims = legacy::check(&token, &keys, &rules)?;
        Ok(of_own_tenant(party, claims)?)
    }

    /// Verifies a SAML assertion that was posted to this address, the callback of a relying party
    /// with the legacy flow. Whether it was used before is the caller's to know.
    ///
    /// # Errors
    /// [`SignInFailed`] says whose fault it is.
    pub async fn verify_saml(
        &self,
        party: &RelyingParty,
        field: &str,
        recipient: &str,
    ) -> Result<VerifiedClaims, SignInFailed> {
        let Flow::Legacy(settings) = &party.flow else {
            return Err(ClaimsRefused::LegacyOff.into());
        };
        let (environment, issuer) = self.sign_in_issuer(party)?;
        let serial = |context: &ContextId| {
            settings.serials.get(context).cloned().or_else(|| issuer.serials.of(context))
        };
        let check = |keys: &[RsaPublic]| {
            let saml = SamlRules {
                in_response_to: None,
                issuer: &environment.legacy_issuer,
                keys,
                leeway: self.leeway,
                now: self.clock.now(),
                profile: Profile::WebSso,
                recipient,
                recipient_rule: settings.saml.recipient,
                sha1: settings.saml.sha1,
            };
            let addresses = &environment.addresses;
            let audience = settings.saml.audience.as_deref();
            legacy_saml::check(
                field,
                &AssertionRules { addresses, audience, saml, serial: &serial },
            )
        };
        let claims = match settings.saml.keys.as_slice() {
            [] => issuer.by_any_key(check).await?,
            configured => check(configured)?,
        };
        Ok(of_own_tenant(party, claims)?)
    }

    /// Buys a ticket of a tenant's system user: signs its token, has SuperID exchange it, and believes
    /// the answer only after all of it was verified. SuperID writes each ticket down at the tenant, so
    /// whoever calls this keeps it (`superid.md` §5).
    ///
    /// `serial` is the tenant's serial number as it was learnt with the token.
    ///
    /// # Errors
    /// [`TicketRefused`] says whose fault it is.
    pub async fn buy_ticket(
        &self,
        party: &RelyingParty,
        tenant: &ContextId,
        serial: &str,
        token: &SystemUserToken,
    ) -> Result<BoughtTicket, TicketRefused> {
        let environment = party.environment().ok_or(TicketRefused::NotConfigured)?;
        let issuer = self.issuer(environment).ok_or(TicketRefused::NotConfigured)?;
        let asked = self.clock.now();
        let jwt = system_user::exchange(&self.errands, party, tenant, token, asked).await?;
        let token = UnverifiedToken::parse(jwt.reveal())?;
        let keys = issuer.keys.keys_for(token.key()).await.map_err(TicketRefused::Outage)?;
        let rules = system_user::TicketRules {
            addresses: &environment.addresses,
            asked,
            issuer: &environment.legacy_issuer,
            leeway: self.leeway,
            now: self.clock.now(),
            serial,
            tenant,
        };
        Ok(system_user::check(&token, &keys, &rules)?)
    }

    /// Asks where a tenant lives and how it is.
    ///
    /// # Errors
    /// [`StateFailed`] when SuperID could not be asked, or its answer is not believed.
    pub async fn tenant_state(
        &self,
        environment: &Environment,
        tenant: &ContextId,
    ) -> Result<TenantState, StateFailed> {
        tenant_state::ask(&self.errands, environment, tenant).await
    }

    /// Verifies a state-change notice. Whether its token was used before is the caller's to know.
    ///
    /// # Errors
    /// [`NoticeRefused`] when it says nothing.
    pub async fn verify_notice(
        &self,
        environment: &Environment,
        body: &[u8],
    ) -> Result<TenantNotice, NoticeRefused> {
        let issuer = self.issuer(environment).ok_or(NoticeRefused::NotConfigured)?;
        let notice = UnverifiedNotice::parse(body)?;
        let token = notice.token()?;
        let keys = issuer.keys.keys_for(token.key()).await.map_err(NoticeRefused::Outage)?;
        let rules = NoticeRules {
            issuer: &environment.legacy_issuer,
            leeway: self.leeway,
            now: self.clock.now(),
        };
        notice.check(&token, &keys, &rules)
    }

    fn issuer(&self, environment: &Environment) -> Option<&Issuer> {
        self.issuers.get(&environment.jwks_url).map(|issuer| &**issuer)
    }

    fn sign_in_issuer<'p>(
        &self,
        party: &'p RelyingParty,
    ) -> Result<(&'p Environment, &Issuer), SignInFailed> {
        party
            .environment()
            .and_then(|environment| Some((&**environment, self.issuer(environment)?)))
            .ok_or_else(|| SignInFailed::Misconfigured { error: ErrorCode::of("no_such_issuer") })
    }
}

/// What is known of one environment, by where its keys are. A serial is believed only where the
/// id_token that told it came from: numbers of two environments may be the same.
struct Issuer {
    keys: KeyStore,
    serials: Serials,
}

impl Issuer {
    fn new(url: Url, back_channel: &Arc<Counted>, clock: &Clock) -> Self {
        let keys = KeyStore::new(url, back_channel.clone(), clock.clone());
        Self { keys, serials: Serials::default() }
    }

    /// A verdict by the keys that are known, and once more by those that were fetched anew when none
    /// of them made the signature: an assertion names no key that would be believed.
    async fn by_any_key(
        &self,
        check: impl Fn(&[RsaPublic]) -> Result<VerifiedClaims, ClaimsRefused>,
    ) -> Result<VerifiedClaims, SignInFailed> {
        let keys = self.keys.keys_for(&KeyHint::Any).await.map_err(SignInFailed::Outage)?;
        match check(&keys.all()) {
            Err(ClaimsRefused::Saml(SamlRefused::Signature)) => {
                let keys = self.keys.other_than(&keys).await.map_err(SignInFailed::Outage)?;
                Ok(check(&keys.all())?)
            }
            verdict => Ok(verdict?),
        }
    }
}

/// A relying party for one tenant takes nobody else, whatever was asked for.
fn of_own_tenant(
    party: &RelyingParty,
    claims: VerifiedClaims,
) -> Result<VerifiedClaims, ClaimsRefused> {
    let own = party.tenant.as_ref().is_none_or(|tenant| tenant == claims.context());
    verify::require(own, ClaimsRefused::WrongTenant).map(|()| claims)
}

fn transport<'a>(mut environments: impl Iterator<Item = &'a Environment>) -> Transport {
    let secure = |url: &Url| url.scheme() == "https";
    let optional = |url: &Option<Url>| url.as_ref().is_some_and(secure);
    let state = |one: &Environment| {
        one.tenant_state_url.as_ref().is_some_and(|template| template.starts_with("https:"))
    };
    if environments.any(|one| {
        secure(&one.token_url)
            || secure(&one.jwks_url)
            || optional(&one.revocation_url)
            || optional(&one.system_user_url)
            || optional(&one.system_user_soap_url)
            || state(one)
    }) {
        Transport::Tls
    } else {
        Transport::Plain
    }
}
