//! What is counted of system user tickets.

use super::catalogue::{TICKET_EXCHANGES, TICKET_LOOKUPS, TICKET_RENEWALS, TICKET_SHARES};
use super::registry::Registry;
use super::series::Counter;

/// Counters of one ticket cache. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub struct TicketCounters {
    by_outcome: [Counter; 4],
    hits: Counter,
    misses: Counter,
    renewals: Counter,
    by_share: [Counter; 3],
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
    pub(super) fn of(registry: &Registry) -> Self {
        let outcomes = ["bought", "outage", "refused", "unsent"];
        let shares = ["adopted", "published", "unavailable"];
        Self {
            by_outcome: outcomes.map(|outcome| registry.counter(&TICKET_EXCHANGES, &[outcome])),
            by_share: shares.map(|outcome| registry.counter(&TICKET_SHARES, &[outcome])),
            hits: registry.counter(&TICKET_LOOKUPS, &["hit"]),
            misses: registry.counter(&TICKET_LOOKUPS, &["miss"]),
            renewals: registry.counter(&TICKET_RENEWALS, &[]),
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
        self.by_outcome.each_ref().map(Counter::get)
    }

    /// Hits and misses.
    pub fn lookups(&self) -> (u64, u64) {
        (self.hits.get(), self.misses.get())
    }

    /// How often each was, in the order of [`TicketShare`].
    pub fn shares(&self) -> [u64; 3] {
        self.by_share.each_ref().map(Counter::get)
    }
}
