//! One flight for a ticket: look whether another replica has one, and buy it otherwise.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::identity::TenantKey;
use crate::redis_link::{Lease, LinkFailed, Turn};
use crate::telemetry::{TicketShare, current, traced};

use super::back_off::Refusal;
use super::buyer::Buyer;
use super::flight::Flight;
use super::held::Held;
use super::shared::SharedTickets;
use super::slot::{Failed, Slot};

/// A flight with everything it needs. Dropped half way, it leaves the slot to the next.
pub(super) struct Errand {
    buyer: Arc<Buyer>,
    slot: Arc<Slot>,
    key: TenantKey,
    flight: Flight,
}

/// What an errand brings home.
type Brought = Result<Arc<Held>, Failed>;

impl Errand {
    /// Sets out, on the runtime of whoever calls: a caller who gives up does not take the errand
    /// down for the others. Without a runtime it ends at once, and whoever waits takes over.
    pub fn send(buyer: &Arc<Buyer>, slot: Arc<Slot>, key: &TenantKey, flight: Flight) {
        let errand = Self { buyer: buyer.clone(), slot, key: key.clone(), flight };
        if let Ok(runtime) = Handle::try_current() {
            // Who is first pays for all, in traces too.
            runtime.spawn(traced(current(), errand.run()));
        }
    }

    async fn run(self) {
        let brought = self.obtain().await;
        self.slot.land(&self.flight, brought, self.buyer.clock.now());
    }

    /// Replicas spare each other exchanges where they can. Where the store fails, this process buys
    /// for itself: correctness goes before thrift, and its own count still holds.
    async fn obtain(&self) -> Brought {
        if let Some(shared) = &self.buyer.shared {
            match self.obtain_shared(shared).await {
                Ok(brought) => return brought,
                Err(failed) => {
                    self.buyer.counters.shared(TicketShare::Unavailable);
                    tracing::info!(tenant = %self.key, reason = %failed, "buying a ticket alone");
                }
            }
        }
        self.obtain_alone().await
    }

    async fn obtain_alone(&self) -> Brought {
        if self.slot.knowledge(self.buyer.clock.now()).blocked {
            return Err(Failed::Looked);
        }
        self.buyer.buy(&self.slot, &self.key).await
    }

    async fn obtain_shared(&self, shared: &SharedTickets) -> Result<Brought, LinkFailed> {
        if let Some(brought) = self.look(shared).await? {
            return Ok(brought);
        }
        if self.slot.knowledge(self.buyer.clock.now()).blocked {
            return Ok(Err(Failed::Looked));
        }
        match shared.turn(&self.key, || self.look(shared)).await? {
            Turn::Found(brought) => Ok(brought),
            Turn::Mine(lease) => self.buy_for_all(shared, lease).await,
            Turn::Waited => Ok(self.obtain_alone().await),
        }
    }

    /// What another replica brought: a ticket that serves here too, or a refusal. In passing, what
    /// is there is set right.
    async fn look(&self, shared: &SharedTickets) -> Result<Option<Brought>, LinkFailed> {
        let mut found = shared.ticket(&self.key).await?;
        let now = self.buyer.clock.now();
        let known = self.slot.knowledge(now);
        if let Some(dead) = found.take_if(|found| known.buries(&found.held)) {
            shared.bury(&self.key, &dead.sealed).await?;
        }
        if let Some(found) = found.take_if(|found| known.takes(&found.held, now)) {
            self.buyer.counters.shared(TicketShare::Adopted);
            return Ok(Some(Ok(Arc::new(found.held))));
        }
        let refusal = shared.refusal(&self.key).await?;
        let counts =
            |refusal: &Refusal| refusal.is_active(now) && known.is_after_forgetting(refusal.at);
        if let Some(refusal) = refusal.filter(counts) {
            return Ok(Some(Err(Failed::Refused(refusal))));
        }
        if let Some(living) = known.to_slide(found.as_ref().map(|found| &found.held)) {
            let sealed = found.as_ref().map(|found| found.sealed.as_slice());
            shared.slide(&self.key, living, sealed).await?;
        }
        Ok(None)
    }

    /// Buys under the lease, and lets the others know. What they do not get to know costs them an
    /// exchange of their own, no more.
    async fn buy_for_all(
        &self,
        shared: &SharedTickets,
        lease: Lease,
    ) -> Result<Brought, LinkFailed> {
        let exchange = self.buyer.random.token();
        let counted = shared.count_in(&self.key, &exchange, self.buyer.clock.now()).await?;
        if let Err(wait) = counted {
            return Ok(Err(Failed::Exhausted(wait)));
        }
        let brought = self.buyer.buy(&self.slot, &self.key).await;
        let told = match &brought {
            Ok(held) => shared.publish(&self.key, held, &lease).await.map(|kept| {
                if kept {
                    self.buyer.counters.shared(TicketShare::Published);
                }
            }),
            Err(failed) => self.tell_failure(shared, failed, &exchange).await,
        };
        lease.release().await;
        if let Err(failed) = told {
            self.buyer.counters.shared(TicketShare::Unavailable);
            tracing::info!(tenant = %self.key, reason = %failed, "a ticket is not shared");
        }
        Ok(brought)
    }

    async fn tell_failure(
        &self,
        shared: &SharedTickets,
        failed: &Failed,
        exchange: &str,
    ) -> Result<(), LinkFailed> {
        let Failed::Refused(refusal) = failed else {
            return shared.count_out(&self.key, exchange).await;
        };
        if !refusal.kind.may_have_exchanged() {
            shared.count_out(&self.key, exchange).await?;
        }
        if refusal.kind.ends_tickets() {
            shared.forget(&self.key, refusal.at).await?;
        }
        shared.refuse(&self.key, refusal, self.buyer.clock.now()).await
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        self.slot.leave(self.flight.number);
    }
}
