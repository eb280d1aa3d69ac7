//! A configuration in force: everything a request needs, immutable, taken once at its birth.

use std::cell::OnceCell;
use std::sync::Arc;

use form_urlencoded::Serializer;
use http::{HeaderName, HeaderValue, header, request};

use crate::assertion::Signer;
use crate::authn::Authenticator;
use crate::clock::Clock;
use crate::config::{
    Access, AllowedAddresses, Destination, Host, JobListener, Present, RelyingParty, Route,
    Session, Settings,
};
use crate::credentials::{Refresher, Stores, SystemUsers};
use crate::crypto::{Authorities, Random, named};
use crate::limits::{LineBounds, Lines};
use crate::oidc::Providers;
use crate::routing::Table;
use crate::session::{Directory, Lifetimes, Memory, Newer, Revocations, Sessions, Store};
use crate::signin::{Counter, Desk};
use crate::superid::SuperId;
use crate::telemetry::catalogue::{
    REQUESTS_IN_FLIGHT, ROUTE_REQUESTS_IN_FLIGHT, SESSION_KEYS, SESSIONS_IN_MEMORY,
};
use crate::telemetry::{AuditLog, Levels, Metrics, RouteMetrics, ServerLevel, Tracer, servers};
use crate::web::{Bounds, CookieNames, Cookies, Peer, Proxies, ReturnTo, Spoofable};

use super::calls::Ways;
use super::checkup;
use super::in_use::InUse;
use super::installations::Installations;
use super::lane::Lane;
use super::over::know_what_is_over;
use super::roads::{Pools, Roads};
use super::told::Told;
use super::turnstile::Turnstile;

/// What one configuration became.
pub struct Site {
    pub settings: Settings,
    pub hosts: Vec<HostSite>,
    pub clock: Clock,
    pub random: Random,
    pub(super) table: Table,
    pub(super) spoofable: Spoofable,
    /// What a background job may not say. It proves itself with `Authorization`, which may be among
    /// what routes tell apps; nothing of that goes to a tenant.
    pub(super) forged_by_jobs: Spoofable,
    pub(super) proxies: Proxies,
    pub(super) desk: Desk,
    /// Those of each route; none where a tenant is behind it.
    pub(super) roads: Vec<Option<Roads>>,
    pub(super) pools: Pools,
    /// One for each job listener.
    pub(super) lines: Vec<Arc<Lines>>,
    /// The ways to tenants.
    pub(super) tenant_ways: Arc<Ways>,
    /// System users, where the configuration has any.
    pub users: Arc<SystemUsers>,
    pub(super) superid: Arc<SuperId>,
    pub(super) turnstile: Turnstile,
    pub(super) told: Told,
    /// For each route, then each job listener, and last for what goes to none.
    pub(super) route_metrics: Vec<RouteMetrics>,
    pub metrics: Arc<Metrics>,
    pub audit: AuditLog,
    pub(super) tracer: Option<Tracer>,
    pub(super) in_use: Arc<InUse>,
    pub(super) refresher: Refresher,
    ended: Arc<Revocations>,
    kept: Store,
    newer: Newer,
}

/// One public host, with what is particular to it.
pub struct HostSite {
    pub host: Arc<Host>,
    pub names: CookieNames,
    /// What apps are told the public host is.
    pub(super) authority: HeaderValue,
    /// What browsers are told of https, where they are.
    pub(super) hsts: Option<HeaderValue>,
    pub(super) authenticator: Authenticator,
}

impl Site {
    /// Assembles a site; nothing is opened or fetched.
    pub fn new(settings: Settings, clock: Clock, random: Random) -> Self {
        Self::with_stores(settings, &Stores::default(), clock, random)
    }

