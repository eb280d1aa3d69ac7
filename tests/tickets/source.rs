//! A SuperID that sells tickets as told, and counts.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::credentials::{Bought, BuyFailed, BuyFailure, TicketCache, TicketSource};
use superid_gateway::crypto::Random;
use superid_gateway::identity::{ContextId, TenantKey, Ticket};
use superid_gateway::telemetry::{Metrics, TicketCounters};
use tokio::sync::Semaphore;

/// Sells `7T:1`, `7T:2`, … until it is told to fail.
pub struct Shop {
    clock: Clock,
    pub asked: AtomicUsize,
    failing: Mutex<Option<BuyFailure>>,
    /// A purchase takes one of these and keeps it: none, and it waits.
    open: Semaphore,
    /// Told of each purchase that has begun.
    pub begun: Semaphore,
}

impl Shop {
    pub fn new(clock: &Clock) -> Arc<Self> {
        Arc::new(Self {
            clock: clock.clone(),
            asked: AtomicUsize::new(0),
            failing: Mutex::default(),
            open: Semaphore::new(1_000_000),
            begun: Semaphore::new(0),
        })
    }

    /// Purchases that begin from now on wait until it opens.
    pub fn close(&self) {
        self.open.forget_permits(usize::MAX >> 4);
    }

    pub fn open(&self) {
        self.open.add_permits(1_000_000);
    }

    pub fn fail(&self, kind: BuyFailure) {
        *self.failing.lock().unwrap() = Some(kind);
    }

    pub fn recover(&self) {
        *self.failing.lock().unwrap() = None;
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Waits until one more purchase has begun.
    pub async fn one_has_begun(&self) {
        self.begun.acquire().await.unwrap().forget();
    }
}

impl TicketSource for Shop {
    fn buy<'a>(
        &'a self,
        key: &'a TenantKey,
    ) -> Pin<Box<dyn Future<Output = Result<Bought, BuyFailed>> + Send + 'a>> {
        Box::pin(async move {
            let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            self.begun.add_permits(1);
            self.open.acquire().await.unwrap().forget();
            match *self.failing.lock().unwrap() {
                Some(kind) => Err(BuyFailed { kind, detail: format!("{key} is out of luck") }),
                None => Ok(Bought {
                    ticket: Ticket::parse(&format!("7T:{}-{number}", key.tenant)).unwrap(),
                    bought: self.clock.now(),
                }),
            }
        })
    }
}

/// A cache, its shop, and the clock they share.
pub struct World {
    pub cache: TicketCache,
    pub clock: Clock,
    pub counters: TicketCounters,
    pub shop: Arc<Shop>,
}

impl World {
    pub fn new() -> Self {
        let clock = Clock::manual(Timestamp(1_000_000));
        let shop = Shop::new(&clock);
        let counters = Metrics::default().tickets().clone();
        let cache =
            TicketCache::new(shop.clone(), clock.clone(), Random::counting(), counters.clone());
        Self { cache, clock, counters, shop }
    }

    /// The ticket's text.
    pub async fn get(&self, key: &TenantKey) -> String {
        self.cache.get(key).await.unwrap().ticket().reveal().to_owned()
    }

    /// Lets what runs in the background come to its end.
    pub async fn settle(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}

pub fn key(number: usize) -> TenantKey {
    TenantKey {
        environment: "sod".into(),
        client_id: "client".into(),
        tenant: ContextId::parse(&format!("Cust{number}")).unwrap(),
    }
}
