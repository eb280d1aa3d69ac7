//! A gigabyte up and down, and events one by one: what of them stays in the gateway, and how long.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "it is run to be read")]

mod app;
mod client;
mod figures;
#[path = "../setting/mod.rs"]
#[allow(dead_code, unused_imports, reason = "other long tests want more of it")]
mod setting;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::client::{Client, Speaks};
use crate::figures::{Events, Figures, Transfer};
use crate::setting::Gateway;

fn main() {
    let short = std::env::args().any(|argument| argument == "--short");
    let (bytes, events) = if short { (100 << 20, 200) } else { (1 << 30, 1_000) };
    let figures = run(bytes, events);
    println!("{figures}");
    let broken = figures.broken();
    match broken.is_empty() {
        true => println!("holds"),
        false => {
            println!("does not hold: {}", broken.join("; "));
            std::process::exit(1);
        }
    }
}

/// The four ways: two kinds of clients, two kinds of apps.
fn run(bytes: usize, events: usize) -> Figures {
    let began = Instant::now();
    let (one, two) = (app::http1(began), app::http2(began));
    let gateway = Gateway::start(one, &tables(one, two));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut figures = Figures::default();
    for (speaks, path) in WAYS {
        let client = Client::new(&gateway, speaks, path);
        // What is made once is made.
        runtime.block_on(client.up(WARM));
        runtime.block_on(client.down(WARM));
        for up in [true, false] {
            let before = gateway.resident();
            let started = Instant::now();
            let peak = watched(&gateway, || match up {
                true => runtime.block_on(client.up(bytes)),
                false => runtime.block_on(client.down(bytes)),
            });
            figures.transfers.push(Transfer {
                way: client.name(),
                direction: if up { "up" } else { "down" },
                bytes,
                took: started.elapsed(),
                before,
                peak,
            });
        }
        let latencies = runtime.block_on(client.events(events, began));
        figures.events.push(Events::new(client.name(), latencies));
    }
    figures
}

/// The gateway's memory at its peak meanwhile, in kB.
fn watched(gateway: &Gateway, work: impl FnOnce()) -> u64 {
    let done = Arc::new(AtomicBool::new(false));
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut peak = 0;
            while !done.load(Ordering::Relaxed) {
                peak = peak.max(gateway.resident());
                std::thread::sleep(Duration::from_millis(10));
            }
            peak.max(gateway.resident())
        });
        work();
        done.store(true, Ordering::Relaxed);
        watching.join().unwrap()
    })
}

fn tables(one: u16, two: u16) -> String {
    TABLES.replace("$ONE", &one.to_string()).replace("$TWO", &two.to_string())
}

const WAYS: [(Speaks, &str); 4] = [
    (Speaks::Http1, "/one"),
    (Speaks::Http2, "/one"),
    (Speaks::Http1, "/two"),
    (Speaks::Http2, "/two"),
];
const WARM: usize = 16 << 20;
const TABLES: &str = r#"
[upstream.two]
servers = ["http://127.0.0.1:$TWO"]
protocol = "http/2"
[route.one]
path = "/one"
upstream = "http://127.0.0.1:$ONE"
access = "public"
body_bytes = "2048MiB"
[route.two]
path = "/two"
upstream = "two"
access = "public"
body_bytes = "2048MiB"
"#;