    /// The same, with what was opened for it.
    pub fn with_stores(settings: Settings, stores: &Stores, clock: Clock, random: Random) -> Self {
        let limits = &settings.limits;
        let ended = Arc::new(Revocations::new(limits.ended_sessions, settings.session.absolute));
        let site = Self::assembled(settings, stores, (clock, random), ended, None);
        site.ended.wait_for_the_list();
        site
    }

    /// The site of a new configuration. What this one remembers, of ended sessions, spent attempts
    /// and used tokens, of SuperID's keys and tenants' serials, goes on.
    pub fn successor(&self, settings: Settings, stores: &Stores) -> Self {
        let (clock, random) = (self.clock.clone(), self.random.clone());
        self.ended.lengthen(settings.session.absolute, clock.now());
        Self::assembled(settings, stores, (clock, random), self.ended.clone(), Some(self))
    }

    /// Which of the hosts this is.
    pub(super) fn number_of(&self, host: &HostSite) -> usize {
        let same = |one: &HostSite| std::ptr::eq(one, host);
        self.hosts.iter().position(same).expect("a host of a site is one of its hosts")
    }

    /// The host that a request names, admitted or not.
    pub(super) fn host_named_by(&self, request: &request::Parts) -> Option<&HostSite> {
        let named = request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let named = request.uri.authority().map(|authority| authority.as_str()).or(named)?;
        self.table.host(&named.to_ascii_lowercase()).map(|number| &self.hosts[number])
    }

    fn assembled(
        settings: Settings,
        stores: &Stores,
        (clock, random): (Clock, Random),
        ended: Arc<Revocations>,
        before: Option<&Self>,
    ) -> Self {
        know_what_is_over(&ended, &settings.session, stores, &clock);
        let kept = Store::new(&settings, stores.sessions.clone(), before.map(|site| &site.kept));
        let known = before.map(|site| &site.newer);
        let newer = Newer::new(settings.limits.sessions, stores.refreshed.clone(), known);
        let hosts = HostSite::all(&settings, (&ended, &kept, &newer));
        let metrics = before.map(|site| site.metrics.clone()).unwrap_or_default();
        let known = before.map(|site| &*site.superid);
        let superid = Arc::new(SuperId::new(&settings, clock.clone(), metrics.superid(), known));
        let known = before.map(|site| &*site.users);
        let time = (&clock, &random);
        let users: Arc<SystemUsers> =
            SystemUsers::new(&settings, (&superid, stores), time, &metrics, known).into();
        let desk = before.map(|site| &site.desk);
        let desk = desk_of(&settings, stores, time, (&superid, &users, &metrics), desk);
        let known = before.map(|site| &site.refresher);
        let asked = (&superid, desk.providers());
        let claims = (kept_claims(&settings.routes), &metrics, &stores.audit);
        let refresher = Refresher::new(&settings, asked, claims, time, known);
        let turnstile = Turnstile::new(&settings, &clock, before.map(|site| &site.turnstile));
        let machine = OnceCell::new();
        let machine = || machine.get_or_init(Authorities::of_this_machine).clone();
        let pools = Pools::new(&settings, before.map(|site| &site.pools));
        let roads = settings.routes.iter().map(|route| Roads::of(route, &pools, machine)).collect();
        Self {
            hosts,
            table: Table::new(&settings.hosts, &settings.routes),
            told: Told::new(Signer::of(&settings, &random)),
            spoofable: Spoofable::new(&spoofable_names(&settings.routes)),
            forged_by_jobs: Spoofable::new([]),
            proxies: settings.forwarded.trusted_proxies.clone(),
            desk,
            roads,
            pools,
            lines: lines(&settings, before),
            tenant_ways: tenant_ways(&settings, before, machine),
            users,
            superid,
            turnstile,
            route_metrics: route_metrics(&settings, &metrics),
            metrics,
            audit: stores.audit.clone(),
            tracer: stores.tracer.clone(),
            in_use: before.map_or_else(|| Arc::new(InUse::new()), |site| site.in_use.clone()),
            refresher,
            ended,
            kept,
            newer,
            clock,
            random,
            settings,
        }
    }

