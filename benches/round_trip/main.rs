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
mod proxies;
#[path = "../setting/mod.rs"]
mod setting;
mod world;

use std::process::ExitCode;

use child::{Child, CpuTime};
use proxies::Kind;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    superid_gateway::crypto::install_provider();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["world"] => world::run(),
        ["proxy", kind, upstream] => proxies::serve(Kind::parse(kind), number(upstream)),
        ["once", kind, requests] => once(Kind::parse(kind), number(requests)),
        options => return compare(options),
    }
    ExitCode::SUCCESS
}

/// One load of `requests` on one proxy, and nothing measured.
fn once(kind: Kind, requests: usize) {
    let mut world = Child::start(&["world"]);
    let proxy = Child::start_wrapped(&["proxy", kind.name(), &world.port.to_string()]);
    load(&mut world, &proxy, requests);
}

/// Rounds in which each proxy carries the same load, one after the other.
fn compare(options: &[&str]) -> ExitCode {
    let rounds = option(options, "--rounds", 11);
    let requests = option(options, "--requests", 100_000);
    let mut world = Child::start(&["world"]);
    let port = world.port.to_string();
    let proxies = Kind::ALL.map(|kind| (kind, Child::start(&["proxy", kind.name(), &port])));
    for (_, proxy) in &proxies {
        load(&mut world, proxy, requests / 10);
    }
    let mut measured = Kind::ALL.map(|_| Vec::new());
    for _ in 0..rounds {
        for (at, (_, proxy)) in proxies.iter().enumerate() {
            let before = proxy.cpu_time();
            load(&mut world, proxy, requests);
            measured[at].push(proxy.cpu_time().since(before));
        }
    }
    let ratio = print(&measured, requests);
    if options.contains(&"--check") && ratio < WANTED {
        println!("FAILED: {ratio:.3} of the bare proxy; {WANTED:.2} is wanted");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn load(world: &mut Child, proxy: &Child, requests: usize) {
    world.order(&format!("{} {requests}", proxy.port));
}

/// Prints a line for each proxy, and gives the gateway's requests per CPU-second over the bare
/// proxy's: the median of the rounds' own ratios, because a round's two loads met one machine.
fn print(measured: &[Vec<CpuTime>; 3], requests: usize) -> f64 {
    println!("{requests} requests a round, {} rounds, medians", measured[0].len());
    println!("proxy      user  system  us/request  requests/CPU-s   of bare  (least..most)");
    let mut of_bare = 0.0;
    for (kind, times) in Kind::ALL.iter().zip(measured) {
        let each = |part: fn(&CpuTime) -> f64| {
            median(times.iter().map(|time| part(time) * 1e6 / requests as f64).collect())
        };
        let ratios: Vec<f64> =
            times.iter().zip(&measured[0]).map(|(time, bare)| bare.all() / time.all()).collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ratios.iter().copied().fold(0.0, f64::max);
        let (all, ratio) = (each(CpuTime::all), median(ratios));
        println!(
            "{:<8} {:>6.2}  {:>6.2}  {all:>10.2}  {:>14.0}   {ratio:>7.3}  ({least:.3}..{most:.3})",
            kind.name(),
            each(|time| time.user),
            each(|time| time.system),
            1e6 / all,
        );
        if *kind == Kind::Gateway {
            of_bare = ratio;
        }
    }
    of_bare
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn option(options: &[&str], name: &str, otherwise: usize) -> usize {
    let at = options.iter().position(|word| *word == name);
    at.and_then(|at| options.get(at + 1)).map_or(otherwise, |text| number(text))
}

fn number<N: std::str::FromStr>(text: &str) -> N {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is not a number that fits here"))
}

/// Of the bare proxy's requests per CPU-second.
const WANTED: f64 = 0.80;
