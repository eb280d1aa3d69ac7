//! Every provider the configuration names, as the sign-in desk sees them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::back_channel::{BackChannel, Transport};
use crate::clock::Clock;
use crate::config::{
    ClientAuthentication, Membership, Provider, PushedRequests, RelyingParty, Settings, UserInfo,
};
use crate::crypto::{Authorities, ClientIdentity, Random};
use crate::identity::{Principal, RefreshToken};
use crate::superid::{
    AnswerGarbled, ClaimsRefused, CodeGrant, Counted, ErrorCode, Nonce, NotRevoked, Outage,
    RefreshFailed, Refreshable, Refreshed, UnverifiedToken,
};
use crate::telemetry::SuperIdCalls;

use super::admission;
use super::client_proof::Proving;
use super::document::{Answers, Document};
use super::failure::ProviderFailed;
use super::id_token::{self, Beside, Rules};
use super::known::Known;
use super::logout_token::{self, Farewell};
use super::pushed;
use super::tokens::{self, Tokens};
use super::userinfo::{self, Judged};
use super::vouched::Vouched;

/// The providers of all relying parties.
pub struct Providers {
    clock: Clock,
    leeway: u64,
    members: HashMap<String, Member>,
    random: Random,
}

/// One registration of ours with a provider.
struct Member {
    membership: Arc<Membership>,
    known: Arc<Known>,
    /// What shows our certificate, where we prove ourselves by one.
    channel: Arc<Counted>,
}

/// What a redeemed code brought.
#[derive(Clone, Debug)]
pub struct Redeemed {
    pub vouched: Vouched,
    /// What tokens can be had anew with; most providers send it only where `offline_access` was asked
    /// for (OpenID Connect Core §11).
    pub refresh: Option<Refreshable>,
}

/// Whom an answer to the browser says it is from: its `iss` parameter (RFC 9207 §2).
#[derive(Clone, Copy, Debug)]
pub struct Answerer<'a>(pub Option<&'a str>);

/// A token that came through the browser, and what came with it.
#[derive(Clone, Copy)]
pub struct FrontChannel<'a> {
    pub id_token: &'a str,
    /// The nonce that was sent.
    pub nonce: &'a str,
    pub code: Option<&'a str>,
    pub access_token: Option<&'a str>,
}

impl Providers {
    /// Nothing is fetched yet. What `before` knows of a provider that is as it was is kept.
    pub fn new(
        settings: &Settings,
        (clock, random): (&Clock, &Random),
        counters: &SuperIdCalls,
        before: Option<&Self>,
    ) -> Self {
        let timeout = settings.limits.superid_timeout;
        let mut known: HashMap<&str, Arc<Known>> = HashMap::new();
        let mut members = HashMap::new();
        for party in &settings.relying_parties {
            let Some(membership) = party.membership() else { continue };
            let provider = &membership.provider;
            let same = || before.and_then(|before| before.known_of(provider));
            let fresh = || {
                let channel = Counted::over(channel(provider, None, timeout), counters);
                Arc::new(Known::new(provider, Arc::new(channel), clock.clone()))
            };
            let known = known.entry(&provider.name).or_insert_with(|| same().unwrap_or_else(fresh));
            let channel = match &membership.client {
                ClientAuthentication::Certificate(identity) => {
                    let channel = channel(provider, Some(identity), timeout);
                    Arc::new(Counted::over(channel, counters))
                }
                _ => known.channel.clone(),
            };
            let (membership, known) = (membership.clone(), known.clone());
            members.insert(party.name.clone(), Member { membership, known, channel });
        }
        let (clock, random) = (clock.clone(), random.clone());
        Self { clock, leeway: settings.session.leeway, members, random }
    }

    /// Has the provider's addresses at hand.
    ///
    /// # Errors
    /// [`ProviderFailed`] where they are not known and cannot be had.
    pub async fn ready(&self, party: &RelyingParty) -> Result<(), ProviderFailed> {
        self.member(party)?.known.document().await.map(drop)
    }

