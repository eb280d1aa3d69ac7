//! How the gateway stands, for `superid-gateway status`.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::config::{Destination, Route, Serves};
use crate::gateway::Site;
use crate::redis_link::LinkState;
use crate::telemetry::catalogue::{
    CONFIG_LAST_RELOAD_SUCCESS_TIMESTAMP, CONFIG_LAST_RELOAD_SUCCESSFUL, CONFIG_RELOADS,
    CONNECTIONS_ACCEPTED, CONNECTIONS_OPEN, CONNECTIONS_REFUSED, CONNECTIONS_YIELDED, LIMIT_HITS,
    REFUSALS, REQUEST_DURATION, REQUESTS, REQUESTS_IN_FLIGHT, ROUTE_REQUESTS_IN_FLIGHT,
    SESSION_COOKIES_REFUSED, SESSIONS_ENDED, SESSIONS_MADE, SESSIONS_RENEWED, SIGN_INS,
    SIGN_INS_BEGUN, SUPERID_CALL_DURATION, SUPERID_CALLS, TENANTS, TICKET_EXCHANGES,
    TICKET_LOOKUPS, TICKET_RENEWALS, TICKET_SHARES, TICKETS, TLS_HANDSHAKE_FAILURES,
    TLS_HANDSHAKES, UPSTREAM_REQUESTS, UPSTREAM_RESPONSE, UPSTREAM_SERVER_FAILURES,
};
use crate::telemetry::overview::{
    Calling, Configuration, Connections, Going, Listening, Machine, Overview, Serving, Sessions,
    SignIns, Tickets,
};
use crate::telemetry::{Process, Reading, SuperIdCalls};

use super::admin_state::State;
use super::doorway::doorways;

/// As JSON.
pub(super) fn of(state: &State) -> String {
    serde_json::to_string(&overview(state)).unwrap_or_else(|_| "{}".to_owned())
}

fn overview(state: &State) -> Overview {
    let site = state.load.site();
    let read = site.metrics.reading(state.levels(&site));
    let process = Process::now();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (routes, routes_left_out) = routes(&site, &read);
    Overview {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        process: std::process::id(),
        state: if state.leave.borrow().is_some() { "stopping" } else { "ready" }.to_owned(),
        now: now.as_secs(),
        up: (now.as_secs_f64() - process.began) as u64,
        machine: Machine {
            cpu_seconds: process.cpu_seconds,
            memory_bytes: process.resident_bytes,
            open_fds: process.open_fds,
            max_fds: process.max_fds,
        },
        listeners: listeners(&site, state),
        connections: connections(&read),
        requests_in_flight: read.total(&REQUESTS_IN_FLIGHT, &[]),
        routes,
        routes_left_out,
        servers: servers(&site, &read),
        links: links(state),
        superid: superid(&read),
        sign_ins: sign_ins(&read),
        sessions: sessions(&read),
        tickets: tickets(&read),
        tenants: read.by(&TENANTS, "state", &[]),
        limits: read.by(&LIMIT_HITS, "limit", &[]),
        refused: read.by(&REFUSALS, "reason", &[]),
        configuration: configuration(&read),
        refusals: site.metrics.recent().refusals(),
        changes: site.metrics.recent().changes(),
    }
}

/// The addresses are those that are had, where the configuration left the port to the system.
fn listeners(site: &Site, state: &State) -> Vec<Listening> {
    let open = state.open();
    let doors = doorways(&site.settings).map(|door| {
        let had = open.iter().find(|had| had.name == door.name);
        Listening {
            address: had
                .and_then(|had| had.address.clone())
                .unwrap_or_else(|| door.address.to_string()),
            serves: match (&door.jobs, &door.serves) {
                (Some(_), _) => "jobs",
                (None, Serves::Checks(_)) => "checks",
                (None, _) => "people",
            }
            .to_owned(),
            tls: door.tls.is_some(),
            certificate_ends: had.and_then(|had| had.certificate_ends),
            name: door.name,
        }
    });
    let admin = Listening {
        name: "admin".to_owned(),
        address: state.address.to_string(),
        serves: "admin".to_owned(),
        ..Listening::default()
    };
    doors.chain([admin]).collect()
}

fn connections(read: &Reading) -> Connections {
    Connections {
        open: read.total(&CONNECTIONS_OPEN, &[]),
        accepted: read.total(&CONNECTIONS_ACCEPTED, &[]),
        refused: read.total(&CONNECTIONS_REFUSED, &[]),
        yielded: read.total(&CONNECTIONS_YIELDED, &[]),
        tls_handshakes: read.total(&TLS_HANDSHAKES, &[]),
        tls_failures: read.by(&TLS_HANDSHAKE_FAILURES, "reason", &[]),
    }
}

