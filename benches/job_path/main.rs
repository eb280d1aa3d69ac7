//! Requests per CPU-second: a background job's calls through a job listener, against a bare pingora
//! proxy in the same run.
//!
//! ```text
//! cargo bench --bench job_path                  figures
//! cargo bench --bench job_path -- --check       and exit 1 below 0.80 of the bare proxy
//! JOB_PATH once gateway 2000                    one load on one proxy, for callgrind/run
//! ```
//!
//! What surrounds the proxies, and how they are measured, is `round_trip`'s. The tenant is that
//! bench's app; an emulated SuperID, in the process that measures, says that the tenant lives
//! there, and sells the one ticket that is needed.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

#[allow(dead_code, reason = "the stock server is another bench's")]
#[path = "../round_trip/bare.rs"]
mod bare;
#[path = "../round_trip/buffered.rs"]
mod buffered;
#[path = "../round_trip/child.rs"]
mod child;
#[path = "../round_trip/compare.rs"]
mod compare;
mod gateway;
mod job;
#[path = "../../tests/jobs/partner.rs"]
mod partner;
mod superid;
#[path = "../round_trip/world.rs"]
mod world;

use std::process::ExitCode;

use child::{Child, serve_until_told};
use compare::{Proxy, compare, load, number};
use superid::SuperId;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    superid_gateway::crypto::install_provider();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["world"] => world::run(job::request()),
        ["proxy", BARE, upstream] => {
            serve_until_told(bare::on_a_loop_of_our_own(number(upstream)));
        }
        ["proxy", STOCK, upstream] => serve_until_told(bare::on_the_stock_server(number(upstream))),
        ["proxy", GATEWAY, upstream, superid, token, key] => {
            gateway::serve(number(upstream), superid, vec![job::entry(token)], key);
        }
        ["once", BARE, requests] => once(BARE, number(requests)),
        ["once", GATEWAY, requests] => once(GATEWAY, number(requests)),
        options => return compared(options),
    }
    ExitCode::SUCCESS
}

/// One load of `requests` on one proxy, and nothing measured.
fn once(name: &'static str, requests: usize) {
    let mut world = Child::start(&["world"]);
    let superid = SuperId::start(world.port);
    let proxy = Child::start_wrapped(&words(name, &world.port.to_string(), &superid));
    load(&mut world, &proxy, requests);
}

fn compared(options: &[&str]) -> ExitCode {
    let mut world = Child::start(&["world"]);
    let superid = SuperId::start(world.port);
    let upstream = world.port.to_string();
    let proxies = [BARE, GATEWAY, STOCK].map(|name| {
        let process = Child::start(&words(name, &upstream, &superid));
        Proxy { name, process }
    });
    compare(options, &mut world, &proxies)
}

fn words<'a>(name: &'static str, upstream: &'a str, superid: &'a SuperId) -> Vec<&'a str> {
    let mut words = vec!["proxy", name, upstream];
    if name == GATEWAY {
        words.extend([superid.url(), superid.token(), partner::KEY.0.as_str()]);
    }
    words
}

const BARE: &str = "bare";
const GATEWAY: &str = "gateway";
const STOCK: &str = "stock";