    /// Where people of a relying party sign in, as far as that is known.
    pub fn authorize_endpoint(&self, party: &RelyingParty) -> Option<Url> {
        Some(self.members.get(&party.name)?.known.known_document()?.authorize.clone())
    }

    /// Where people are signed out of the provider and come back from, as far as that is known
    /// (OpenID Connect RP-Initiated Logout §2).
    pub fn end_session(&self, party: &RelyingParty, back: &str) -> Option<Url> {
        let document = self.members.get(&party.name)?.known.known_document()?;
        let mut url = document.end_session.clone()?;
        url.query_pairs_mut()
            .append_pair("client_id", &party.client_id)
            .append_pair("post_logout_redirect_uri", back);
        Some(url)
    }

    /// The query of an authorize address, or what stands for it where requests are pushed.
    ///
    /// # Errors
    /// [`ProviderFailed`] when the provider does not take it.
    pub async fn pushed(
        &self,
        party: &RelyingParty,
        query: String,
    ) -> Result<String, ProviderFailed> {
        let member = self.member(party)?;
        if member.membership.provider.asking.pushed_requests == PushedRequests::Off {
            return Ok(query);
        }
        let document = member.known.document().await?;
        let alias = document.by_certificate.pushed_request.as_ref();
        let url = member.address(alias, document.pushed_request.as_ref());
        let url = url.ok_or(ProviderFailed::NotTheProvider("it takes no pushed requests"))?;
        let proving = self.proving(party, member);
        pushed::push(&member.channel, (url, &member.membership.client), proving, &query).await
    }

    /// Whether an answer comes from the provider that was asked, as far as it says (RFC 9207 §2.4):
    /// what it names must be the issuer, and it must name one where the provider promised to.
    ///
    /// # Errors
    /// [`ProviderFailed`] when it does not.
    pub async fn check_answerer(
        &self,
        party: &RelyingParty,
        answerer: Answerer<'_>,
    ) -> Result<(), ProviderFailed> {
        let member = self.member(party)?;
        let right = match answerer.0 {
            Some(issuer) => member.membership.provider.may_issue_as(issuer),
            None => member.known.document().await?.answers == Answers::MayNameTheIssuer,
        };
        if right { Ok(()) } else { Err(ClaimsRefused::WrongIssuerAnswered.into()) }
    }

    /// Redeems a code, verifies the id_token that came back, and asks for more about the person
    /// where that is configured.
    ///
    /// # Errors
    /// [`ProviderFailed`] says whose fault it is. The code is spent either way.
    pub async fn redeem(
        &self,
        party: &RelyingParty,
        grant: CodeGrant<'_>,
    ) -> Result<Redeemed, ProviderFailed> {
        let member = self.member(party)?;
        let document = member.known.document().await?;
        let asked = self.clock.now();
        let at = (token_endpoint(member, &document), &member.membership.client);
        let tokens =
            tokens::redeem(&member.channel, at, self.proving(party, member), &grant).await?;
        let about = (Nonce::Sent(grant.nonce), Beside::BackChannel(grant.code));
        let vouched = self.told(party, &document, &tokens, about).await?;
        let vouched = vouched.ok_or_else(|| Outage::from(AnswerGarbled::IdToken))?;
        let until = asked.plus(tokens.expires_in);
        let refresh = tokens.refresh_token.map(|token| Refreshable { token, asked, until });
        Ok(Redeemed { vouched, refresh })
    }

