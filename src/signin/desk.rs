//! The sign-in desk: what every step of a sign-in needs at hand.

use std::sync::Arc;

use crate::clock::{Clock, Timestamp};
use crate::config::{Host, RefreshTokens, RelyingParty, Settings};
use crate::crypto::{KeyRing, Random};
use crate::identity::{Credential, Principal};
use crate::oidc::Providers;
use crate::redis_link::RedisLink;
use crate::session::{
    Given, Kind, Loaded, Memory, NotKept, Records, Refresh, Remembered, Revocations, SessionId,
    SessionState, Sessions, Source,
};
use crate::superid::{Refreshable, SuperId, VerifiedClaims};
use crate::telemetry::{Event, Metrics, Scene, Who};
use crate::web::{CookieAttributes, CookieNames, Cookies, Reply, ReturnTo};

use super::binding::Binding;
use super::consent::{Consent, Consents};
use super::failure::{Failed, Failure, Outcome};
use super::posts::Posts;
use super::queries::Queries;
use super::used::UsedTokens;

/// Shared by all sign-ins of the process; one for each configuration that is in force.
pub struct Desk {
    pub(super) superid: Arc<SuperId>,
    pub(super) providers: Arc<Providers>,
    pub(super) keys: KeyRing,
    pub(super) random: Random,
    pub(super) clock: Clock,
    /// Seconds that two clocks may differ.
    pub(super) leeway: u64,
    /// Seconds an attempt lives.
    pub(super) attempt_life: u64,
    /// Attempts that came back.
    pub(super) spent: Arc<Remembered>,
    /// Posted tokens that were taken.
    pub(super) used: UsedTokens,
    /// Claims that some route's rule reads, kept in the session.
    pub(super) kept_claims: Vec<String>,
    pub(super) metrics: Arc<Metrics>,
    /// How it asks for people to be signed in, for each relying party.
    pub(super) queries: Queries,
    /// What people were sending when they had to sign in.
    pub(super) posts: Posts,
    /// Who keeps system user tokens.
    consents: Arc<dyn Consents>,
}

/// Where a sign-in happens: one host, one browser's cookies.
#[derive(Clone, Copy)]
pub struct Counter<'a> {
    pub host: &'a Host,
    pub names: &'a CookieNames,
    pub sessions: &'a Sessions,
    pub cookies: Cookies<'a>,
    /// Where to record what becomes of it; `None` where nothing can.
    pub scene: Option<Scene<'a>>,
}

/// Who comes in, and with what.
pub(super) struct Entrant {
    pub principal: Principal,
    pub credential: Credential,
    /// What keeps the credential good, where there is something.
    pub refresh: Option<Refresh>,
    /// What their provider calls them, and its session; nothing where that ends no sessions.
    pub source: Option<Source>,
}

impl Entrant {
    /// Whose sign-in brought nothing to refresh.
    pub fn once(principal: Principal, credential: Credential) -> Self {
        Self { principal, credential, refresh: None, source: None }
    }

    /// Who can be asked for again with this, under the name they have there.
    pub fn again(
        self,
        refresh: Option<Refreshable>,
        (issuer, subject): (&str, &str),
        random: &Random,
    ) -> Self {
        let person = Refresh::person(issuer, subject);
        let given = |Refreshable { token, asked, until }| Given { token, asked, until };
        let refresh = refresh.map(|one| Refresh::fresh(given(one), person, random));
        Self { refresh, ..self }
    }
}

impl Desk {
    /// A desk for these settings. What `before` remembers of attempts and tokens is kept: a new
    /// configuration must not make them good once more.
    pub fn new(
        settings: &Settings,
        kept_claims: Vec<String>,
        (clock, random): (&Clock, &Random),
        (superid, providers): (Arc<SuperId>, Arc<Providers>),
        (consents, store): (Arc<dyn Consents>, Option<RedisLink>),
        metrics: Arc<Metrics>,
        before: Option<&Self>,
    ) -> Self {
        let memory = |kind| Arc::new(Remembered::new(settings.limits.spent_attempts, kind));
        let spent = before.map_or_else(|| memory(Kind::Spent), |desk| desk.spent.clone());
        Self {
            superid,
            providers,
            keys: settings.session.keys.clone(),
            random: random.clone(),
            clock: clock.clone(),
            leeway: settings.session.leeway,
            attempt_life: settings.session.attempt,
            posts: Posts {
                here: before.map_or_else(Arc::default, |desk| desk.posts.here.clone()),
                most: settings.limits.kept_posts,
                sent: spent.clone(),
                store: store.clone().filter(|_| settings.shares_kept_posts()),
            },
            spent,
            used: UsedTokens {
                here: before.map_or_else(|| memory(Kind::Used), |desk| desk.used.here.clone()),
                store: store.filter(|_| settings.shares_used_tokens()),
            },
            kept_claims,
            metrics,
            queries: Queries::of(&settings.relying_parties),
            consents,
        }
    }

    /// What is known of providers that are not SuperID.
    pub fn providers(&self) -> &Arc<Providers> {
        &self.providers
    }

    /// Hands a system user token over to whoever keeps them.
    pub(super) async fn keep(
        &self,
        at: Counter<'_>,
        party: &RelyingParty,
        consent: Option<Consent>,
    ) {
        if let Some(consent) = consent {
            self.consents.given(party, consent, at.scene).await;
        }
    }

