//! What `superid-gateway status` shows: how the gateway stands, without secrets and names of people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::recent::{Happened, TurnedAway};
use super::series::Times;

/// The whole of it, as JSON at `/status`. Counts are since the process began. Each list and map is
/// bounded: by the configuration, by a fixed set of words, or by a number. What is absent where a
/// newer gateway answers is taken for nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Overview {
    pub version: String,
    pub process: u32,
    /// `ready` or `stopping`.
    pub state: String,
    /// Seconds since 1970.
    pub now: u64,
    /// Seconds.
    pub up: u64,
    pub machine: Machine,
    pub listeners: Vec<Listening>,
    pub connections: Connections,
    pub requests_in_flight: u64,
    /// In the order of the configuration, then job listeners, and `(gateway)` last.
    pub routes: Vec<Going>,
    /// Routes beyond those.
    pub routes_left_out: usize,
    /// Servers of upstreams.
    pub servers: Vec<Serving>,
    /// Links to the store that replicas share, and whether they are up.
    pub links: BTreeMap<String, bool>,
    pub superid: Vec<Calling>,
    pub sign_ins: SignIns,
    pub sessions: Sessions,
    pub tickets: Tickets,
    /// How many in which state.
    pub tenants: BTreeMap<String, u64>,
    /// Limits and deadlines that were met, how often.
    pub limits: BTreeMap<String, u64>,
    /// Refusals by reason.
    pub refused: BTreeMap<String, u64>,
    pub configuration: Configuration,
    /// The latest first.
    pub refusals: Vec<TurnedAway>,
    /// The latest first.
    pub changes: Vec<Happened>,
}

/// What the process takes of its machine; absent where the system does not say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    pub cpu_seconds: Option<f64>,
    pub memory_bytes: Option<u64>,
    pub open_fds: Option<u64>,
    pub max_fds: Option<u64>,
}

/// A listener.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Listening {
    pub name: String,
    pub address: String,
    /// `people`, `jobs` or `admin`.
    pub serves: String,
    pub tls: bool,
    /// When its certificate stops being valid, in seconds since 1970.
    pub certificate_ends: Option<u64>,
}

/// Connections of clients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Connections {
    pub open: u64,
    pub accepted: u64,
    pub refused: u64,
    pub yielded: u64,
    pub tls_handshakes: u64,
    pub tls_failures: BTreeMap<String, u64>,
}

/// A route, or a job listener, and what stands behind it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Going {
    pub name: String,
    /// Where it begins: host and path.
    pub from: String,
    /// The app's URL, `upstream` and its name, or `tenants`.
    pub to: String,
    pub in_flight: u64,
    pub requests: u64,
    /// By class of status.
    pub statuses: BTreeMap<String, u64>,
    /// From a request's head to the end of its answer.
    pub took: Took,
    /// Times the upstream was asked, by how that went.
    pub upstream: BTreeMap<String, u64>,
    /// To the head of its answer.
    pub upstream_took: Took,
}

/// Times, in milliseconds; estimated from histograms, absent where there was none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Took {
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
}

/// A server of an `[upstream.NAME]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Serving {
    pub upstream: String,
    pub server: String,
    /// Whether it is sent requests.
    pub up: bool,
    pub in_flight: u64,
    /// Requests it failed, by kind.
    pub failures: BTreeMap<String, u64>,
}

/// An endpoint of SuperID's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Calling {
    pub endpoint: String,
    /// By outcome.
    pub calls: BTreeMap<String, u64>,
    pub took: Took,
}

/// Sign-ins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignIns {
    pub begun: u64,
    pub signed_in: u64,
    /// By reason.
    pub failed: BTreeMap<String, u64>,
}

/// Sessions. How many live nobody knows: they are with the browsers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sessions {
    pub made: u64,
    pub renewed: u64,
    pub signed_out: u64,
    /// Cookies that counted for nothing, by why.
    pub cookies_refused: BTreeMap<String, u64>,
}

/// Tickets of system users.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tickets {
    /// Tenants by how their ticket stands.
    pub held: BTreeMap<String, u64>,
    pub hits: u64,
    pub misses: u64,
    pub renewals: u64,
    /// By outcome.
    pub exchanges: BTreeMap<String, u64>,
    /// By outcome.
    pub shared: BTreeMap<String, u64>,
}

/// The configuration in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Configuration {
    /// Since when, in seconds since 1970.
    pub since: u64,
    pub taken: u64,
    pub refused: u64,
    /// Whether the latest that was offered is the one in force.
    pub latest_taken: bool,
}

impl From<&Times> for Took {
    fn from(times: &Times) -> Self {
        let of = |share| times.quantile(share).map(|micros| micros as f64 / 1e3);
        Self { p50_ms: of(0.5), p99_ms: of(0.99) }
    }
}