    /// Has tokens anew for a refresh token, and whom the new id_token is about, where one came. Whether
    /// that is the same person, is the caller's to compare (OpenID Connect Core §12.2).
    ///
    /// # Errors
    /// [`RefreshFailed`] says whether the refresh token may still be good.
    pub async fn refresh(
        &self,
        party: &RelyingParty,
        token: &RefreshToken,
    ) -> Result<Refreshed<Vouched>, RefreshFailed<ProviderFailed>> {
        let member = self.member(party).map_err(RefreshFailed::before)?;
        let document = member.known.document().await.map_err(RefreshFailed::before)?;
        let asked = self.clock.now();
        let at = (token_endpoint(member, &document), &member.membership.client);
        let proving = self.proving(party, member);
        let tokens = tokens::refresh(&member.channel, at, proving, token).await;
        let tokens = tokens.map_err(RefreshFailed::before)?;
        let told = self.told(party, &document, &tokens, (Nonce::NotAsked, Beside::Nothing)).await;
        let rotated = tokens.refresh_token;
        let until = asked.plus(tokens.expires_in);
        match told {
            Ok(who) => Ok(Refreshed { who, rotated, asked, until }),
            Err(why) => Err(RefreshFailed { why, rotated }),
        }
    }

    /// Tells the provider that a refresh token is wanted no more (RFC 7009 §2.1).
    ///
    /// # Errors
    /// [`NotRevoked`]; then it may still be good.
    pub async fn revoke(
        &self,
        party: &RelyingParty,
        token: &RefreshToken,
    ) -> Result<(), NotRevoked> {
        let member = self.member(party).map_err(|_gone| NotRevoked::NotOffered)?;
        let document = member.known.document().await.map_err(tokens::unanswered)?;
        let alias = document.by_certificate.revocation.as_ref();
        let url = member.address(alias, document.revocation.as_ref());
        let at = (url.ok_or(NotRevoked::NotOffered)?, &member.membership.client);
        tokens::revoke(&member.channel, at, self.proving(party, member), token).await
    }

    /// Whom tokens are about: the id_token verified, and more asked for where that is configured.
    async fn told(
        &self,
        party: &RelyingParty,
        document: &Document,
        tokens: &Tokens,
        (nonce, code): (Nonce<'_>, Beside<'_>),
    ) -> Result<Option<Vouched>, ProviderFailed> {
        let member = self.member(party)?;
        let provider = &member.membership.provider;
        let Some(id_token) = &tokens.id_token else { return Ok(None) };
        let rules = Rules {
            provider,
            client_id: &party.client_id,
            nonce,
            code,
            access_token: match &tokens.access_token {
                Some(token) => Beside::BackChannel(token.reveal()),
                None => Beside::Nothing,
            },
            leeway: self.leeway,
            now: self.clock.now(),
        };
        let mut vouched = self.verified(member, document, id_token.reveal(), rules).await?;
        if provider.asking.userinfo == UserInfo::Asked {
            let alias = document.by_certificate.userinfo.as_ref();
            let url = member.address(alias, document.userinfo.as_ref());
            let missing =
                ProviderFailed::NotTheProvider("it has no userinfo, or gave no token for it");
            let (Some(url), Some(token)) = (url, &tokens.access_token) else { return Err(missing) };
            let judged = Judged {
                provider,
                client_id: &party.client_id,
                keys: &member.known.keys(document),
                leeway: self.leeway,
                now: self.clock.now(),
            };
            userinfo::ask(&member.channel, url, token, judged, &mut vouched).await?;
        }
        Ok(Some(vouched))
    }

    /// Verifies an id_token that came through the browser: it must name by its hash whatever came with
    /// it. Whether it was used before is the caller's to know.
    ///
    /// # Errors
    /// [`ProviderFailed`] says whose fault it is.
    pub async fn verify_front_channel(
        &self,
        party: &RelyingParty,
        came: FrontChannel<'_>,
    ) -> Result<Vouched, ProviderFailed> {
        let member = self.member(party)?;
        let document = member.known.document().await?;
        let beside = |text: Option<_>| text.map_or(Beside::Nothing, Beside::FrontChannel);
        let rules = Rules {
            provider: &member.membership.provider,
            client_id: &party.client_id,
            nonce: Nonce::Sent(came.nonce),
            code: beside(came.code),
            access_token: beside(came.access_token),
            leeway: self.leeway,
            now: self.clock.now(),
        };
        self.verified(member, &document, came.id_token, rules).await
    }

