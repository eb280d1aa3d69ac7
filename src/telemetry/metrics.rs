//! What is counted over the life of the process, and how it is read.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::acme::AcmeCounters;
use super::calls::CallCounters;
use super::catalogue::{
    BUILD, CONFIG_LAST_RELOAD_SUCCESS_TIMESTAMP, CONFIG_LAST_RELOAD_SUCCESSFUL, CONFIG_RELOADS,
    DRAINED_REQUESTS, LIMIT_HITS, REFUSALS, TENANT_NOTICES,
};
use super::connections::ConnectionCounters;
use super::drain::{Drain, Drained, Outcome};
use super::exposition::{self, Format};
use super::limit::Limit;
use super::links::LinkCounters;
use super::named::Named;
use super::process::{Process, process_began};
use super::reading::Reading;
use super::recent::{self, Recent};
use super::registry::{Levels, Registry};
use super::route::RouteMetrics;
use super::series::Counter;
use super::servers::ServerCounters;
use super::sessions::SessionCounters;
use super::superid_calls::SuperIdCalls;
use super::tickets::TicketCounters;
use super::webhooks::WebhookCounters;

/// What is counted. Counting one thing is one atomic step; what has labels of its own is found once,
/// or seldom.
#[derive(Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    calls: CallCounters,
    connections: ConnectionCounters,
    drain: Drain,
    drained: [Counter; 3],
    limit_hits: Vec<Counter>,
    acme: AcmeCounters,
    links: LinkCounters,
    notices: [Counter; 2],
    others: Mutex<Vec<Counts>>,
    recent: Recent,
    refusals: Named<Counter>,
    reloads: Reloads,
    servers: ServerCounters,
    sessions: SessionCounters,
    superid: SuperIdCalls,
    tickets: TicketCounters,
    webhooks: WebhookCounters,
}

/// Something that counts for itself, and says so when it is asked.
pub struct Counts(Box<dyn Fn(&mut Levels) + Send + Sync>);

/// How new configurations fared.
#[derive(Debug)]
struct Reloads {
    taken: Counter,
    refused: Counter,
    /// When the one in force was taken, in seconds since 1970.
    in_force_since: AtomicU64,
    /// Whether the latest was: 1 or 0.
    latest: AtomicU64,
}

/// What became of something that was offered: a configuration, a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    Refused,
    Taken,
}

impl Offered {
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Taken => "taken",
        }
    }
}

impl Counts {
    pub(super) fn new(say: impl Fn(&mut Levels) + Send + Sync + 'static) -> Self {
        Self(Box::new(say))
    }
}

impl fmt::Debug for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Counts")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        process_began();
        let registry = Arc::new(Registry::default());
        let refusals = registry.clone();
        Self {
            calls: CallCounters::of(&registry),
            connections: ConnectionCounters::of(&registry),
            drain: Drain::default(),
            drained: Outcome::EVERY
                .map(|outcome| registry.counter(&DRAINED_REQUESTS, &[outcome.name()])),
            limit_hits: Limit::EVERY
                .iter()
                .map(|limit| registry.counter(&LIMIT_HITS, &[limit.name()]))
                .collect(),
            acme: AcmeCounters::of(&registry),
            links: LinkCounters::of(&registry),
            notices: ["refused", "taken"].map(|how| registry.counter(&TENANT_NOTICES, &[how])),
            others: Mutex::default(),
            recent: Recent::default(),
            refusals: Named::new(MOST_REASONS, move |reason| {
                refusals.counter(&REFUSALS, &[reason])
            }),
            reloads: Reloads {
                taken: registry.counter(&CONFIG_RELOADS, &["taken"]),
                refused: registry.counter(&CONFIG_RELOADS, &["refused"]),
                in_force_since: AtomicU64::new(recent::now()),
                latest: AtomicU64::new(1),
            },
            servers: ServerCounters::of(&registry),
            sessions: SessionCounters::of(&registry),
            superid: SuperIdCalls::of(&registry),
            tickets: TicketCounters::of(&registry),
            webhooks: WebhookCounters::of(&registry),
            registry,
        }
    }
}

impl Metrics {
    /// Where counters are had from: `registry().counter(&catalogue::FAMILY, &["label"])`, once, to be
    /// kept by whoever counts.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// The counters of connections and TLS.
    pub fn connections(&self) -> &ConnectionCounters {
        &self.connections
    }

    /// Somebody met a limit.
    pub fn limit_hit(&self, limit: Limit) {
        self.limit_hits[limit as usize].inc();
    }

    /// A request was refused; `reason` is one of a fixed set of words.
    pub fn refused(&self, reason: &str) {
        self.refusals.count(reason, Counter::inc);
    }

