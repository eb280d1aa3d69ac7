//! Buying a ticket: one errand at a time for a tenant, as a task of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::clock::{Clock, Timestamp};
use crate::crypto::Random;
use crate::identity::TenantKey;
use crate::telemetry::{TicketCounters, TicketExchange};

use super::back_off::Refusal;
use super::held::Held;
use super::shared::SharedTickets;
use super::slot::{Failed, Slot};
use super::source::{Bought, BuyFailed, BuyFailure, TicketSource};

/// Whom tickets are bought from, and what that needs.
#[derive(Clone)]
pub(super) struct Buyer {
    pub source: Arc<dyn TicketSource>,
    pub clock: Clock,
    pub random: Random,
    pub counters: TicketCounters,
    pub shared: Option<SharedTickets>,
}

impl Buyer {
    /// One exchange with SuperID, if this process has one left for the tenant this hour.
    pub async fn buy(&self, slot: &Slot, key: &TenantKey) -> Result<Arc<Held>, Failed> {
        slot.reserve(self.clock.now())?;
        let failed = match self.ask(key).await {
            Ok(bought) => {
                self.counters.exchanged(TicketExchange::Bought);
                return Ok(Arc::new(Held::new(bought, &self.random)));
            }
            Err(failed) => failed,
        };
        self.counters.exchanged(match failed.kind {
            BuyFailure::Outage => TicketExchange::Outage,
            kind if kind.may_have_exchanged() => TicketExchange::Refused,
            _ => TicketExchange::Unsent,
        });
        if !failed.kind.may_have_exchanged() {
            slot.refund();
        }
        let now = self.clock.now();
        let before = slot.knowledge(now).refusal;
        Err(Failed::Refused(Refusal::after(before.as_ref(), &failed, now, &self.random)))
    }

    /// Removes what replicas shared of a tenant until `then`, in the background.
    pub fn forget_shared(&self, key: &TenantKey, then: Timestamp) {
        let (Some(shared), Ok(runtime)) = (self.shared.clone(), Handle::try_current()) else {
            return;
        };
        let key = key.clone();
        runtime.spawn(async move {
            for _ in 0..FORGETTINGS {
                if shared.forget(&key, then).await.is_ok() {
                    return;
                }
                tokio::time::sleep(BETWEEN_FORGETTINGS).await;
            }
            tracing::warn!(tenant = %key, "a forgotten ticket may be left in redis until it dies");
        });
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

/// A source has bounds of its own; this one keeps a broken source from holding a tenant for ever.
const LONGEST: Duration = Duration::from_secs(60);
const FORGETTINGS: usize = 10;
const BETWEEN_FORGETTINGS: Duration = Duration::from_secs(5);
