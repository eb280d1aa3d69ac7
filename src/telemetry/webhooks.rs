//! What is counted of telling apps.

use prometheus::core::Collector;
use prometheus::{IntCounter, IntCounterVec, IntGauge};

/// Counters of deliveries, and what waits.
#[derive(Clone, Debug)]
pub struct WebhookCounters {
    deliveries: IntCounterVec,
    by_outcome: [IntCounter; 2],
    waiting: IntGauge,
    oldest: IntGauge,
}

/// How one try to deliver an event ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It is tried again.
    Failed,
    Taken,
}

impl WebhookCounters {
    /// Over metrics made elsewhere, each once; `deliveries` has the label `outcome`.
    pub(super) fn of(deliveries: IntCounterVec, waiting: IntGauge, oldest: IntGauge) -> Self {
        let outcomes = ["failed", "taken"];
        let by_outcome = outcomes.map(|outcome| deliveries.with_label_values(&[outcome]));
        Self { deliveries, by_outcome, waiting, oldest }
    }

    /// An event was posted, or could not be.
    pub fn delivered(&self, outcome: Delivery) {
        self.by_outcome[outcome as usize].inc();
    }

    /// So many events wait, the oldest of them for so many seconds.
    pub fn waiting(&self, events: usize, seconds: u64) {
        self.waiting.set(i64::try_from(events).unwrap_or(i64::MAX));
        self.oldest.set(i64::try_from(seconds).unwrap_or(i64::MAX));
    }

    pub(super) fn collectors(&self) -> [Box<dyn Collector>; 3] {
        [
            Box::new(self.deliveries.clone()),
            Box::new(self.waiting.clone()),
            Box::new(self.oldest.clone()),
        ]
    }
}