    /// What has to be remembered, with the sessions that were ended.
    pub fn memory(&self, ended: Arc<Revocations>, records: Option<Arc<Records>>) -> Memory {
        Memory { ended, spent: self.spent.clone(), used: self.used.here.clone(), records }
    }

    /// Makes the session and sends the browser back to where it wanted to go.
    pub(super) async fn admit(
        &self,
        at: Counter<'_>,
        binding: Binding,
        party: &RelyingParty,
        who: Entrant,
        target: &ReturnTo,
    ) -> Outcome {
        let now = self.clock.now();
        let presented = matches!(who.credential, Credential::Ticket(_)).then_some(now);
        let state = SessionState {
            id: SessionId::fresh(&self.random),
            relying_party: party.name.clone(),
            bond: party.bond,
            principal: who.principal,
            credential: who.credential,
            source: who.source.unwrap_or_else(|| Source::of(party.authority.name())),
            signed_in: now,
            seen: now,
            keys: Vec::new(),
            refresh: who.refresh.filter(|_| party.refresh_tokens != RefreshTokens::Ignore),
            presented,
        };
        let mut made = at.sessions.make(&state, &self.random, at.cookies).await;
        if matches!(made, Err(NotKept::TooLong(_))) && state.refresh.is_some() {
            // A session that ends with its access token is better than none.
            let without = SessionState { refresh: None, ..state.clone() };
            made = at.sessions.make(&without, &self.random, at.cookies).await;
        }
        let made = made.map_err(|why| not_kept(&why).again(target.clone()))?;
        let mut binding = binding;
        binding.completed(&party.name, now);
        self.metrics.sessions().signed_in();
        self.metrics.sessions().evicted(made.evicted);
        if let Some(scene) = at.scene {
            let who = Who::is(&state.principal);
            scene.record(Event::SignedIn { who, relying_party: &party.name });
        }
        Ok(Reply::redirect(&target.on(&at.host.origin))
            .with_cookies(made.cookies)
            .with_cookies([self.bind(at, &binding)]))
    }

    /// The binding cookie of this browser.
    pub(super) fn bind(&self, at: Counter<'_>, binding: &Binding) -> http::HeaderValue {
        self.bind_by(at, binding, &self.random)
    }

    /// The same, sealed with bytes of `random`.
    pub(super) fn bind_by(
        &self,
        at: Counter<'_>,
        binding: &Binding,
        random: &Random,
    ) -> http::HeaderValue {
        binding.cookie(at.names, &at.host.origin, &self.keys, random, at.attributes())
    }

    /// What ties this browser's attempts to it, if its cookie opens.
    pub(super) fn binding(&self, at: Counter<'_>) -> Option<Binding> {
        Binding::read(at.names, &at.host.origin, &self.keys, at.cookies)
    }

    /// Spends an attempt or a hand-over: once, however many ask at the same time.
    pub(super) fn spend(&self, id: &[u8; 16], until: Timestamp) -> Result<(), Failed> {
        match self.spent.first(id, until, self.clock.now()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failed::new(Failure::AlreadyUsed, "finished before")),
            Err(full) => Err(Failed::new(Failure::TooBusy, full.to_string())),
        }
    }

    /// Takes a token that nothing else keeps from being used twice.
    pub(super) async fn take_once(&self, claims: &VerifiedClaims) -> Result<(), Failed> {
        self.take_first(claims.digest(), claims.expires()).await
    }

    /// The same, for a token of this digest that is refused from then on.
    pub(super) async fn take_first(
        &self,
        digest: [u8; 32],
        until: Timestamp,
    ) -> Result<(), Failed> {
        self.used.take_once((digest, until), self.clock.now(), &self.random).await
    }

    /// Whether this browser has a living session.
    pub(super) async fn is_signed_in(&self, at: Counter<'_>) -> bool {
        matches!(at.sessions.ask(at.cookies, self.clock.now()).await, Loaded::Live(_))
    }

    /// Whether an attempt begun then is still good.
    pub(super) fn is_alive(&self, begun: Timestamp) -> bool {
        self.clock.now().since(begun) <= self.attempt_life
    }
}

fn not_kept(why: &NotKept) -> Failed {
    let failure = match why {
        NotKept::TooLong(_) => Failure::Internal,
        NotKept::Unavailable(_) => Failure::StoreUnavailable,
    };
    Failed::new(failure, format!("the session was not kept: {why}"))
}

impl<'a> Counter<'a> {
    /// With where to record what becomes of it.
    pub fn seen(self, scene: Scene<'a>) -> Self {
        Self { scene: Some(scene), ..self }
    }
}

impl Counter<'_> {
    /// Attributes of every cookie but the session's: lax, and open to frames where that is.
    pub(super) fn attributes(&self) -> CookieAttributes {
        match self.sessions.attributes() {
            framed @ CookieAttributes { same_site: "None", .. } => framed,
            _ => CookieAttributes::lax(&self.host.origin),
        }
    }

    /// What is sealed in with a cookie's value: it opens under this name on this origin only.
    pub(super) fn context(&self, name: &str) -> Vec<u8> {
        format!("{name}\n{}", self.host.origin).into_bytes()
    }

    /// The address of one of our own pages on this host.
    pub(super) fn own(&self, page: &str) -> String {
        format!("{}{}/{page}", self.host.origin.as_str(), self.host.prefix)
    }
}
