//! Each flood on a connection of its own, against a gateway that is a process of its own: how it
//! ended, and what it cost.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "it is run to be read")]

mod app;
#[path = "../../front/h2/floods.rs"]
mod floods;
#[path = "../../front/h2/frames.rs"]
#[allow(dead_code, reason = "it is shared with the tests of the front")]
mod frames;
mod gateway;
mod holding;
#[path = "../../front/h2/talker.rs"]
#[allow(dead_code, reason = "it is shared with the tests of the front")]
mod talker;
mod watched;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;

use crate::floods::{Ending, FLOODS};
use crate::gateway::Gateway;
use crate::talker::Talker;
use crate::watched::Watch;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, mode, folder, apps] = arguments.as_slice()
        && mode == "gateway"
    {
        return gateway::serve(folder, apps);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let gateway = Gateway::start();
    let broken = runtime.block_on(everything(&gateway));
    drop(gateway);
    match broken.is_empty() {
        true => println!("holds"),
        false => {
            println!("does not hold: {}", broken.join("; "));
            std::process::exit(1);
        }
    }
}

async fn everything(gateway: &Gateway) -> Vec<String> {
    let (address, certificate) = (gateway.address, &gateway.certificate);
    for _ in 0..20 {
        holding::one_request(address, certificate).await;
    }
    println!("{:48}{:>20}{:>9}{:>8}{:>8}", "", "ended", "after", "CPU s", "MB");
    let quiet = quiet(gateway);
    let mut broken = Vec::new();
    for flood in FLOODS {
        let row = Row::begin(flood.name, gateway, quiet);
        let ending = flood.play(Talker::connect(address, certificate).await).await;
        broken.extend(row.end(ending));
    }
    for (name, hold) in holding::EVERY {
        let row = Row::begin(name, gateway, quiet);
        let ending = hold(address, certificate).await;
        broken.extend(row.end(ending));
    }
    figures(gateway).await;
    broken
}

/// CPU-seconds each second of a gateway that nobody talks to: its timers tick.
fn quiet(gateway: &Gateway) -> f64 {
    let (watch, begin) = (Watch::start(gateway.process()), Instant::now());
    std::thread::sleep(Duration::from_secs(3));
    let whole = begin.elapsed().as_secs_f64();
    watch.end().0 / whole
}

/// What clients cost that do take what they asked for.
async fn figures(gateway: &Gateway) {
    for (path, at_once, rounds) in [
        ("/large", 1, 40),
        ("/large", 8, 5),
        ("/large", 64, 1),
        ("/https/large", 1, 40),
        ("/https/large", 64, 1),
    ] {
        let watch = Watch::start(gateway.process());
        let (address, certificate) = (gateway.address, &gateway.certificate);
        let taken = holding::taken(address, certificate, path, at_once, rounds);
        let megabytes = taken.await;
        let (seconds, grown) = watch.end();
        let each = seconds / megabytes * 1e3;
        println!("{at_once} of {path} at once, taken: {each:.2} CPU ms a MB, {grown:.1} MB");
    }
}

/// Boxed, as there is a table of them.
type Hold = for<'a> fn(
    SocketAddr,
    &'a CertificateDer<'static>,
) -> std::pin::Pin<Box<dyn Future<Output = Ending> + 'a>>;

/// What one connection may cost: CPU-seconds beside what the process takes while nobody asks
/// anything of it, and megabytes.
const MOST: (f64, f64) = (0.1, 10.0);
/// The same where each of 99 answers comes by a TLS connection of its own: a handshake and its state.
const MOST_OVER_TLS: (f64, f64) = (0.2, 15.0);

struct Row {
    name: &'static str,
    watch: Watch,
    begin: Instant,
    /// CPU-seconds each second, without any client.
    quiet: f64,
}

impl Row {
    fn begin(name: &'static str, gateway: &Gateway, quiet: f64) -> Self {
        let watch = Watch::start(gateway.process());
        Self { name, watch, begin: Instant::now(), quiet }
    }

    /// Prints it; says what does not hold.
    fn end(self, ending: Ending) -> Option<String> {
        let after = self.begin.elapsed();
        // What was done at the end is part of the cost.
        std::thread::sleep(Duration::from_millis(50));
        let whole = self.begin.elapsed().as_secs_f64();
        let (seconds, megabytes) = self.watch.end();
        let seconds = (seconds - whole * self.quiet).max(0.0);
        let ended = match ending {
            Ending::Closed(Some(code)) => format!("GOAWAY, code {code}"),
            Ending::Closed(None) => "closed".to_owned(),
            Ending::Taken => "not ended".to_owned(),
        };
        println!("{:48}{ended:>20}{after:>9.2?}{seconds:>8.3}{megabytes:>8.1}", self.name);
        let most = if self.name.contains("over https") { MOST_OVER_TLS } else { MOST };
        let holds = ending != Ending::Taken && seconds < most.0 && megabytes < most.1;
        (!holds).then(|| self.name.to_owned())
    }
}
