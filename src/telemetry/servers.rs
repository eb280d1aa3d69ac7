//! Upstreams' servers, each by its name: there are as many as the configuration has.

use prometheus::core::Collector;
use prometheus::{IntCounterVec, IntGaugeVec};

/// Counters and gauges of the servers of `[upstream.NAME]`.
#[derive(Debug)]
pub struct ServerCounters {
    pub(super) failures: IntCounterVec,
    pub(super) ejections: IntCounterVec,
    pub(super) up: IntGaugeVec,
    pub(super) in_flight: IntGaugeVec,
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
    /// A server failed a request.
    pub fn failed(&self, upstream: &str, server: &str, how: ServerFailure) {
        let how = match how {
            ServerFailure::Answer => "answer",
            ServerFailure::Connect => "connect",
        };
        self.failures.with_label_values(&[upstream, server, how]).inc();
    }

    /// A server was left out.
    pub fn ejected(&self, upstream: &str, server: &str) {
        self.ejections.with_label_values(&[upstream, server]).inc();
    }

    /// Forgets how servers stood, and notes how they stand.
    pub(super) fn stand(&self, levels: &[ServerLevel<'_>]) {
        self.up.reset();
        self.in_flight.reset();
        for level in levels {
            let labels = [level.upstream, level.server];
            self.up.with_label_values(&labels).set(i64::from(level.is_up));
            let in_flight = i64::try_from(level.in_flight).unwrap_or(i64::MAX);
            self.in_flight.with_label_values(&labels).set(in_flight);
        }
    }

    pub(super) fn collectors(&self) -> [Box<dyn Collector>; 4] {
        [
            Box::new(self.failures.clone()),
            Box::new(self.ejections.clone()),
            Box::new(self.up.clone()),
            Box::new(self.in_flight.clone()),
        ]
    }
}
