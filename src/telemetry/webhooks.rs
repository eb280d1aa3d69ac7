//! What is counted of telling apps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::catalogue::{WEBHOOK_DELIVERIES, WEBHOOK_EVENTS_WAITING, WEBHOOK_OLDEST_EVENT};
use super::registry::{Levels, Registry};
use super::series::Counter;

/// Counters of deliveries, and what waits.
#[derive(Clone, Debug)]
pub struct WebhookCounters {
    by_outcome: [Counter; 2],
    waiting: Arc<AtomicU64>,
    /// In seconds.
    oldest: Arc<AtomicU64>,
}

/// How one try to deliver an event ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It is tried again.
    Failed,
    Taken,
}

impl WebhookCounters {
    pub(super) fn of(registry: &Registry) -> Self {
        let outcomes = ["failed", "taken"];
        let by_outcome = outcomes.map(|outcome| registry.counter(&WEBHOOK_DELIVERIES, &[outcome]));
        Self { by_outcome, waiting: Arc::default(), oldest: Arc::default() }
    }

    /// An event was posted, or could not be.
    pub fn delivered(&self, outcome: Delivery) {
        self.by_outcome[outcome as usize].inc();
    }

    /// So many events wait, the oldest of them for so many seconds.
    pub fn waiting(&self, events: usize, seconds: u64) {
        self.waiting.store(events as u64, Ordering::Relaxed);
        self.oldest.store(seconds, Ordering::Relaxed);
    }

    pub(super) fn tell(&self, levels: &mut Levels) {
        let number = |value: &AtomicU64| value.load(Ordering::Relaxed) as f64;
        levels.add(&WEBHOOK_EVENTS_WAITING, &[], number(&self.waiting));
        levels.add(&WEBHOOK_OLDEST_EVENT, &[], number(&self.oldest));
    }
}
