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
    if let [_, mode, folder, app] = arguments.as_slice()
        && mode == "gateway"
    {
        return gateway::serve(folder, app);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let gateway = Gateway::start(app::start());
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
    println!("{:38}{:>20}{:>9}{:>8}{:>8}", "", "ended", "after", "CPU s", "MB");
    let mut broken = Vec::new();
    for flood in FLOODS {
        let row = Row::begin(flood.name, gateway);
        let ending = flood.play(Talker::connect(address, certificate).await).await;
        broken.extend(row.end(ending, Most::FLOOD));
    }
    for (name, most, hold) in holding::EVERY {
        let row = Row::begin(name, gateway);
        let ending = hold(address, certificate).await;
        broken.extend(row.end(ending, *most));
    }
    broken
}

/// Boxed, as there is a table of them.
type Hold = for<'a> fn(
    SocketAddr,
    &'a CertificateDer<'static>,
) -> std::pin::Pin<Box<dyn Future<Output = Ending> + 'a>>;

/// What one connection may cost.
#[derive(Clone, Copy)]
struct Most {
    seconds: f64,
    megabytes: f64,
}

impl Most {
    const FLOOD: Self = Self { seconds: 0.1, megabytes: 10.0 };
    /// Half a megabyte of each is read ahead, and that is beyond our keys.
    const LARGE: Self = Self { seconds: 0.5, megabytes: 60.0 };
}

struct Row {
    name: &'static str,
    watch: Watch,
    begin: Instant,
}

impl Row {
    fn begin(name: &'static str, gateway: &Gateway) -> Self {
        Self { name, watch: Watch::start(gateway.process()), begin: Instant::now() }
    }

    /// Prints it; says what does not hold.
    fn end(self, ending: Ending, most: Most) -> Option<String> {
        let after = self.begin.elapsed();
        // What was done at the end is part of the cost.
        std::thread::sleep(Duration::from_millis(50));
        let (seconds, megabytes) = self.watch.end();
        let ended = match ending {
            Ending::Closed(Some(code)) => format!("GOAWAY, code {code}"),
            Ending::Closed(None) => "closed".to_owned(),
            Ending::Taken => "not ended".to_owned(),
        };
        println!("{:38}{ended:>20}{after:>9.2?}{seconds:>8.3}{megabytes:>8.1}", self.name);
        let holds = ending != Ending::Taken && seconds < most.seconds && megabytes < most.megabytes;
        (!holds).then(|| self.name.to_owned())
    }
}