    /// What is remembered of sessions and sign-ins, and outlives configurations.
    pub fn memory(&self) -> Memory {
        let newer = matches!(self.kept, Store::Cookie).then(|| self.newer.records());
        self.desk.memory(self.ended.clone(), self.kept.records().or(newer).cloned())
    }

    /// Waits until no session is being refreshed, for a process that stops.
    pub async fn settled(&self) {
        self.refresher.settled().await;
    }

    /// What is over, and where more may be ended.
    pub fn revocations(&self) -> &Arc<Revocations> {
        &self.ended
    }

    /// Lists of sessions.
    pub fn directory(&self) -> Directory<'_> {
        let session = &self.settings.session;
        Directory::new((&self.kept, &self.ended), &session.keys, Lifetimes::of(session))
    }

    /// What stands now, for metrics; connections are for somebody else to know.
    pub fn levels(&self) -> Levels {
        let mut levels = Levels::default();
        levels.count(&REQUESTS_IN_FLIGHT, &[], self.turnstile.requests());
        if let Some(records) = self.kept.records() {
            levels.count(&SESSIONS_IN_MEMORY, &[], records.len());
        }
        for (name, metrics) in self.lane_names().iter().zip(&self.route_metrics) {
            levels.count(&ROUTE_REQUESTS_IN_FLIGHT, &[name], metrics.in_flight());
        }
        self.tell_keys(&mut levels);
        self.turnstile.tell(&mut levels);
        self.users.tell(&mut levels);
        servers::tell(&self.servers(), &mut levels);
        levels
    }

    fn tell_keys(&self, levels: &mut Levels) {
        let session = &self.settings.session;
        let words = std::iter::once("seals").chain(std::iter::repeat("opens"));
        for (key, word) in session.keys.names().zip(words) {
            levels.count(&SESSION_KEYS, &[&named(key), word], 1);
        }
        for key in &session.revoked_keys {
            levels.count(&SESSION_KEYS, &[&named(*key), "revoked"], 1);
        }
    }

    /// How the servers of upstreams stand.
    pub fn servers(&self) -> Vec<ServerLevel<'_>> {
        self.pools.levels(self.clock.now())
    }

    /// What metrics call the routes, and then the job listeners.
    pub fn lane_names(&self) -> Vec<String> {
        lane_names(&self.settings)
    }

    /// What metrics call a lane.
    pub(super) fn lane_name(&self, lane: Lane) -> String {
        match lane {
            Lane::Jobs(number) => job_name(&self.settings.job_listeners[number]),
            Lane::Route(number) => self.route(number).name.clone(),
        }
    }

    /// What looks after the servers of upstreams, for as long as it is waited for.
    pub fn checkups(&self) -> impl Iterator<Item = impl Future<Output = ()> + Send + use<>> {
        checkup::all(&self.settings, &self.pools, &self.clock).into_iter()
    }

    /// Whether somebody is a trusted proxy.
    pub fn trusts(&self, peer: Peer) -> bool {
        self.proxies.trusts(peer)
    }

    pub(super) fn bounds(&self) -> Bounds {
        let limits = &self.settings.limits;
        Bounds {
            target: limits.target_bytes,
            cookies: limits.cookie_bytes,
            fields: limits.header_count,
        }
    }

    pub(super) fn route(&self, number: usize) -> &Route {
        &self.settings.routes[number]
    }

    /// The number of the job listener with this name.
    pub(super) fn job_listener(&self, name: &str) -> Option<usize> {
        self.settings.job_listeners.iter().position(|listener| listener.name == name)
    }

    /// The largest body that may come there.
    pub(super) fn body_bytes(&self, lane: Lane) -> usize {
        match lane {
            Lane::Jobs(number) => self.settings.job_listeners[number].bounds.body_bytes,
            Lane::Route(number) => self.route(number).bounds.body_bytes,
        }
    }

    /// The counters of what goes there, or of what goes nowhere.
    pub(super) fn counters(&self, lane: Option<Lane>) -> &RouteMetrics {
        let number = match lane {
            Some(Lane::Route(number)) => number,
            Some(Lane::Jobs(number)) => self.settings.routes.len() + number,
            None => self.route_metrics.len() - 1,
        };
        &self.route_metrics[number]
    }
}

