//! A living ticket from the cache: nanoseconds, beside moka and a plain map in the same run.
//!
//! ```text
//! cargo bench --bench ticket_hit
//! ```

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::collections::HashMap;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use superid_gateway::clock::Clock;
use superid_gateway::credentials::{Bought, BuyFailed, TicketCache, TicketSource};
use superid_gateway::crypto::Random;
use superid_gateway::identity::{ContextId, TenantKey, Ticket};
use superid_gateway::telemetry::Metrics;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    println!("{:<40} {:>9} {:>9} {:>9}", "ns for each hit", "1 tenant", "500", "5,000");
    let mut rows = [Row::new("ticket cache"), Row::new("moka"), Row::new("arc-swap of a map")];
    for tenants in [1, 500, 5_000] {
        let contenders = Contenders::with(tenants);
        let least = contenders.least(1);
        rows.iter_mut().zip(least).for_each(|(row, ns)| row.figures.push(ns));
    }
    rows.iter().for_each(Row::print);
    ratios(&rows);
    let contenders = Contenders::with(500);
    println!("\n{:<40} {:>9}", "two threads at once, 500 tenants", "ns");
    for (row, ns) in rows.iter().zip(contenders.least(2)) {
        println!("{:<40} {ns:>9.1}", row.name);
    }
    println!("{:<40} {:>9.1}", "the clock alone", clock_alone());
}

struct Row {
    name: &'static str,
    figures: Vec<f64>,
}

impl Row {
    fn new(name: &'static str) -> Self {
        Self { name, figures: Vec::new() }
    }

    fn print(&self) {
        let figures: String = self.figures.iter().map(|ns| format!(" {ns:>9.1}")).collect();
        println!("{:<40}{figures}", self.name);
    }
}

fn ratios(rows: &[Row; 3]) {
    for other in &rows[1..] {
        let pairs = rows[0].figures.iter().zip(&other.figures);
        let figures: String =
            pairs.map(|(ours, theirs)| format!(" {:>9.2}", ours / theirs)).collect();
        println!("{:<40}{figures}", format!("ticket cache, of {}", other.name));
    }
}

/// The same tenants in each, all of them with a ticket.
struct Contenders {
    keys: Vec<TenantKey>,
    ours: TicketCache,
    moka: moka::sync::Cache<TenantKey, Arc<String>>,
    map: ArcSwap<HashMap<TenantKey, Arc<String>>>,
}

impl Contenders {
    fn with(tenants: u32) -> Self {
        let keys: Vec<_> = (0..tenants).map(key).collect();
        let ours = TicketCache::new(
            Arc::new(Shop),
            Clock::system(),
            Random::system(),
            Metrics::default().tickets().clone(),
        );
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let moka = moka::sync::Cache::new(10_000);
        let mut map = HashMap::new();
        for key in &keys {
            runtime.block_on(ours.get(key)).expect("a ticket");
            moka.insert(key.clone(), Arc::new("7T:x".to_owned()));
            map.insert(key.clone(), Arc::new("7T:x".to_owned()));
        }
        Self { keys, ours, moka, map: ArcSwap::from_pointee(map) }
    }

    /// The least of many batches of each, taking turns; each of the threads makes its own hits.
    fn least(&self, threads: usize) -> [f64; 3] {
        let mut least = [f64::MAX; 3];
        for _ in 0..BATCHES {
            let now = [
                batch(threads, &self.keys, |key| self.ours.held(key).is_some()),
                batch(threads, &self.keys, |key| self.moka.get(key).is_some()),
                batch(threads, &self.keys, |key| self.map.load().get(key).cloned().is_some()),
            ];
            least.iter_mut().zip(now).for_each(|(least, now)| *least = least.min(now));
        }
        least
    }
}

fn batch(threads: usize, keys: &[TenantKey], hit: impl Fn(&TenantKey) -> bool + Sync) -> f64 {
    let all = || {
        for number in 0..HITS {
            assert!(hit(black_box(&keys[number % keys.len()])));
        }
    };
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(all);
        }
        all();
    });
    begun.elapsed().as_nanos() as f64 / HITS as f64
}

fn clock_alone() -> f64 {
    let clock = Clock::system();
    let begun = Instant::now();
    for _ in 0..HITS {
        black_box(clock.now());
    }
    begun.elapsed().as_nanos() as f64 / HITS as f64
}

struct Shop;

impl TicketSource for Shop {
    fn buy<'a>(
        &'a self,
        _: &'a TenantKey,
    ) -> Pin<Box<dyn Future<Output = Result<Bought, BuyFailed>> + Send + 'a>> {
        let ticket = Ticket::parse("7T:x").expect("a ticket");
        Box::pin(async { Ok(Bought { ticket, bought: Clock::system().now() }) })
    }
}

fn key(number: u32) -> TenantKey {
    TenantKey {
        environment: "online".into(),
        client_id: "0123456789abcdef0123456789abcdef".into(),
        tenant: ContextId::parse(&format!("Cust{}", 10_000 + number)).expect("a tenant"),
    }
}

const BATCHES: usize = 40;
const HITS: usize = 50_000;
