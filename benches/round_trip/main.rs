//! Requests per CPU-second: the gateway, signed in, against a bare pingora proxy in the same run.
//!
//! ```text
//! cargo bench --bench round_trip                  figures
//! cargo bench --bench round_trip -- --check       and exit 1 below 0.80 of the bare proxy
//! cargo bench --bench round_trip -- --rounds 9 --requests 60000
//! ROUND_TRIP once gateway 2000                    one load on one proxy, for callgrind/run
//! ```
//!
//! The proxy, and the world on both sides of it, are processes of their own (this program in
//! another mode), so that the CPU time of the proxy's process is the proxy's alone.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod bare;
mod buffered;
mod child;
mod compare;
mod kept;
mod proxies;
#[allow(dead_code, reason = "some of it is other benches'")]
#[path = "../setting/mod.rs"]
mod setting;
mod world;

use std::process::ExitCode;

use child::Child;
use compare::{Proxy, compare, load, number};
use proxies::Kind;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    superid_gateway::crypto::install_provider();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["world"] => world::run(setting::request()),
        ["proxy", kind, upstream] => proxies::serve(Kind::parse(kind), number(upstream)),
        ["once", kind, requests] => once(Kind::parse(kind), number(requests)),
        options => return compared(options),
    }
    ExitCode::SUCCESS
}

/// One load of `requests` on one proxy, and nothing measured.
fn once(kind: Kind, requests: usize) {
    let mut world = Child::start(&["world"]);
    let proxy = Child::start_wrapped(&["proxy", kind.name(), &world.port.to_string()]);
    load(&mut world, &proxy, requests);
}

fn compared(options: &[&str]) -> ExitCode {
    let mut world = Child::start(&["world"]);
    let port = world.port.to_string();
    let there = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Redis || kept::has_redis());
    let proxies: Vec<Proxy> = there
        .map(|kind| {
            let process = Child::start(&["proxy", kind.name(), &port]);
            Proxy { name: kind.name(), process }
        })
        .collect();
    compare(options, &mut world, &proxies)
}
