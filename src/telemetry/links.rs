//! What is counted of the links to the store that replicas share.

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramVec, IntCounterVec, IntGaugeVec};

/// Counters of every link, by its name. Clones count together.
#[derive(Clone, Debug)]
pub struct LinkCounters {
    commands: IntCounterVec,
    seconds: HistogramVec,
    up: IntGaugeVec,
}

/// Counters of one link.
#[derive(Clone, Debug)]
pub struct LinkCounter {
    name: &'static str,
    commands: IntCounterVec,
    seconds: Histogram,
}

impl LinkCounters {
    /// Counters made elsewhere, each once.
    pub(super) fn of(commands: IntCounterVec, seconds: HistogramVec, up: IntGaugeVec) -> Self {
        Self { commands, seconds, up }
    }

    /// Those of the link with this name.
    pub fn link(&self, name: &'static str) -> LinkCounter {
        self.commands.with_label_values(&[name, ANSWERED]);
        let seconds = self.seconds.with_label_values(&[name]);
        LinkCounter { name, commands: self.commands.clone(), seconds }
    }

    /// Notes which links are up, and forgets the others.
    pub(super) fn stand(&self, links: &[(&str, bool)]) {
        self.up.reset();
        for (name, up) in links {
            self.up.with_label_values(&[*name]).set(i64::from(*up));
        }
    }

    pub(super) fn collectors(&self) -> [Box<dyn Collector>; 3] {
        [Box::new(self.commands.clone()), Box::new(self.seconds.clone()), Box::new(self.up.clone())]
    }
}

impl LinkCounter {
    /// A command is over; `failed` is one of a fixed set of words.
    pub fn carried_out(&self, took: Duration, failed: Option<&str>) {
        self.commands.with_label_values(&[self.name, failed.unwrap_or(ANSWERED)]).inc();
        self.seconds.observe(took.as_secs_f64());
    }
}

const ANSWERED: &str = "answered";

/// Bounds of the histogram, in seconds: from a socket on this machine to the longest timeout.
pub(super) const BOUNDS: [f64; 9] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 10.0];
