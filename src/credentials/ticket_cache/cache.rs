//! The ticket cache: a ticket for whoever calls a tenant as the system user.

use std::sync::Arc;

use crate::clock::{Clock, Timestamp};
use crate::crypto::Random;
use crate::identity::TenantKey;
use crate::telemetry::TicketCounters;

use super::buyer::Buyer;
use super::errand::Errand;
use super::held::Held;
use super::no_ticket::NoTicket;
use super::rights::Rights;
use super::shared::SharedTickets;
use super::slot::{Entry, Slot};
use super::slots::Slots;
use super::source::TicketSource;
use super::status::TicketStatus;

/// Tickets by environment, relying party and tenant. Cheap to clone; all clones are one cache, on
/// whatever threads and runtimes.
#[derive(Clone)]
pub struct TicketCache {
    buyer: Arc<Buyer>,
    rights: Arc<Rights>,
    slots: Arc<Slots>,
}

/// Whether a call that was turned away is made once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    No,
    Yes,
}

impl TicketCache {
    /// An empty cache with room for 10,000 tenants.
    pub fn new(
        source: Arc<dyn TicketSource>,
        clock: Clock,
        random: Random,
        counters: TicketCounters,
    ) -> Self {
        let rights = Arc::new(Rights::new(clock.clone()));
        let buyer = Arc::new(Buyer { source, clock, random, counters, shared: None });
        Self { buyer, rights, slots: Arc::new(Slots::new(TENANTS)) }
    }

    /// The same, still empty, with room for about so many tenants.
    pub fn with_room(self, tenants: usize) -> Self {
        Self { slots: Arc::new(Slots::new(tenants)), ..self }
    }

    /// The same, still empty, that shares its tickets with other replicas.
    pub fn with_shared(self, shared: SharedTickets) -> Self {
        let buyer = Buyer { shared: Some(shared), ..(*self.buyer).clone() };
        Self { buyer: Arc::new(buyer), ..self }
    }

    /// The living ticket of a tenant, at once, or nothing. Counts as a use. At the age of an hour
    /// or so, a younger one is bought in the background. A function of its own in the program too: the
    /// gate on instruction counts finds it by name.
    #[inline(never)]
    pub fn held(&self, key: &TenantKey) -> Option<Arc<Held>> {
        let now = self.buyer.clock.now();
        let (held, due) = self.slots.find(key, |slot| {
            let held = slot.living(now)?;
            held.touch(now);
            let due = held.is_due(now).then(|| slot.clone());
            Some((held, due))
        })??;
        if let Some(slot) = due {
            self.renew(key, slot, &held, now);
        }
        self.buyer.counters.hit();
        Some(held)
    }

    /// A living ticket of a tenant: the one that is kept, or one bought now, once for everybody who
    /// asks. Must be called in a tokio runtime with time.
    ///
    /// # Errors
    /// [`NoTicket`]: buying failed, now or within the back-off; the four exchanges of this hour are
    /// gone; or there is no room.
    pub async fn get(&self, key: &TenantKey) -> Result<Arc<Held>, NoTicket> {
        if let Some(held) = self.held(key) {
            return Ok(held);
        }
        self.buyer.counters.missed();
        let slot = self.slots.find_or_make(key, self.now())?;
        let looks_after = self.buyer.shared.as_ref().map(|_| LOOKS_AFTER);
        for _ in 0..TAKEOVERS {
            let waiting = match slot.enter(self.now(), looks_after) {
                Entry::Held(held) => return Ok(self.used(held)),
                Entry::Lead(flight, waiting) => {
                    Errand::send(&self.buyer, slot.clone(), key, flight);
                    waiting
                }
                Entry::Refused(refused) => return Err(refused),
                Entry::Wait(waiting) => waiting,
            };
            if let Some(landed) = waiting.landed().await {
                return landed.map(|held| self.used(held));
            }
        }
        Err(NoTicket::Stopped)
    }

    /// The tenant answered 401: this ticket is dropped if it is still the cached one. The caller
    /// asks for another and tries once more.
    pub fn died(&self, key: &TenantKey, held: &Held) {
        self.slots.find(key, |slot| slot.bury(held.id()));
    }

    /// The tenant answered 403 to this path. A ticket older than 15 minutes may have died: it is
    /// set aside, and the call is made once more with another. A younger one lacks a right: that is
    /// remembered for the tenant and the path's first segments for 15 minutes, and no ticket is
    /// blamed for it meanwhile.
    pub fn forbidden(&self, key: &TenantKey, held: &Held, path: &str) -> Again {
        if self.rights.are_known_to_lack(key, path) {
            return Again::No;
        }
        let is_current = self
            .slots
            .find(key, |slot| slot.current().is_some_and(|current| current.id() == held.id()));
        let has_another = is_current == Some(false);
        if has_another || (held.is_old_enough_to_doubt(self.now()) && !held.is_doubted()) {
            self.slots.find(key, |slot| slot.doubt(held.id()));
            return Again::Yes;
        }
        self.rights.remember(key, path);
        Again::No
    }

    /// Nothing that was learnt of the tenant counts any more: the vault's entry changed, or the
    /// state API says that the tenant is gone. The exchanges of the hour still count. What replicas
    /// share is removed in the background; what they hold in memory, they keep until a 401.
    pub fn forget(&self, key: &TenantKey) {
        let now = self.now();
        self.rights.forget(key);
        if self.buyer.shared.is_some() {
            // Where there is no place for it, nothing of it is known here.
            let _place = self.slots.find_or_make(key, now);
        }
        self.slots.find(key, |slot| slot.forget(now));
        self.buyer.forget_shared(key, now);
    }

    /// The tenants by name, so many at most.
    pub fn status(&self, most: usize) -> Vec<TicketStatus> {
        let mut every = self.slots.every();
        every.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let now = self.now();
        every.into_iter().take(most).map(|(key, slot)| told(key, &slot, now)).collect()
    }

    /// How every tenant's ticket stands, in a word.
    pub fn states(&self) -> Vec<&'static str> {
        let now = self.now();
        let every = self.slots.every().into_iter();
        every.map(|(key, slot)| told(key, &slot, now).state.name()).collect()
    }

    /// How many tenants have a place.
    pub fn tenants(&self) -> usize {
        self.slots.count()
    }

    fn renew(&self, key: &TenantKey, slot: Arc<Slot>, held: &Held, now: Timestamp) {
        if let Some(flight) = slot.renew(held, now) {
            self.buyer.counters.renewing();
            Errand::send(&self.buyer, slot, key, flight);
        }
    }

    fn used(&self, held: Arc<Held>) -> Arc<Held> {
        held.touch(self.now());
        held
    }

    fn now(&self) -> Timestamp {
        self.buyer.clock.now()
    }
}

fn told(key: TenantKey, slot: &Slot, now: Timestamp) -> TicketStatus {
    let (state, exchanges) = slot.told(now);
    let living = slot.living(now);
    TicketStatus {
        key,
        state,
        age: living.as_ref().map(|held| now.since(held.bought())),
        idle: living.as_ref().map(|held| now.since(held.last_used())),
        exchanges,
    }
}

/// Seconds: while a refusal lasts, another replica may have got a ticket.
const LOOKS_AFTER: u64 = 5;
/// A tenant costs about a kilobyte.
const TENANTS: usize = 10_000;
/// Each takes a runtime that ends, a source that panics or a `forget` in the midst of it.
const TAKEOVERS: usize = 8;
