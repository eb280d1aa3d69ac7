//! Two apps, hundreds of tenants, a million calls in all weathers: no credential comes where it must
//! not, no answer to whom it is not for, no secret into the log.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "it is run to be read")]

mod call;
mod callers;
mod connection;
mod counts;
mod dice;
mod exchanges;
mod log;
#[path = "../../jobs/partner.rs"]
mod partner;
mod plan;
mod weather;
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::callers::Callers;
use crate::counts::Counts;
use crate::log::Log;
use crate::plan::Plan;
use crate::weather::Weather;
use crate::world::World;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    superid_gateway::crypto::install_provider();
    let log = Log::listen();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let broken = runtime.unwrap().block_on(run(Plan::asked(), &log));
    match broken.is_empty() {
        true => println!("holds"),
        false => {
            println!("does not hold: {}", broken.join("; "));
            std::process::exit(1);
        }
    }
}

/// All calls; what does not hold.
async fn run(plan: Plan, log: &Log) -> Vec<String> {
    let world = Arc::new(World::start(plan).await);
    let counts = Arc::new(Counts::default());
    let mut callers = Callers::new(world.clone(), counts.clone());
    let mut weather = Weather::new();
    let begin = Instant::now();
    let mut most = 0;
    for turn in 1..=plan.all_turns() {
        callers.turn(&mut weather).await;
        weather.calm(&world);
        world.settle().await;
        if turn % LOOK == 0 || turn == plan.all_turns() {
            most = most.max(exchanges::most_within_an_hour(&world));
            told(&world, turn, callers.made(), begin.elapsed());
        }
        world.clock.advance(weather.pause());
    }
    let took = begin.elapsed().as_secs_f64();
    let (made, all) = (callers.made(), exchanges::all(&world));
    println!("{made} calls in {took:.0} s, {:.0} a second", made as f64 / took);
    println!("{}\n{}\n{}", counts.told(), weather.told(), log.told());
    println!("exchanges: {} granted, {} refused; {most} within an hour at most", all.0, all.1);
    let violations = world.superid.violations();
    println!("violations: {}; memory: {} MB", violations.count(), resident() >> 10);
    violations.latest().iter().take(10).for_each(|violation| println!("  {violation:?}"));
    broken(&world, &counts, log, most)
}

fn broken(world: &World, counts: &Counts, log: &Log, most: usize) -> Vec<String> {
    let astray = world.superid.violations().count();
    let share = counts.share_answered();
    [
        (astray > 0, format!("{astray} credentials came where they must not")),
        (counts.wrongs() > 0, format!("{} calls had a wrong answer or none", counts.wrongs())),
        (log.found() > 0, format!("{} log lines hold secrets", log.found())),
        (most > EXCHANGES, format!("a tenant had {most} exchanges within an hour")),
        (share < ANSWERED, format!("only {:.1} % were answered", 100.0 * share)),
    ]
    .into_iter()
    .filter_map(|(broken, what)| broken.then_some(what))
    .collect()
}

fn told(world: &World, turn: u64, made: u64, took: Duration) {
    let (turns, violations) = (world.plan.all_turns(), world.superid.violations().count());
    let (seconds, memory) = (took.as_secs(), resident() >> 10);
    println!(
        "turn {turn} of {turns}: {made} calls, {seconds} s, {violations} violations, {memory} MB"
    );
}

/// Memory of this process in kB: the gateway, SuperID, all tenants and all callers.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Turns between two looks at the exchanges, of which the emulator keeps the latest hundred.
const LOOK: u64 = 10;
/// Within an hour, for one app and tenant.
const EXCHANGES: usize = 4;
/// Of all calls, at least: the weather is bad, not the end of the world.
const ANSWERED: f64 = 0.8;