impl HostSite {
    fn all(settings: &Settings, both: (&Arc<Revocations>, &Store, &Newer)) -> Vec<Self> {
        settings.hosts.iter().map(|host| Self::new(host, &settings.session, both)).collect()
    }

    fn new(
        host: &Arc<Host>,
        session: &Session,
        (ended, kept, newer): (&Arc<Revocations>, &Store, &Newer),
    ) -> Self {
        let names = CookieNames::new(&session.cookie_name, &host.origin);
        let both = (ended.clone(), kept.clone());
        let sessions = Sessions::new(session, &names, &host.origin, both);
        let sessions = sessions.with_newer(newer.clone());
        let authority = HeaderValue::from_str(host.origin.authority());
        Self {
            host: host.clone(),
            names,
            authority: authority.expect("an origin's host is visible ASCII"),
            hsts: host
                .hsts
                .as_deref()
                .map(|hsts| HeaderValue::try_from(hsts).expect("digits and words")),
            authenticator: Authenticator::new(sessions),
        }
    }

    pub(super) fn counter<'a>(&'a self, cookies: Cookies<'a>) -> Counter<'a> {
        Counter {
            host: &self.host,
            names: &self.names,
            sessions: self.authenticator.sessions(),
            cookies,
            scene: None,
        }
    }

    /// Our own sign-in address: a top-level GET that sets the binding cookie and redirects. Where a sign-in
    /// is for telling another page of it, that is the address itself.
    pub(super) fn start_address(&self, target: &ReturnTo, party: Option<&RelyingParty>) -> String {
        if target.is_renewal(&self.host.prefix) {
            let with = party.map(|party| format!("&with={}", party.name)).unwrap_or_default();
            let joint = if target.as_str().contains('?') { "" } else { "?" };
            return format!("{}{joint}{with}", target.as_str());
        }
        let mut query = Serializer::new(String::new());
        query.append_pair("rd", target.as_str());
        if let Some(party) = party {
            query.append_pair("with", &party.name);
        }
        format!("{}/start?{}", self.host.prefix, query.finish())
    }

    /// Where somebody signs in for an address beside a page that stays.
    pub(super) fn renewal_address(&self, wanted: &ReturnTo) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("for", wanted.as_str());
        format!("{}/renew?{}", self.host.prefix, query.finish())
    }

    /// Those whose redirect URL has this path: each takes its own attempts only (RFC 9700 §4.4.2.2:
    /// mix-up).
    pub(super) fn parties_at(&self, path: &str) -> Vec<&RelyingParty> {
        self.parties().into_iter().filter(|party| party.redirect_path == path).collect()
    }

    pub(super) fn parties(&self) -> Vec<&RelyingParty> {
        self.host.relying_parties.iter().map(|party| &**party).collect()
    }
}

/// The desk where people sign in, with the providers beside SuperID.
fn desk_of(
    settings: &Settings,
    stores: &Stores,
    (clock, random): (&Clock, &Random),
    (superid, users, metrics): (&Arc<SuperId>, &Arc<SystemUsers>, &Arc<Metrics>),
    before: Option<&Desk>,
) -> Desk {
    let known = before.map(|desk| &**desk.providers());
    let providers = Providers::new(settings, (clock, random), metrics.superid(), known);
    Desk::new(
        settings,
        kept_claims(&settings.routes),
        (clock, random),
        (superid.clone(), Arc::new(providers)),
        (Installations::with(users, metrics), stores.used.clone()),
        metrics.clone(),
        before,
    )
}

