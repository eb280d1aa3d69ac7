//! Buying a ticket: one errand at a time for a tenant, as a task of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::clock::Clock;
use crate::crypto::Random;
use crate::identity::TenantKey;
use crate::telemetry::{TicketCounters, TicketExchange};

use super::flight::Flight;
use super::held::Held;
use super::slot::{Failed, Slot};
use super::source::{Bought, BuyFailed, BuyFailure, TicketSource};

/// Whom tickets are bought from, and what that needs.
pub(super) struct Buyer {
    pub source: Arc<dyn TicketSource>,
    pub clock: Clock,
    pub random: Random,
    pub counters: TicketCounters,
}

impl Buyer {
    /// Sets out for a ticket, on the runtime of whoever calls: a caller who gives up does not take
    /// the errand down for the others. Without a runtime, nothing happens and nobody is told.
    pub fn send(self: &Arc<Self>, slot: Arc<Slot>, key: &TenantKey, flight: Flight) {
        let errand = Errand { buyer: self.clone(), slot, key: key.clone(), flight };
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(errand.run());
        }
    }

    /// One exchange with SuperID, if the slot has one left this hour.
    async fn buy(&self, slot: &Slot, key: &TenantKey) -> Result<Arc<Held>, Failed> {
        slot.reserve(self.clock.now())?;
        let bought = self.ask(key).await;
        self.counters.exchanged(match &bought {
            Ok(_) => TicketExchange::Bought,
            Err(failed) if failed.kind == BuyFailure::Outage => TicketExchange::Outage,
            Err(failed) if failed.kind.may_have_exchanged() => TicketExchange::Refused,
            Err(_) => TicketExchange::Unsent,
        });
        match bought {
            Ok(bought) => Ok(Arc::new(Held::new(bought, &self.random))),
            Err(failed) => {
                if !failed.kind.may_have_exchanged() {
                    slot.refund();
                }
                Err(Failed::Here(failed))
            }
        }
    }

    async fn ask(&self, key: &TenantKey) -> Result<Bought, BuyFailed> {
        match tokio::time::timeout(LONGEST, self.source.buy(key)).await {
            Ok(bought) => bought,
            Err(_elapsed) => Err(BuyFailed {
                kind: BuyFailure::Outage,
                detail: "no answer within a minute".to_owned(),
            }),
        }
    }
}

/// One flight with everything it needs. Dropped half way, it leaves the slot to the next.
struct Errand {
    buyer: Arc<Buyer>,
    slot: Arc<Slot>,
    key: TenantKey,
    flight: Flight,
}

impl Errand {
    async fn run(self) {
        let brought = self.obtain().await;
        let Buyer { clock, random, .. } = &*self.buyer;
        self.slot.land(&self.flight, brought, clock.now(), random);
    }

    async fn obtain(&self) -> Result<Arc<Held>, Failed> {
        let known = self.slot.knowledge(self.buyer.clock.now());
        if known.blocked {
            return Err(Failed::Looked);
        }
        self.buyer.buy(&self.slot, &self.key).await
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        self.slot.leave(self.flight.number);
    }
}

/// A source has bounds of its own; this one keeps a broken source from holding a tenant for ever.
const LONGEST: Duration = Duration::from_secs(60);
