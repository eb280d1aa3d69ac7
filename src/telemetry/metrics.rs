//! Every metric there is, as Prometheus reads them.

use prometheus::core::Collector;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

use super::calls::CallCounters;
use super::drain::{Drain, Drained, Outcome};
use super::limit::Limit;
use super::links::{self, LinkCounters};
use super::servers::{ServerCounters, ServerLevel};
use super::tickets::TicketCounters;
use super::webhooks::WebhookCounters;

/// What is counted over the life of the process. Counting one thing is one atomic step; what has
/// labels of its own is looked up once, or seldom.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    connections_accepted: IntCounter,
    connections_open: IntGauge,
    connections_refused: IntCounterVec,
    drain: Drain,
    drained: [IntCounter; 3],
    connections_yielded: IntCounter,
    limit_hits: Vec<IntCounter>,
    links: LinkCounters,
    refusals: IntCounterVec,
    /// Those that come in crowds.
    refusals_at_hand: [(&'static str, IntCounter); 3],
    requests: IntCounterVec,
    requests_in_flight: IntGauge,
    sign_ins: IntCounterVec,
    sign_ins_begun: IntCounter,
    tickets: TicketCounters,
    calls: CallCounters,
    servers: ServerCounters,
    upstream_requests_in_flight: IntGaugeVec,
    webhooks: WebhookCounters,
}

/// The counters of one route.
#[derive(Clone, Debug)]
pub struct RouteMetrics {
    /// By the first digit of the status; 0 for no answer at all.
    answers: [IntCounter; 6],
}

/// What stands now, asked for when somebody reads.
#[derive(Clone, Debug, Default)]
pub struct Levels<'a> {
    pub connections_open: usize,
    pub requests_in_flight: usize,
    /// Route names, and requests in flight to their upstreams.
    pub upstream_requests: Vec<(&'a str, usize)>,
    /// Links to the shared store, and whether they are up.
    pub links: Vec<(&'a str, bool)>,
    pub servers: Vec<ServerLevel<'a>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let drained = counters("drained_requests_total", DRAINED, &["outcome"]);
        let limit_hits = counters("limit_hits_total", HITS, &["limit"]);
        let refusals = counters("refusals_total", REFUSALS, &["reason"]);
        let sign_ins = counters("sign_ins_total", SIGN_INS, &["outcome"]);
        Self {
            connections_accepted: kept(IntCounter::with_opts(named(
                "connections_accepted_total",
                "Connections that were taken.",
            ))),
            connections_open: gauge("connections_open", "Connections that are open."),
            connections_refused: counters(
                "connections_refused_total",
                "Connections that were closed at once, by the limit they met.",
                &["limit"],
            ),
            drain: Drain::default(),
            drained: Outcome::EVERY.map(|outcome| drained.with_label_values(&[outcome.name()])),
            connections_yielded: kept(IntCounter::with_opts(named(
                "connections_yielded_total",
                "Connections that were closed because others waited for their place.",
            ))),
            refusals_at_hand: ["too_busy", "too_large", "too_many"]
                .map(|reason| (reason, refusals.with_label_values(&[reason]))),
            refusals,
            requests: counters(
                "requests_total",
                "Requests by route and class of status; (gateway) answers what goes to no app.",
                &["route", "status"],
            ),
            requests_in_flight: gauge("requests_in_flight", "Requests that are in flight."),
            sign_ins_begun: sign_ins.with_label_values(&["begun"]),
            sign_ins,
            tickets: tickets(),
            links: link_counters(),
            calls: CallCounters::over(
                counters("tenant_calls_total", TENANT_CALLS, &["tenant", "status"]),
                STATUSES,
            ),
            servers: servers(),
            upstream_requests_in_flight: kept(IntGaugeVec::new(
                named("upstream_requests_in_flight", "Requests in flight to a route's upstream."),
                &["route"],
            )),
            webhooks: webhooks(),
            limit_hits: Limit::EVERY
                .iter()
                .map(|limit| limit_hits.with_label_values(&[limit.name()]))
                .collect(),
            registry: Registry::new(),
        }
        .registered([&drained, &limit_hits])
    }
}

impl Metrics {
    /// A connection was taken.
    pub fn connection_accepted(&self) {
        self.connections_accepted.inc();
    }

    /// A connection was closed before it was served.
    pub fn connection_refused(&self, limit: Limit) {
        self.connections_refused.with_label_values(&[limit.name()]).inc();
    }

    /// A connection was closed so that another could be taken.
    pub fn connection_yielded(&self) {
        self.connections_yielded.inc();
    }

    /// Somebody met a limit.
    pub fn limit_hit(&self, limit: Limit) {
        self.limit_hits[limit as usize].inc();
    }

    /// A request was refused; `reason` is one of a fixed set of words.
    pub fn refused(&self, reason: &str) {
        match self.refusals_at_hand.iter().find(|(known, _)| *known == reason) {
            Some((_, counter)) => counter.inc(),
            None => self.refusals.with_label_values(&[reason]).inc(),
        }
    }

    /// Somebody was sent to sign in.
    pub fn sign_in_begun(&self) {
        self.sign_ins_begun.inc();
    }

    /// A sign-in came to its end; `outcome` is one of a fixed set of words.
    pub fn sign_in_ended(&self, outcome: &str) {
        self.sign_ins.with_label_values(&[outcome]).inc();
    }

    /// The counters of a configured route, looked up once for each configuration.
    pub fn route(&self, name: &str) -> RouteMetrics {
        let answers = STATUSES.map(|status| self.requests.with_label_values(&[name, status]));
        RouteMetrics { answers }
    }

    /// The counters of what the gateway answers itself. No route can have that name.
    pub fn own(&self) -> RouteMetrics {
        self.route("(gateway)")
    }

    /// The counters of calls to tenants.
    pub fn calls(&self) -> &CallCounters {
        &self.calls
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

    /// Tells what others count, too.
    pub fn tell(&self, counted: Box<dyn Collector>) {
        // What is told already stays so.
        let _known = self.registry.register(counted);
    }

    /// The counters of telling apps.
    pub fn webhooks(&self) -> &WebhookCounters {
        &self.webhooks
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

    /// Everything, in Prometheus' text format.
    pub fn text(&self, levels: &Levels<'_>) -> String {
        self.connections_open.set(whole(levels.connections_open));
        self.requests_in_flight.set(whole(levels.requests_in_flight));
        self.upstream_requests_in_flight.reset();
        for (route, count) in &levels.upstream_requests {
            self.upstream_requests_in_flight.with_label_values(&[*route]).set(whole(*count));
        }
        self.links.stand(&levels.links);
        self.servers.stand(&levels.servers);
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }

    fn registered(self, [drained, limit_hits]: [&IntCounterVec; 2]) -> Self {
        let every: [Box<dyn Collector>; 11] = [
            Box::new(self.connections_accepted.clone()),
            Box::new(self.connections_open.clone()),
            Box::new(self.connections_refused.clone()),
            Box::new(drained.clone()),
            Box::new(self.connections_yielded.clone()),
            Box::new(limit_hits.clone()),
            Box::new(self.refusals.clone()),
            Box::new(self.requests.clone()),
            Box::new(self.requests_in_flight.clone()),
            Box::new(self.sign_ins.clone()),
            Box::new(self.upstream_requests_in_flight.clone()),
        ];
        for one in every.into_iter().chain(
            self.tickets
                .collectors()
                .into_iter()
                .chain(self.webhooks.collectors())
                .chain(self.servers.collectors())
                .chain([Box::new(self.calls.collector()) as Box<dyn Collector>])
                .chain(self.links.collectors()),
        ) {
            kept(self.registry.register(one));
        }
        self
    }
}

impl RouteMetrics {
    /// A request ended with this status; 0 when the client left before an answer.
    pub fn answered(&self, status: u16) {
        self.answers[usize::from(status / 100).min(5)].inc();
    }
}

fn tickets() -> TicketCounters {
    TicketCounters::of(
        counters("ticket_exchanges_total", TICKET_EXCHANGES, &["outcome"]),
        counters("ticket_lookups_total", TICKET_LOOKUPS, &["answer"]),
        kept(IntCounter::with_opts(named("ticket_renewals_total", TICKET_RENEWALS))),
        counters("ticket_shares_total", TICKET_SHARES, &["outcome"]),
    )
}

fn link_counters() -> LinkCounters {
    let seconds = HistogramOpts::from(named("redis_command_seconds", REDIS_SECONDS));
    LinkCounters::of(
        counters("redis_commands_total", REDIS_COMMANDS, &["link", "outcome"]),
        kept(HistogramVec::new(seconds.buckets(links::BOUNDS.to_vec()), &["link"])),
        kept(IntGaugeVec::new(named("redis_up", REDIS_UP), &["link"])),
    )
}

fn webhooks() -> WebhookCounters {
    WebhookCounters::of(
        counters("webhook_deliveries_total", WEBHOOK_DELIVERIES, &["outcome"]),
        gauge("webhook_events_waiting", WEBHOOK_WAITING),
        gauge("webhook_oldest_event_seconds", WEBHOOK_OLDEST),
    )
}

fn servers() -> ServerCounters {
    const EACH: [&str; 2] = ["upstream", "server"];
    let gauges = |name, help| kept(IntGaugeVec::new(named(name, help), &EACH));
    let labels = ["upstream", "server", "kind"];
    ServerCounters {
        failures: counters("upstream_server_failures_total", SERVER_FAILURES, &labels),
        ejections: counters("upstream_server_ejections_total", SERVER_EJECTIONS, &EACH),
        up: gauges("upstream_server_up", "Whether a server is sent requests: 1 or 0."),
        in_flight: gauges("upstream_server_requests_in_flight", "Requests that a server has."),
    }
}

fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    kept(IntCounterVec::new(named(name, help), labels))
}

fn gauge(name: &str, help: &str) -> IntGauge {
    kept(IntGauge::with_opts(named(name, help)))
}

fn named(name: &str, help: &str) -> Opts {
    Opts::new(format!("superid_gateway_{name}"), help)
}

fn kept<T>(made: prometheus::Result<T>) -> T {
    made.expect("names and labels are written in this file, each once")
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

const DRAINED: &str =
    "Requests that were in flight when the process was told to end, by their end.";
const HITS: &str = "How often somebody met a limit, by its name.";
const REFUSALS: &str = "Requests refused by the gateway, by reason.";
const REDIS_COMMANDS: &str =
    "Commands to the store that replicas share, by link and by how they ended.";
const REDIS_SECONDS: &str = "How long commands to the store that replicas share took.";
const REDIS_UP: &str = "Whether a link to the store that replicas share is up.";
const SERVER_EJECTIONS: &str = "Times a server was left out for its failures.";
const SERVER_FAILURES: &str =
    "Requests a server failed: connect had no connection, answer no answer.";
const SIGN_INS: &str = "Sign-ins by outcome: begun, signed_in, or why not.";
const TENANT_CALLS: &str = "Calls to tenants, by tenant and status.";
const TICKET_EXCHANGES: &str = "Times SuperID was asked for a ticket, by outcome.";
const TICKET_LOOKUPS: &str = "Times a system user ticket was wanted, by whether it was at hand.";
const TICKET_RENEWALS: &str = "Times a younger ticket was looked for ahead of need.";
const TICKET_SHARES: &str = "What the store that replicas share did for tickets, by outcome.";
const WEBHOOK_DELIVERIES: &str = "Times an event was posted to an app's webhook, by outcome.";
const WEBHOOK_OLDEST: &str = "How long the oldest event has waited for its app to take it.";
const WEBHOOK_WAITING: &str = "Events that wait until their app takes them.";
const STATUSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::telemetry::{ServerFailure, TicketExchange};

    #[test]
    fn what_is_counted_is_told_with_its_labels() {
        let metrics = Metrics::default();
        let route = metrics.route("app");
        for status in [200, 204, 503, 0, 999] {
            route.answered(status);
        }
        metrics.connection_accepted();
        metrics.connection_refused(Limit::Connections);
        metrics.limit_hit(Limit::Connections);
        metrics.refused("too_busy");
        metrics.sign_in_begun();
        metrics.sign_in_ended("signed_in");
        metrics.tickets().hit();
        metrics.calls().answered("Cust1", 204);
        metrics.tickets().exchanged(TicketExchange::Refused);
        let link = metrics.links().link("vault");
        link.carried_out(Duration::from_millis(3), None);
        link.carried_out(Duration::from_secs(2), Some("timed_out"));
        metrics.servers().failed("app", "http://a:1", ServerFailure::Connect);
        metrics.servers().ejected("app", "http://a:1");
        let level =
            ServerLevel { upstream: "app", server: "http://a:1", is_up: true, in_flight: 4 };
        let levels = Levels {
            connections_open: 3,
            requests_in_flight: 2,
            upstream_requests: vec![("app", 1)],
            links: vec![("tickets", true), ("vault", false)],
            servers: vec![level],
        };
        let text = metrics.text(&levels);
        for line in [
            "requests_total{route=\"app\",status=\"2xx\"} 2",
            "requests_total{route=\"app\",status=\"5xx\"} 2",
            "requests_total{route=\"app\",status=\"none\"} 1",
            "connections_accepted_total 1",
            "connections_refused_total{limit=\"max_connections\"} 1",
            "limit_hits_total{limit=\"max_connections\"} 1",
            "limit_hits_total{limit=\"route.body_bytes\"} 0",
            "refusals_total{reason=\"too_busy\"} 1",
            "sign_ins_total{outcome=\"begun\"} 1",
            "sign_ins_total{outcome=\"signed_in\"} 1",
            "tenant_calls_total{status=\"2xx\",tenant=\"Cust1\"} 1",
            "ticket_lookups_total{answer=\"hit\"} 1",
            "ticket_exchanges_total{outcome=\"refused\"} 1",
            "ticket_shares_total{outcome=\"unavailable\"} 0",
            "redis_commands_total{link=\"vault\",outcome=\"answered\"} 1",
            "redis_commands_total{link=\"vault\",outcome=\"timed_out\"} 1",
            "redis_command_seconds_bucket{link=\"vault\",le=\"0.005\"} 1",
            "redis_command_seconds_count{link=\"vault\"} 2",
            "redis_up{link=\"tickets\"} 1",
            "redis_up{link=\"vault\"} 0",
            "connections_open 3",
            "requests_in_flight 2",
            "upstream_requests_in_flight{route=\"app\"} 1",
            "upstream_server_failures_total{kind=\"connect\",server=\"http://a:1\",upstream=\"app\"} 1",
            "upstream_server_ejections_total{server=\"http://a:1\",upstream=\"app\"} 1",
            "upstream_server_up{server=\"http://a:1\",upstream=\"app\"} 1",
            "upstream_server_requests_in_flight{server=\"http://a:1\",upstream=\"app\"} 4",
        ] {
            assert!(text.contains(&format!("\nsuperid_gateway_{line}\n")), "{line} in\n{text}");
        }
        assert!(!metrics.text(&Levels::default()).contains("in_flight{route"), "a gone route");
    }
}
