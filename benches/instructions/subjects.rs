//! What is counted: the loads, and what each of them costs for one of its requests.

use std::path::Path;

use crate::app;
use crate::client::ask;
use crate::configuration::Configuration;
use crate::gateway::Gateway;
use crate::job;
use crate::profile::{Calls, Profile};
use crate::superid::SuperId;

/// A subject, and instructions (or allocations) for each of it.
pub type Figure = (&'static str, u64);

/// Runs the loads and gives each subject's instructions. Panics where a subject cannot be found.
pub fn count(program: &Path, folder: &Path) -> Vec<Figure> {
    let app = app::start();
    let superid = SuperId::start(app);
    let bench =
        Bench { program, folder, configuration: Configuration::write(folder, app, &superid) };
    let plain = bench.run("plain", Load { signed_in: REQUESTS, jobs: REQUESTS });
    let signed_in = bench.run("signed_in", Load { signed_in: 2 * REQUESTS, jobs: REQUESTS });
    let jobs = bench.run("jobs", Load { signed_in: REQUESTS, jobs: 2 * REQUESTS });
    let opened = plain.calls_of(OPENING);
    vec![
        ("signed-in request", each(plain.total, signed_in.total)),
        ("signed-in request: allocations", each(allocations(&plain), allocations(&signed_in))),
        ("job call", each(plain.total, jobs.total)),
        ("job call: allocations", each(allocations(&plain), allocations(&jobs))),
        ("decide", between(&plain, &signed_in, DECIDE)),
        ("session cookie opened", one(opened, COOKIES as u64, OPENING)),
        ("ticket from the cache", between(&plain, &jobs, TICKET)),
    ]
}

struct Bench<'a> {
    program: &'a Path,
    folder: &'a Path,
    configuration: Configuration,
}

/// Requests of each kind, beside those with cookies that are new to the gateway.
struct Load {
    signed_in: usize,
    jobs: usize,
}

impl Bench<'_> {
    fn run(&self, name: &str, load: Load) -> Profile {
        let counts = self.folder.join(format!("{name}.callgrind"));
        let gateway = Gateway::start(self.program, &self.configuration.path, &counts);
        let requests: Vec<Vec<u8>> = (0..COOKIES).map(|_| self.configuration.request()).collect();
        let known = std::iter::repeat_n(requests[COOKIES - 1].as_slice(), load.signed_in);
        ask(gateway.ports.people, requests.iter().map(Vec::as_slice).chain(known));
        ask(gateway.ports.jobs, std::iter::repeat_n(job::request().as_slice(), load.jobs));
        gateway.stop();
        Profile::read(&counts)
    }
}

/// One of the [`REQUESTS`] that a run had more, to the nearest whole.
fn each(less: u64, more: u64) -> u64 {
    (more.saturating_sub(less) + REQUESTS as u64 / 2) / REQUESTS as u64
}

/// All that Rust asks of the allocator.
fn allocations(profile: &Profile) -> u64 {
    let number = ALLOCATING.map(|function| profile.calls_of(function).number).iter().sum();
    assert_ne!(number, 0, "callgrind counted no allocation: has the allocator other functions?");
    number
}

/// One call of a function that was called [`REQUESTS`] times more in the second run.
fn between(plain: &Profile, more: &Profile, function: &str) -> u64 {
    let (less, more) = (plain.calls_of(function), more.calls_of(function));
    let calls = Calls {
        number: more.number.saturating_sub(less.number),
        instructions: more.instructions.saturating_sub(less.instructions),
    };
    one(calls, REQUESTS as u64, function)
}

fn one(calls: Calls, expected: u64, function: &str) -> u64 {
    assert_eq!(
        calls.number, expected,
        "calls of {function} as callgrind counted them, and as they must be: is it renamed, \
         no longer a function of its own (#[inline(never)]), or not on this way any more?"
    );
    calls.instructions / expected
}

/// Of each kind.
const REQUESTS: usize = 2_000;
/// Cookies the gateway opens for the first time.
const COOKIES: usize = 500;
/// mimalloc's, called by Rust alone.
const ALLOCATING: [&str; 3] = ["mi_malloc_aligned", "mi_zalloc_aligned", "mi_realloc_aligned"];
const DECIDE: &str = "superid_gateway::gateway::decide::decide";
const OPENING: &str = "superid_gateway::session::sessions::Sessions::unsealed";
const TICKET: &str = "superid_gateway::credentials::ticket_cache::cache::TicketCache::held";
