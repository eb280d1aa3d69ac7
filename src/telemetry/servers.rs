//! Upstreams' servers, each by its name: there are as many as the configuration has.

use std::sync::Arc;

use super::catalogue::{
    UPSTREAM_SERVER_EJECTIONS, UPSTREAM_SERVER_FAILURES, UPSTREAM_SERVER_REQUESTS_IN_FLIGHT,
    UPSTREAM_SERVER_UP,
};
use super::named::Named;
use super::registry::{Levels, Registry};
use super::series::Counter;

/// Counters of the servers of `[upstream.NAME]`, by upstream and server.
#[derive(Debug)]
pub struct ServerCounters(Named<Counters>);

#[derive(Clone, Debug)]
struct Counters {
    /// In the order of [`ServerFailure`].
    failures: [Counter; 2],
    ejections: Counter,
}

/// How a server stands now.
#[derive(Clone, Copy, Debug)]
pub struct ServerLevel<'a> {
    pub upstream: &'a str,
    /// Its URL.
    pub server: &'a str,
    /// Whether it is sent requests.
    pub is_up: bool,
    pub in_flight: usize,
}

/// How a server failed a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerFailure {
    /// It was sent the request, and gave no answer.
    Answer,
    /// There was no connection to it.
    Connect,
}

impl ServerCounters {
    pub(super) fn of(registry: &Arc<Registry>) -> Self {
        let registry = registry.clone();
        Self(Named::new(MOST, move |name| {
            let (upstream, server) = name.split_once(BETWEEN).unwrap_or((name, name));
            let failures =
                |kind| registry.counter(&UPSTREAM_SERVER_FAILURES, &[upstream, server, kind]);
            Counters {
                failures: ["answer", "connect"].map(failures),
                ejections: registry.counter(&UPSTREAM_SERVER_EJECTIONS, &[upstream, server]),
            }
        }))
    }

    /// A server failed a request.
    pub fn failed(&self, upstream: &str, server: &str, how: ServerFailure) {
        let name = [upstream, server].join(BETWEEN);
        self.0.count(&name, |counters| counters.failures[how as usize].inc());
    }

    /// A server was left out.
    pub fn ejected(&self, upstream: &str, server: &str) {
        let name = [upstream, server].join(BETWEEN);
        self.0.count(&name, |counters| counters.ejections.inc());
    }
}

/// Says how servers stand.
pub fn tell(servers: &[ServerLevel<'_>], levels: &mut Levels) {
    for server in servers {
        let labels = [server.upstream, server.server];
        levels.count(&UPSTREAM_SERVER_UP, &labels, usize::from(server.is_up));
        levels.count(&UPSTREAM_SERVER_REQUESTS_IN_FLIGHT, &labels, server.in_flight);
    }
}

/// What neither name holds.
const BETWEEN: &str = "\n";
/// More than anybody has.
const MOST: usize = 4_096;
