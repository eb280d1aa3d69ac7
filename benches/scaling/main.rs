//! Whether a request costs the same however many routes, sessions, tenants and connections there are,
//! and with two workers what it costs with one; what being signed in adds, and what a job's call costs beside it.
//!
//! ```text
//! cargo bench --bench scaling                    figures
//! cargo bench --bench scaling -- --check         and exit 1 where a cost grows by more than it may
//! cargo bench --bench scaling -- --only tenants --rounds 5 --requests 40000
//! cargo bench --bench scaling -- --only gate-cookie
//! SCALING once tenants 10000 2000                one load on one proxy, for callgrind
//! ```
//!
//! The proxy, and the world on both sides of it, are processes of their own (this program in
//! another mode), so that the CPU time of the proxy's process is the proxy's alone.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

mod axis;
#[allow(dead_code, reason = "some of it is other benches'")]
#[path = "../round_trip/child.rs"]
mod child;
mod crowd;
mod gateway;
#[allow(dead_code, reason = "some of it is other benches'")]
#[path = "../job_path/job.rs"]
mod job;
#[allow(dead_code, reason = "some of it is other benches'")]
#[path = "../job_path/gateway.rs"]
mod job_gateway;
mod measure;
#[path = "../../tests/jobs/partner.rs"]
mod partner;
mod requests;
#[allow(dead_code, reason = "some of it is other benches'")]
#[path = "../setting/mod.rs"]
mod setting;
mod world;

use std::process::ExitCode;

use axis::Axis;
use measure::{Bench, Options};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    superid_gateway::crypto::install_provider();
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["world"] => world::run(),
        ["proxy", axis, size, upstream, rest @ ..] => {
            gateway::serve(Axis::parse(axis), number(size), number(upstream), rest);
        }
        ["once", axis, size, requests] => {
            Bench::start(Axis::parse(axis), &[number(size)]).once(number(requests));
        }
        options => return measure::all(&Options::of(options)),
    }
    ExitCode::SUCCESS
}

/// A word of the command line as a number.
fn number<N: std::str::FromStr>(text: &str) -> N {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is not a number that fits here"))
}
