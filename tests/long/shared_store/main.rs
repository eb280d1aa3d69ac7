//! Replicas that share one Redis: killed and started again, and with a Redis that is in trouble.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "it is run to be read")]

mod app;
mod churn;
mod client;
mod counts;
#[path = "../../tickets/fleet.rs"]
#[allow(dead_code, reason = "it is shared with the tests of tickets")]
mod fleet;
mod outages;
mod people;
#[path = "../setting/program.rs"]
mod program;
mod replica;

use std::time::Duration;

/// How much of everything.
#[derive(Clone, Copy)]
pub struct Plan {
    pub people: usize,
    /// How long replicas are killed.
    pub churn: Duration,
    /// How long Redis hangs.
    pub frozen: Duration,
}

const WHOLE: Plan =
    Plan { people: 10_000, churn: Duration::from_secs(600), frozen: Duration::from_secs(60) };
const SHORT: Plan =
    Plan { people: 1_000, churn: Duration::from_secs(40), frozen: Duration::from_secs(6) };

fn main() {
    superid_gateway::crypto::install_provider();
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let plan = if wanted == "short" { SHORT } else { WHOLE };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let broken = runtime.block_on(async {
        let app = app::start().await;
        let mut broken = Vec::new();
        if wanted != "outages" {
            broken.extend(churn::run(plan, app).await);
        }
        broken.extend(outages::run(plan, app).await);
        broken
    });
    match broken.is_empty() {
        true => println!("holds"),
        false => {
            println!("does not hold: {}", broken.join("; "));
            std::process::exit(1);
        }
    }
}