/// Every header some route sets, so that none of them is taken from outside on any route: two
/// routes may lead to one app.
fn spoofable_names(routes: &[Route]) -> Vec<HeaderName> {
    let mut names = Vec::new();
    for route in routes {
        let ours = &route.headers;
        let identity = [
            &ours.administrator,
            &ours.assertion,
            &ours.associate_id,
            &ours.company,
            &ours.context,
            &ours.email,
            &ours.first_name,
            &ours.initials,
            &ours.last_name,
            &ours.soap_url,
            &ours.ticket,
            &ours.user,
            &ours.web_api_url,
        ];
        names.extend(identity.into_iter().flatten().cloned());
        let presents_bearer = matches!(route.present, Present::Auto | Present::Bearer)
            && matches!(route.access, Access::SignedIn(_));
        if presents_bearer {
            names.extend(ours.bearer.clone());
        }
    }
    names
}

fn route_metrics(settings: &Settings, metrics: &Metrics) -> Vec<RouteMetrics> {
    let lanes = lane_names(settings);
    lanes.iter().map(|name| metrics.route(name)).chain([metrics.own()]).collect()
}

fn lane_names(settings: &Settings) -> Vec<String> {
    let routes = settings.routes.iter().map(|route| route.name.clone());
    routes.chain(settings.job_listeners.iter().map(|listener| job_name(listener))).collect()
}

fn job_name(listener: &JobListener) -> String {
    format!("job:{}", listener.name)
}

/// The ways known go on, unless the machine believes others by now. Connections are kept apart by
/// whom they were made under.
fn tenant_ways(
    settings: &Settings,
    before: Option<&Site>,
    machine: impl FnOnce() -> Authorities,
) -> Arc<Ways> {
    let ways = before.map(|site| site.tenant_ways.clone()).unwrap_or_default();
    if ways.believed().is_none() && !calls_superoffice(settings) {
        return ways;
    }
    let machine = machine();
    if ways.believed() == Some(&machine) { ways } else { Arc::new(Ways::believing(machine)) }
}

/// Whether there are calls to tenants, whose hosts speak https.
fn calls_superoffice(settings: &Settings) -> bool {
    let to_tenant = |route: &Route| matches!(route.upstream, Destination::Tenant(_));
    let https = |party: &Arc<RelyingParty>| {
        let environment = party.environment();
        environment.is_some_and(|one| one.addresses == AllowedAddresses::SuperOffice)
    };
    let calls = !settings.job_listeners.is_empty() || settings.routes.iter().any(to_tenant);
    calls && settings.relying_parties.iter().any(https)
}

/// Lines go on where the bounds are the same.
fn lines(settings: &Settings, before: Option<&Site>) -> Vec<Arc<Lines>> {
    let old = |listener: &JobListener, bounds: LineBounds| {
        let before = before?;
        let number = before.job_listener(&listener.name)?;
        (before.lines[number].bounds() == bounds).then(|| before.lines[number].clone())
    };
    let line = |listener: &Arc<JobListener>| {
        let bounds = &listener.bounds;
        let bounds = LineBounds {
            at_once: bounds.tenant_requests,
            rate: bounds.tenant_rate,
            waiting: bounds.tenant_queue,
            patience: bounds.queue_timeout,
        };
        old(listener, bounds).unwrap_or_else(|| Arc::new(Lines::new(bounds)))
    };
    settings.job_listeners.iter().map(line).collect()
}

fn kept_claims(routes: &[Route]) -> Vec<String> {
    let mut kept: Vec<String> = routes
        .iter()
        .filter_map(|route| match &route.access {
            Access::SignedIn(restriction) => Some(restriction),
            Access::Public => None,
        })
        .flat_map(|restriction| restriction.claims.iter().map(|rule| rule.claim.clone()))
        .collect();
    kept.sort();
    kept.dedup();
    kept
}
