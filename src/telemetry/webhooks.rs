//! What is counted of telling apps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::catalogue::{
    WEBHOOK_DELIVERIES, WEBHOOK_EVENTS_SET_ASIDE, WEBHOOK_EVENTS_WAITING, WEBHOOK_OLDEST_EVENT,
};
use super::registry::{Levels, Registry};
use super::series::Counter;

/// Counters of deliveries, and what waits.
#[derive(Clone, Debug)]
pub struct WebhookCounters {
    by_outcome: [Counter; 4],
    waiting: Arc<AtomicU64>,
    aside: Arc<AtomicU64>,
    /// In seconds.
    oldest: Arc<AtomicU64>,
}

/// How one try to deliver an event ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It is tried again.
    Failed,
    /// The app says that nobody takes events there any more. It is tried again, seldom.
    Gone,
    /// The event is damaged. It is kept apart, and told to nobody.
    SetAside,
    Taken,
}

impl WebhookCounters {
    pub(super) fn of(registry: &Registry) -> Self {
        let outcomes = ["failed", "gone", "set_aside", "taken"];
        let by_outcome = outcomes.map(|outcome| registry.counter(&WEBHOOK_DELIVERIES, &[outcome]));
        Self { by_outcome, waiting: Arc::default(), aside: Arc::default(), oldest: Arc::default() }
    }

    /// An event was posted, or could not be.
    pub fn delivered(&self, outcome: Delivery) {
        self.by_outcome[outcome as usize].inc();
    }

    /// So many events wait, the oldest of them for so many seconds, and so many are set aside.
    pub fn waiting(&self, events: usize, seconds: u64, aside: usize) {
        self.waiting.store(events as u64, Ordering::Relaxed);
        self.aside.store(aside as u64, Ordering::Relaxed);
        self.oldest.store(seconds, Ordering::Relaxed);
    }

    pub(super) fn tell(&self, levels: &mut Levels) {
        let number = |value: &AtomicU64| value.load(Ordering::Relaxed) as f64;
        levels.add(&WEBHOOK_EVENTS_WAITING, &[], number(&self.waiting));
        levels.add(&WEBHOOK_EVENTS_SET_ASIDE, &[], number(&self.aside));
        levels.add(&WEBHOOK_OLDEST_EVENT, &[], number(&self.oldest));
    }
}
