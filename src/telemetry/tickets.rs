//! What is counted of system user tickets.

use prometheus::core::Collector;
use prometheus::{IntCounter, IntCounterVec};

/// Counters of one ticket cache. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub struct TicketCounters {
    exchanges: IntCounterVec,
    by_outcome: [IntCounter; 4],
    lookups: IntCounterVec,
    hits: IntCounter,
    misses: IntCounter,
    renewals: IntCounter,
    shared: IntCounterVec,
    by_share: [IntCounter; 3],
}

/// How asking SuperID for a ticket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketExchange {
    Bought,
    /// No usable answer.
    Outage,
    Refused,
    /// It did not come to an exchange.
    Unsent,
}

/// What the store that replicas share did for a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketShare {
    /// A ticket another replica had bought was taken over.
    Adopted,
    /// Ours was put there.
    Published,
    /// The store did not answer in time; this process went on by itself.
    Unavailable,
}

impl TicketCounters {
    /// Counters made elsewhere, each once.
    pub(super) fn of(
        exchanges: IntCounterVec,
        lookups: IntCounterVec,
        renewals: IntCounter,
        shared: IntCounterVec,
    ) -> Self {
        let outcomes = ["bought", "outage", "refused", "unsent"];
        let shares = ["adopted", "published", "unavailable"];
        Self {
            by_outcome: outcomes.map(|outcome| exchanges.with_label_values(&[outcome])),
            by_share: shares.map(|outcome| shared.with_label_values(&[outcome])),
            exchanges,
            hits: lookups.with_label_values(&["hit"]),
            misses: lookups.with_label_values(&["miss"]),
            lookups,
            renewals,
            shared,
        }
    }

    /// A living ticket was at hand.
    pub fn hit(&self) {
        self.hits.inc();
    }

    /// There was none: the caller waits for one, or is refused.
    pub fn missed(&self) {
        self.misses.inc();
    }

    /// A younger ticket is looked for in the background.
    pub fn renewing(&self) {
        self.renewals.inc();
    }

    /// SuperID was asked, or could not be.
    pub fn exchanged(&self, outcome: TicketExchange) {
        self.by_outcome[outcome as usize].inc();
    }

    /// The shared store was asked.
    pub fn shared(&self, outcome: TicketShare) {
        self.by_share[outcome as usize].inc();
    }

    /// How often each outcome was, in the order of [`TicketExchange`].
    pub fn exchanges(&self) -> [u64; 4] {
        self.by_outcome.each_ref().map(IntCounter::get)
    }

    /// Hits and misses.
    pub fn lookups(&self) -> (u64, u64) {
        (self.hits.get(), self.misses.get())
    }

    /// How often each was, in the order of [`TicketShare`].
    pub fn shares(&self) -> [u64; 3] {
        self.by_share.each_ref().map(IntCounter::get)
    }

    pub(super) fn collectors(&self) -> [Box<dyn Collector>; 4] {
        [
            Box::new(self.exchanges.clone()),
            Box::new(self.lookups.clone()),
            Box::new(self.renewals.clone()),
            Box::new(self.shared.clone()),
        ]
    }
}