    /// The counters of sign-ins and sessions.
    pub fn sessions(&self) -> &SessionCounters {
        &self.sessions
    }

    /// A state-change notice came.
    pub fn noticed(&self, became: Offered) {
        self.notices[became as usize].inc();
    }

    /// A new configuration was offered.
    pub fn reloaded(&self, became: Offered) {
        match became {
            Offered::Refused => self.reloads.refused.inc(),
            Offered::Taken => {
                self.reloads.taken.inc();
                self.reloads.in_force_since.store(recent::now(), Ordering::Relaxed);
            }
        }
        self.reloads.latest.store(became as u64, Ordering::Relaxed);
    }

    /// The counters of a configured route, found once for each configuration.
    pub fn route(&self, name: &str) -> RouteMetrics {
        RouteMetrics::of(&self.registry, name)
    }

    /// The counters of what the gateway answers itself. No route can have that name.
    pub fn own(&self) -> RouteMetrics {
        RouteMetrics::of_own(&self.registry, OWN)
    }

    /// The counters of calls to tenants.
    pub fn calls(&self) -> &CallCounters {
        &self.calls
    }

    /// The counters of calls to SuperID.
    pub fn superid(&self) -> &SuperIdCalls {
        &self.superid
    }

    /// The counters of the links to the shared store.
    pub fn links(&self) -> &LinkCounters {
        &self.links
    }

    /// The counters of upstreams' servers.
    pub fn servers(&self) -> &ServerCounters {
        &self.servers
    }

    /// The counters of the ticket cache.
    pub fn tickets(&self) -> &TicketCounters {
        &self.tickets
    }

    /// Has others asked, too, whenever somebody reads.
    pub fn tell(&self, counts: Counts) {
        self.others.lock().unwrap_or_else(PoisonError::into_inner).push(counts);
    }

    /// What happened lately.
    pub fn recent(&self) -> &Recent {
        &self.recent
    }

    /// The counters of telling apps.
    pub fn webhooks(&self) -> &WebhookCounters {
        &self.webhooks
    }

    /// The counters of ordered certificates, and how each of them stands.
    pub fn acme(&self) -> &AcmeCounters {
        &self.acme
    }

    /// How far the end of the process has come.
    pub fn drain(&self) -> &Drain {
        &self.drain
    }

    /// A request that was in flight at the end of the process is over.
    pub fn drained(&self, outcome: Outcome) {
        self.drained[outcome as usize].inc();
    }

    /// How requests ended since the end of the process began.
    pub fn all_drained(&self) -> Drained {
        let [closed, cut, finished] = &self.drained;
        Drained { closed: closed.get(), cut: cut.get(), finished: finished.get() }
    }

    /// Everything, as text.
    pub fn text(&self, levels: Levels, format: Format) -> String {
        exposition::write(&self.registry, &self.with_own(levels), format)
    }

    /// Everything, to be looked up.
    pub fn reading(&self, levels: Levels) -> Reading {
        Reading::of(&self.registry, &self.with_own(levels))
    }

    fn with_own(&self, mut levels: Levels) -> Levels {
        Process::now().tell(&mut levels);
        self.acme.tell(&mut levels);
        self.webhooks.tell(&mut levels);
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        others.iter().for_each(|others| (others.0)(&mut levels));
        let number = |value: &AtomicU64| value.load(Ordering::Relaxed) as f64;
        let Reloads { in_force_since, latest, .. } = &self.reloads;
        levels.add(&CONFIG_LAST_RELOAD_SUCCESS_TIMESTAMP, &[], number(in_force_since));
        levels.add(&CONFIG_LAST_RELOAD_SUCCESSFUL, &[], number(latest));
        levels.add(&BUILD, &[env!("CARGO_PKG_VERSION")], 1.0);
        levels
    }
}