    /// Verifies a token by which the provider ends sessions. Whether it was used before is the caller's
    /// to know.
    ///
    /// # Errors
    /// [`ProviderFailed`] says whose fault it is.
    pub async fn verify_logout(
        &self,
        party: &RelyingParty,
        token: &str,
    ) -> Result<Farewell, ProviderFailed> {
        let member = self.member(party)?;
        let provider = &member.membership.provider;
        let token = UnverifiedToken::parse_logout(token, &provider.algorithms)?;
        let document = member.known.document().await?;
        let keys = member.known.keys(&document).keys_for(token.key()).await?;
        let (leeway, now) = (self.leeway, self.clock.now());
        let rules = logout_token::Rules { provider, client_id: &party.client_id, leeway, now };
        Ok(logout_token::check(&token, &keys, &rules)?)
    }

    /// Who somebody is to the apps, with those of their claims that are named.
    ///
    /// # Errors
    /// [`ProviderFailed::NotLetIn`] when nothing here names them.
    pub fn admit(
        &self,
        party: &RelyingParty,
        vouched: &Vouched,
        kept_claims: &[String],
    ) -> Result<Principal, ProviderFailed> {
        admission::admit(&self.member(party)?.membership, vouched, kept_claims)
    }

    async fn verified(
        &self,
        member: &Member,
        document: &Document,
        token: &str,
        rules: Rules<'_>,
    ) -> Result<Vouched, ProviderFailed> {
        let token = UnverifiedToken::parse_under(token, &rules.provider.algorithms)?;
        let keys = member.known.keys(document).keys_for(token.key()).await?;
        Ok(id_token::check(&token, &keys, &rules)?)
    }

    fn proving<'a>(&'a self, party: &'a RelyingParty, member: &'a Member) -> Proving<'a> {
        Proving {
            client_id: &party.client_id,
            audience: member.membership.provider.audience(),
            now: self.clock.now(),
            random: &self.random,
        }
    }

    fn member(&self, party: &RelyingParty) -> Result<&Member, ProviderFailed> {
        let nobody = || ProviderFailed::Misconfigured { error: ErrorCode::of("no_such_provider") };
        self.members.get(&party.name).ok_or_else(nobody)
    }

    fn known_of(&self, provider: &Arc<Provider>) -> Option<Arc<Known>> {
        let mut all = self.members.values();
        all.find(|member| member.known.provider == *provider).map(|member| member.known.clone())
    }
}

/// Where tokens are had: of those who show a certificate, elsewhere if it says so.
fn token_endpoint<'d>(member: &Member, document: &'d Document) -> &'d Url {
    let alias = document.by_certificate.token.as_ref();
    member.address(alias, Some(&document.token)).unwrap_or(&document.token)
}

impl Member {
    /// The address for who shows a certificate, or the one for everybody.
    fn address<'u>(&self, alias: Option<&'u Url>, plain: Option<&'u Url>) -> Option<&'u Url> {
        match self.membership.client {
            ClientAuthentication::Certificate(_) => alias.or(plain),
            _ => plain,
        }
    }
}

fn channel(
    provider: &Provider,
    identity: Option<&ClientIdentity>,
    timeout: Duration,
) -> BackChannel {
    match (&provider.authorities, identity) {
        (None, None) => BackChannel::new(timeout, transport(provider)),
        (Some(authorities), identity) => BackChannel::showing(timeout, authorities, identity),
        (None, identity) => {
            BackChannel::showing(timeout, &Authorities::of_this_machine(), identity)
        }
    }
}

fn transport(provider: &Provider) -> Transport {
    let pins = &provider.pins;
    let pinned = [&pins.token, &pins.keys, &pins.userinfo, &pins.pushed_request];
    let addresses = pinned.into_iter().chain([&provider.discovery_url]).flatten();
    let secure = addresses.into_iter().any(|url| url.scheme() == "https");
    match secure || provider.issuer.starts_with("https:") {
        true => Transport::Tls,
        false => Transport::Plain,
    }
}
