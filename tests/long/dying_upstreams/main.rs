//! Servers of an upstream die, hang and return under mixed load: requests may fail only where none was well.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "it is run to be read")]

mod counts;
#[path = "../mixed_calls/dice.rs"]
mod dice;
mod fates;
mod http1_client;
mod http1_server;
mod http2_client;
mod http2_server;
mod judge;
mod load;
mod mode;
mod plan;
mod ports;
mod report;
#[path = "../setting/gateway.rs"]
mod setting;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::counts::Counts;
use crate::fates::Fates;
use crate::load::{Numbers, Which};
use crate::mode::Pool;
use crate::plan::Step;
use crate::ports::Port;
use crate::report::Report;
use crate::setting::Gateway;

/// What clients, servers and the judge know.
pub struct World {
    pub three: Pool,
    pub two: Pool,
    pub fates: Fates,
    pub counts: Counts,
    pub numbers: Numbers,
}

impl World {
    pub fn pool(&self, which: Which) -> &Pool {
        match which {
            Which::Three => &self.three,
            Which::Two => &self.two,
        }
    }
}

fn main() {
    let short = std::env::args().any(|argument| argument == "short");
    let length = Duration::from_secs(if short { 30 } else { 600 });
    let world = Arc::new(World {
        three: Pool::new(3),
        two: Pool::new(2),
        fates: Fates::default(),
        counts: Counts::default(),
        numbers: Numbers::default(),
    });
    let (port, ports) = std::sync::mpsc::channel();
    let served = world.clone();
    std::thread::spawn(move || {
        runtime().block_on(async {
            let ports: Vec<Port> = (0..5).map(|_| Port::new().unwrap()).collect();
            port.send(ports.iter().map(Port::number).collect::<Vec<_>>()).unwrap();
            serve(served, ports).await;
        });
    });
    let ports = ports.recv().unwrap();
    let gateway = Gateway::start(1, &tables(&ports));
    // The first looks are over.
    std::thread::sleep(Duration::from_secs(1));
    let began = Instant::now();
    runtime().block_on(async {
        for (which, seed) in [(Which::Three, SEED), (Which::Two, SEED + 2)] {
            let steps = plan::steps(seed, world.pool(which).servers.len(), length);
            tokio::spawn(turn(world.clone(), which, steps));
        }
        load::run(world.clone(), &gateway, length).await;
    });
    let report = Report::new(&world, &gateway, &ports, began.elapsed());
    println!("{report}");
    let broken = report.broken();
    match broken.is_empty() {
        true => println!("holds"),
        false => {
            println!("does not hold: {}", broken.join("; "));
            drop(gateway);
            std::process::exit(1);
        }
    }
}

async fn serve(world: Arc<World>, ports: Vec<Port>) {
    let mut servers = tokio::task::JoinSet::new();
    for (number, port) in ports.into_iter().enumerate() {
        match number {
            0..3 => servers.spawn(http1_server::run(world.clone(), number, port)),
            _ => servers.spawn(http2_server::run(world.clone(), number - 3, port)),
        };
    }
    servers.join_all().await;
}

/// Lets the servers of a pool do what the plan says.
async fn turn(world: Arc<World>, which: Which, steps: Vec<Step>) {
    let began = tokio::time::Instant::now();
    for step in steps {
        tokio::time::sleep_until(began + step.at).await;
        world.pool(which).turn(step.server, step.mode);
    }
}

fn tables(ports: &[u16]) -> String {
    let names = ["$A", "$B", "$C", "$D", "$E"].iter().zip(ports);
    names.fold(plan::TABLES.to_owned(), |text, (name, port)| text.replace(name, &port.to_string()))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

const SEED: u64 = 5;