/// So many at most, and how many are left out.
fn routes(site: &Site, read: &Reading) -> (Vec<Going>, usize) {
    let settings = &site.settings;
    let names = site.lane_names();
    let places = settings.routes.iter().map(|route| (from(route), to(route)));
    let jobs = settings.job_listeners.iter();
    let places = places.chain(jobs.map(|one| (one.address.to_string(), "tenants".to_owned())));
    let left_out = names.len().saturating_sub(MOST_ROUTES);
    let lanes = names.iter().zip(places).take(MOST_ROUTES);
    let own = ("(gateway)", (String::new(), String::new()));
    let lanes = lanes.map(|(name, places)| (name.as_str(), places)).chain([own]);
    (lanes.map(|(name, places)| going(name, places, read)).collect(), left_out)
}

fn going(name: &str, (from, to): (String, String), read: &Reading) -> Going {
    let of_route = &[("route", name)];
    Going {
        name: name.to_owned(),
        from,
        to,
        in_flight: read.total(&ROUTE_REQUESTS_IN_FLIGHT, of_route),
        requests: read.total(&REQUESTS, of_route),
        statuses: read.by(&REQUESTS, "status", of_route),
        took: (&read.times(&REQUEST_DURATION, &[name])).into(),
        upstream: read.by(&UPSTREAM_REQUESTS, "outcome", of_route),
        upstream_took: (&read.times(&UPSTREAM_RESPONSE, &[name])).into(),
    }
}

fn from(route: &Route) -> String {
    let hosts: Vec<&str> = route.hosts.iter().map(|host| host.origin.authority()).collect();
    format!("{}{}", hosts.join(","), route.path.path)
}

fn to(route: &Route) -> String {
    match &route.upstream {
        Destination::App(app) => match (&app.servers.name, app.servers.each.first()) {
            (Some(name), _) => format!("upstream {name}"),
            (None, Some(server)) => server.to_string(),
            (None, None) => String::new(),
        },
        Destination::Checked => "the proxy that asks".to_owned(),
        Destination::Tenant(_) => "tenants".to_owned(),
    }
}

/// So many at most, those that are down first.
fn servers(site: &Site, read: &Reading) -> Vec<Serving> {
    let mut every = site.servers();
    every.sort_by_key(|server| server.is_up);
    let told = every.iter().take(MOST_SERVERS).map(|server| Serving {
        upstream: server.upstream.to_owned(),
        server: server.server.to_owned(),
        up: server.is_up,
        in_flight: server.in_flight as u64,
        failures: read.by(
            &UPSTREAM_SERVER_FAILURES,
            "kind",
            &[("upstream", server.upstream), ("server", server.server)],
        ),
    });
    told.collect()
}

fn links(state: &State) -> BTreeMap<String, bool> {
    let links = state.load.links().into_iter();
    links.map(|(name, link)| (name.to_owned(), link == LinkState::Up)).collect()
}

/// Endpoints that were called.
fn superid(read: &Reading) -> Vec<Calling> {
    let every = SuperIdCalls::ENDPOINTS.into_iter().map(|endpoint| Calling {
        endpoint: endpoint.to_owned(),
        calls: read.by(&SUPERID_CALLS, "outcome", &[("endpoint", endpoint)]),
        took: (&read.times(&SUPERID_CALL_DURATION, &[endpoint])).into(),
    });
    every.filter(|calling| !calling.calls.is_empty()).collect()
}

fn sign_ins(read: &Reading) -> SignIns {
    SignIns {
        begun: read.total(&SIGN_INS_BEGUN, &[]),
        signed_in: read.total(&SIGN_INS, &[("outcome", "signed_in")]),
        failed: read.by(&SIGN_INS, "reason", &[("outcome", "failed")]),
    }
}

fn sessions(read: &Reading) -> Sessions {
    Sessions {
        made: read.total(&SESSIONS_MADE, &[]),
        renewed: read.total(&SESSIONS_RENEWED, &[]),
        signed_out: read.total(&SESSIONS_ENDED, &[("reason", "signed_out")]),
        cookies_refused: read.by(&SESSION_COOKIES_REFUSED, "reason", &[]),
    }
}

fn tickets(read: &Reading) -> Tickets {
    Tickets {
        held: read.by(&TICKETS, "state", &[]),
        hits: read.total(&TICKET_LOOKUPS, &[("answer", "hit")]),
        misses: read.total(&TICKET_LOOKUPS, &[("answer", "miss")]),
        renewals: read.total(&TICKET_RENEWALS, &[]),
        exchanges: read.by(&TICKET_EXCHANGES, "outcome", &[]),
        shared: read.by(&TICKET_SHARES, "outcome", &[]),
    }
}

fn configuration(read: &Reading) -> Configuration {
    Configuration {
        since: read.total(&CONFIG_LAST_RELOAD_SUCCESS_TIMESTAMP, &[]),
        taken: read.total(&CONFIG_RELOADS, &[("outcome", "taken")]),
        refused: read.total(&CONFIG_RELOADS, &[("outcome", "refused")]),
        latest_taken: read.total(&CONFIG_LAST_RELOAD_SUCCESSFUL, &[]) == 1,
    }
}

/// The document stays within some 100 kB.
const MOST_ROUTES: usize = 100;
const MOST_SERVERS: usize = 100;