/// The route of what goes to no app.
const OWN: &str = "(gateway)";
/// More than there are.
const MOST_REASONS: usize = 128;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::catalogue::{CONNECTIONS_OPEN, REDIS_UP, REQUESTS_IN_FLIGHT};
    use super::*;
    use crate::telemetry::{
        Answer, Asked, Called, Endpoint, ServerFailure, ServerLevel, TicketExchange, Unfit, servers,
    };

    fn everything() -> Metrics {
        let metrics = Metrics::default();
        let route = metrics.route("app");
        for status in [200, 204, 503, 0, 999] {
            route.answered(Answer::Passed, status, 1_500);
        }
        route.asked(Asked::TimedOut);
        route.upstream_answered(Duration::from_millis(3));
        metrics.own().answered(Answer::Ours, 303, 10);
        metrics.connections().accepted();
        metrics.connections().refused(Limit::Connections);
        metrics.limit_hit(Limit::Connections);
        metrics.refused("too_busy");
        metrics.sessions().sign_in_begun();
        metrics.sessions().signed_in();
        metrics.sessions().unfit(Unfit::Idle);
        metrics.tickets().hit();
        metrics.calls().answered("Cust1", 204);
        metrics.tickets().exchanged(TicketExchange::Refused);
        metrics.superid().called(Endpoint::Token, Called::TimedOut, Duration::from_secs(5));
        let link = metrics.links().link("vault");
        link.carried_out(Duration::from_millis(3), None);
        link.carried_out(Duration::from_secs(2), Some("timed_out"));
        metrics.servers().failed("app", "http://a:1", ServerFailure::Connect);
        metrics.servers().ejected("app", "http://a:1");
        metrics.reloaded(Offered::Refused);
        metrics
    }

    #[test]
    fn what_is_counted_is_told_with_its_labels() {
        let mut levels = Levels::default();
        levels.count(&CONNECTIONS_OPEN, &[], 3);
        levels.count(&REQUESTS_IN_FLIGHT, &[], 2);
        levels.count(&REDIS_UP, &["vault"], 0);
        let (upstream, server) = ("app", "http://a:1");
        let level = ServerLevel { upstream, server, is_up: true, in_flight: 4 };
        servers::tell(&[level], &mut levels);
        let text = everything().text(levels, Format::Prometheus);
        for line in [
            "requests_total{route=\"app\",status=\"2xx\",outcome=\"passed\"} 2",
            "requests_total{route=\"app\",status=\"5xx\",outcome=\"passed\"} 2",
            "requests_total{route=\"app\",status=\"none\",outcome=\"left\"} 1",
            "requests_total{route=\"(gateway)\",status=\"3xx\",outcome=\"answered\"} 1",
            "request_duration_seconds_bucket{route=\"app\",le=\"0.0025\"} 5",
            "upstream_requests_total{route=\"app\",outcome=\"answered\"} 1",
            "upstream_requests_total{route=\"app\",outcome=\"timed_out\"} 1",
            "upstream_response_seconds_sum{route=\"app\"} 0.003",
            "connections_accepted_total 1",
            "connections_refused_total{limit=\"max_connections\"} 1",
            "limit_hits_total{limit=\"max_connections\"} 1",
            "limit_hits_total{limit=\"route.body_bytes\"} 0",
            "refusals_total{reason=\"too_busy\"} 1",
            "sign_ins_begun_total 1",
            "sign_ins_total{outcome=\"signed_in\",reason=\"none\"} 1",
            "sessions_made_total 1",
            "session_cookies_refused_total{reason=\"idle\"} 1",
            "superid_calls_total{endpoint=\"token\",outcome=\"timed_out\"} 1",
            "superid_call_duration_seconds_count{endpoint=\"token\"} 1",
            "tenant_calls_total{tenant=\"Cust1\",status=\"2xx\"} 1",
            "ticket_lookups_total{answer=\"hit\"} 1",
            "ticket_exchanges_total{outcome=\"refused\"} 1",
            "ticket_shares_total{outcome=\"unavailable\"} 0",
            "redis_commands_total{link=\"vault\",outcome=\"answered\"} 1",
            "redis_commands_total{link=\"vault\",outcome=\"timed_out\"} 1",
            "redis_command_seconds_bucket{link=\"vault\",le=\"0.005\"} 1",
            "redis_command_seconds_count{link=\"vault\"} 2",
            "redis_up{link=\"vault\"} 0",
            "upstream_server_failures_total{upstream=\"app\",server=\"http://a:1\",kind=\"connect\"} 1",
            "upstream_server_ejections_total{upstream=\"app\",server=\"http://a:1\"} 1",
            "upstream_server_up{upstream=\"app\",server=\"http://a:1\"} 1",
            "upstream_server_requests_in_flight{upstream=\"app\",server=\"http://a:1\"} 4",
            "config_reloads_total{outcome=\"refused\"} 1",
            "config_last_reload_successful 0",
            "connections_open 3",
            "requests_in_flight 2",
        ] {
            assert!(text.contains(&format!("\nsuperid_gateway_{line}\n")), "{line} in\n{text}");
        }
    }

    #[test]
    fn a_new_configuration_with_the_same_route_counts_on() {
        let metrics = Metrics::default();
        for _ in 0..2 {
            metrics.route("app").answered(Answer::Refused, 404, 1);
        }
        let text = metrics.text(Levels::default(), Format::Prometheus);
        let line = "requests_total{route=\"app\",status=\"4xx\",outcome=\"refused\"} 2";
        assert!(text.contains(line), "{text}");
    }
}
