//! A ticket that is kept: its age, its last use, and when it is looked at again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use http::HeaderValue;

use crate::clock::Timestamp;
use crate::crypto::Random;
use crate::identity::Ticket;

use super::source::Bought;

/// Names one purchase, here and on every replica that shares it. Not a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketId(pub [u8; 16]);

/// A ticket with its life. Whoever was given one may go on using it, also when it is replaced.
#[derive(Debug)]
pub struct Held {
    ticket: Ticket,
    /// The value of `Authorization`: every call needs it.
    authorization: Option<HeaderValue>,
    id: TicketId,
    bought: Timestamp,
    used: AtomicU64,
    /// When a hit looks for a younger one.
    renew_at: AtomicU64,
    /// A 403 cast doubt on it, and a younger one could not be had.
    doubted: AtomicBool,
}

impl Held {
    /// One just bought.
    pub(super) fn new(bought: Bought, random: &Random) -> Self {
        let id = TicketId(random.bytes());
        Self::known(bought.ticket, id, bought.bought, bought.bought, random)
    }

    /// One that was bought and used before, perhaps elsewhere.
    pub(super) fn known(
        ticket: Ticket,
        id: TicketId,
        bought: Timestamp,
        used: Timestamp,
        random: &Random,
    ) -> Self {
        let jitter = u64::from(u16::from_be_bytes(random.bytes())) % JITTER;
        Self {
            authorization: ticket.authorization(),
            ticket,
            id,
            bought,
            used: AtomicU64::new(used.0),
            renew_at: AtomicU64::new(bought.plus(RENEWAL_AGE + jitter).0),
            doubted: AtomicBool::new(false),
        }
    }

    /// The ticket, for a header.
    pub fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    /// The value of `Authorization` for it.
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// Names this purchase.
    pub fn id(&self) -> TicketId {
        self.id
    }

    /// When SuperID was asked for it.
    pub fn bought(&self) -> Timestamp {
        self.bought
    }

    /// When it was last given to a caller here.
    pub fn last_used(&self) -> Timestamp {
        Timestamp(self.used.load(Ordering::Relaxed))
    }

    /// Whether SuperOffice still takes it, for all we know: it slides six hours from its last use
    /// (`superid.md` §5).
    pub fn is_alive(&self, now: Timestamp) -> bool {
        now.since(self.last_used()) < LIFE
    }

    /// Whether a ticket that old may be replaced because of a 403.
    pub(super) fn is_old_enough_to_doubt(&self, now: Timestamp) -> bool {
        now.since(self.bought) > DOUBTFUL_AGE
    }

    /// Whether it is young enough that nobody needs a younger one.
    pub(super) fn is_young(&self, now: Timestamp) -> bool {
        now.since(self.bought) < RENEWAL_AGE
    }

    pub(super) fn touch(&self, now: Timestamp) {
        // Within a second there is nothing to write, and so no cache line to fight for.
        if self.used.load(Ordering::Relaxed) < now.0 {
            self.used.fetch_max(now.0, Ordering::Relaxed);
        }
    }

    /// Whether this caller is the one who looks for a younger ticket; the next look is a minute
    /// later unless somebody sets another time.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let due = self.renew_at.load(Ordering::Relaxed);
        due <= now.0
            && self
                .renew_at
                .compare_exchange(due, now.0 + RELOOK, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    pub(super) fn renew_at(&self, then: Timestamp) {
        self.renew_at.store(then.0, Ordering::Relaxed);
    }

    pub(super) fn doubt(&self) {
        self.doubted.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_doubted(&self) -> bool {
        self.doubted.load(Ordering::Relaxed)
    }
}

/// Six hours from the last use (`superid.md` §5) less a quarter: for clocks that differ, and for
/// the call that is still on its way when it runs out.
pub(super) const LIFE: u64 = 6 * 3_600 - 15 * 60;
/// "At most about once an hour" is SuperOffice's advice (`superid.md` §5).
pub(super) const RENEWAL_AGE: u64 = 3_600;
/// Spreads tenants that were bought for together, and replicas of one.
const JITTER: u64 = 15 * 60;
const RELOOK: u64 = 60;
/// A younger ticket that gets 403 lacks a right; an older one may have died.
const DOUBTFUL_AGE: u64 = 15 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_lives_on_from_its_last_use() {
        let held = held();
        assert!(held.is_alive(Timestamp(LIFE - 1)));
        assert!(!held.is_alive(Timestamp(LIFE)));
        held.touch(Timestamp(5 * 3_600));
        assert!(held.is_alive(Timestamp(5 * 3_600 + LIFE - 1)));
    }

    #[test]
    fn one_caller_an_hour_or_so_is_told_to_renew() {
        let held = held();
        assert!(!held.is_due(Timestamp(RENEWAL_AGE - 1)));
        let late = Timestamp(RENEWAL_AGE + JITTER);
        assert!(held.is_due(late));
        assert!(!held.is_due(late));
        assert!(held.is_due(late.plus(RELOOK)));
    }

    fn held() -> Held {
        let ticket = Ticket::parse("7T:abc").unwrap();
        Held::new(Bought { ticket, bought: Timestamp(0) }, &Random::counting())
    }
}
