//! Thousands of clients that dawdle, a process of their own against the gateway's: when each is
//! closed, what they cost, and what the others notice.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "it is run to be read")]

mod app;
mod crowd;
mod figures;
mod good;
mod kinds;
#[path = "../setting/mod.rs"]
mod setting;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::timeout;

use crate::crowd::{End, connected};
use crate::figures::{Figures, Memory, OneAddress, Row, Service};
use crate::good::Good;
use crate::kinds::{Kind, Place};
use crate::setting::{Gateway, ask, client_tls};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let count = arguments.iter().find_map(|text| text.parse().ok()).unwrap_or(WHOLE);
    let only = Kind::EVERY.into_iter().find(|kind| arguments.contains(&format!("{kind:?}")));
    let figures = run(count, only);
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

/// A whole run has every deadline at its default. A smaller one wants to end soon.
fn run(count: usize, only: Option<Kind>) -> Figures {
    let whole = count >= WHOLE;
    let (limits, idle, write, rest, listen) = match whole {
        true => ("", 60, 30, 60, 10),
        false => (SHORT, 15, 15, 10, 5),
    };
    let gateway = Gateway::start(app::start(), limits);
    let place = Arc::new(Place {
        plain: gateway.plain,
        tls: gateway.tls,
        http2: client_tls(gateway.certificate(), &["h2"]),
        idle: Duration::from_secs(idle),
        write: Duration::from_secs(write),
    });
    warm(&gateway);
    let (before, lost_before) = listened(&gateway, listen);
    let (resident, used) = (gateway.resident(), gateway.processor());
    let good = Good::start(gateway.plain);
    let (ends, open_at_peak, peak) = dawdled(&gateway, &place, mixed(count, only));
    let (meanwhile, lost) = good.stop();
    let processor = gateway.processor() - used;
    std::thread::sleep(Duration::from_secs(rest));
    let memory = Memory { before: resident, peak, after: gateway.resident() };
    let (after, lost_after) = listened(&gateway, listen);
    let lost = lost_before + lost + lost_after;
    Figures {
        rows: Row::of(&ends, &place),
        open_at_peak,
        memory,
        service: Service { before, meanwhile, after, lost, judged: whole },
        one_address: runtime().block_on(one_address(&gateway)),
        processor,
        met: LIMITS
            .map(|name| (name, gateway.metric(&format!("limit_hits_total{{limit=\"{name}\"}}")))),
    }
}

/// How they ended, how many there were at once, and the gateway's memory at its peak.
fn dawdled(gateway: &Gateway, place: &Arc<Place>, kinds: Vec<Kind>) -> (Vec<End>, usize, u64) {
    let open = Arc::new(AtomicUsize::new(0));
    let crowd = {
        let (place, open) = (place.clone(), open.clone());
        std::thread::spawn(move || {
            // Good clients wait for the gateway, not for these.
            let _as_before = rustix::process::nice(10);
            runtime().block_on(crowd::dawdle(kinds, place, open))
        })
    };
    let (mut open_at_peak, mut peak) = (0, 0);
    while !crowd.is_finished() {
        peak = peak.max(gateway.resident());
        open_at_peak = open_at_peak.max(open.load(Ordering::Relaxed));
        std::thread::sleep(Duration::from_millis(100));
    }
    (crowd.join().unwrap(), open_at_peak, peak)
}

/// Before anything is measured, what is made once has been made.
fn warm(gateway: &Gateway) {
    let _figures = listened(gateway, 2);
}

fn listened(gateway: &Gateway, seconds: u64) -> (Vec<Duration>, usize) {
    let good = Good::start(gateway.plain);
    std::thread::sleep(Duration::from_secs(seconds));
    good.stop()
}

/// The kinds by their shares, well mixed.
fn mixed(count: usize, only: Option<Kind>) -> Vec<Kind> {
    if let Some(kind) = only {
        return vec![kind; count];
    }
    let hundred: Vec<Kind> =
        Kind::EVERY.into_iter().flat_map(|kind| vec![kind; kind.share()]).collect();
    (0..count).map(|number| hundred[number * 37 % 100]).collect()
}

/// More connections from one address than it may have, and one from another.
async fn one_address(gateway: &Gateway) -> OneAddress {
    let (most, offered) = (256, 300);
    let mut streams = Vec::new();
    for _ in 0..offered {
        streams.push(connected(Ipv4Addr::new(127, 2, 0, 1), gateway.plain, None).await.unwrap());
    }
    let mut held = 0;
    for stream in &mut streams {
        let closed = timeout(Duration::from_millis(10), stream.readable()).await.is_ok();
        held += usize::from(!closed);
    }
    let mut other = connected(Ipv4Addr::new(127, 2, 0, 2), gateway.plain, None).await.unwrap();
    let others_served = ask(&mut other).await.is_some_and(|answer| answer.status == 200);
    OneAddress { offered, held, most, others_served }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

const WHOLE: usize = 10_000;
/// What dawdling meets. HTTP/2 counts nothing.
const LIMITS: [&str; 5] =
    ["handshake_timeout", "header_timeout", "body_rate", "write_timeout", "idle_timeout"];
const SHORT: &str = "idle_timeout = \"15s\"\nwrite_timeout = \"15s\"\n";
