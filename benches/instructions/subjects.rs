//! What is counted: the loads, and what each of them costs for one of its requests.

use std::path::Path;

use crate::app;
use crate::client::{From, ask};
use crate::configuration::{self, Configuration, Ports};
use crate::gateway::Counted::{self, Everywhere, Within};
use crate::gateway::Gateway;
use crate::job;
use crate::profile::Profile;
use crate::superid::SuperId;

/// A subject, and instructions (or allocations) for each of it.
pub type Figure = (&'static str, u64);

/// Runs the loads and gives each subject's instructions. Panics where a subject cannot be found.
pub fn count(program: &Path, folder: &Path) -> Vec<Figure> {
    let app = app::start();
    let superid = SuperId::start(app);
    let configuration = Configuration::write(folder, (app, &superid), ANY, "");
    let bench = Bench { program, folder, configuration };
    let plain = bench.least(["plain", "plain.again"], Load::ALL);
    let signed_in = Load { signed_in: 2 * REQUESTS, ..Load::ALL };
    let signed_in = bench.least(["signed_in", "signed_in.again"], signed_in);
    let jobs = bench.least(["jobs", "jobs.again"], Load { jobs: 2 * REQUESTS, ..Load::ALL });
    let sent = Load { sent: 2 * REQUESTS, ..Load::ALL };
    let sent = bench.least(["sent", "sent.again"], sent);
    let mut figures = vec![
        ("signed-in request", each(spent(&plain), spent(&signed_in))),
        ("signed-in request: allocations", each(allocations(&plain), allocations(&signed_in))),
        ("job call", each(spent(&plain), spent(&jobs))),
        ("job call: allocations", each(allocations(&plain), allocations(&jobs))),
        ("sent to sign in", each(spent(&plain), spent(&sent))),
        ("sent to sign in: allocations", each(allocations(&plain), allocations(&sent))),
    ];
    expect(more(&plain, &signed_in, DECIDE), REQUESTS, DECIDE);
    expect(more(&plain, &jobs, TICKET), REQUESTS, TICKET);
    expect(plain.calls_of(OPENING), COOKIES + 1, OPENING);
    let signed_in = Load { signed_in: REQUESTS, ..Load::NONE };
    let cookies = Load { cookies: COOKIES, ..Load::NONE };
    let jobs = Load { jobs: REQUESTS, ..Load::NONE };
    let verdicts = bench.run("decide", Within(DECIDE), signed_in);
    let opened = bench.run("opened", Within(OPENING), cookies);
    let tickets = bench.run("ticket", Within(TICKET), jobs);
    figures.extend(within(["decide", "decide: allocations"], &verdicts, REQUESTS));
    figures.extend(within(
        ["session cookie opened", "session cookie opened: allocations"],
        &opened,
        COOKIES,
    ));
    figures.extend(within(
        ["ticket from the cache", "ticket from the cache: allocations"],
        &tickets,
        REQUESTS,
    ));
    figures
}

struct Bench<'a> {
    program: &'a Path,
    folder: &'a Path,
    configuration: Configuration,
}

/// Requests of each kind.
#[derive(Clone, Copy)]
struct Load {
    /// With a cookie that is new to the gateway each time.
    cookies: usize,
    /// With one cookie.
    signed_in: usize,
    jobs: usize,
    /// Of nobody, sent to SuperID.
    sent: usize,
}

impl Load {
    const NONE: Self = Self { cookies: 0, signed_in: 0, jobs: 0, sent: 0 };
    const ALL: Self =
        Self { cookies: COOKIES, signed_in: REQUESTS, jobs: REQUESTS, sent: REQUESTS };
}

impl Bench<'_> {
    /// Counts the whole process twice, and gives the run that took less: what is done by the clock, and not
    /// for a request, only adds, the more the longer a run took.
    fn least(&self, names: [&str; 2], load: Load) -> Profile {
        let [one, other] = names.map(|name| self.run(name, Everywhere, load));
        if spent(&one) < spent(&other) { one } else { other }
    }

    fn run(&self, name: &str, counted: Counted, load: Load) -> Profile {
        let counts = self.folder.join(format!("{name}.callgrind"));
        let gateway = Gateway::start(self.program, &self.configuration.path, &counts, counted);
        let cookies: Vec<Vec<u8>> =
            (0..load.cookies).map(|_| self.configuration.request()).collect();
        let one = self.configuration.request();
        let known = std::iter::repeat_n(one.as_slice(), load.signed_in);
        // Known first: behind the others it might find its place taken, and be opened twice.
        let people = known.chain(cookies.iter().map(Vec::as_slice));
        ask(gateway.ports.people, From::TheApp, people);
        let jobs = std::iter::repeat_n(job::request(), load.jobs);
        ask(gateway.ports.jobs, From::TheApp, jobs);
        let sent = std::iter::repeat_n(configuration::navigation(), load.sent);
        ask(gateway.ports.people, From::TheGateway, sent);
        gateway.stop();
        Profile::read(&counts)
    }
}

/// One of the [`REQUESTS`] that a run had more, to the nearest whole.
fn each(less: u64, more: u64) -> u64 {
    (more.saturating_sub(less) + REQUESTS as u64 / 2) / REQUESTS as u64
}

/// All instructions but those that chance has a part in.
fn spent(profile: &Profile) -> u64 {
    profile.without(&LEFT_OUT)
}

/// One of so many calls of a function, in a run that counted within it alone: instructions, and what is
/// asked of the allocator.
fn within(names: [&'static str; 2], profile: &Profile, calls: usize) -> [Figure; 2] {
    let calls = calls as u64;
    let instructions = spent(profile);
    assert!(instructions > calls, "callgrind counted nothing for {:?}", names[0]);
    let asked: u64 = ALLOCATING.map(|function| profile.entered(function)).iter().sum();
    [(names[0], (instructions + calls / 2) / calls), (names[1], (asked + calls / 2) / calls)]
}

/// All that Rust asks of the allocator.
fn allocations(profile: &Profile) -> u64 {
    let number = ALLOCATING.map(|function| profile.calls_of(function)).iter().sum();
    assert_ne!(number, 0, "callgrind counted no allocation: has the allocator other functions?");
    number
}

/// Calls of a function that the second run had more.
fn more(plain: &Profile, more: &Profile, function: &str) -> u64 {
    more.calls_of(function).saturating_sub(plain.calls_of(function))
}

fn expect(calls: u64, expected: usize, function: &str) {
    assert_eq!(
        calls, expected as u64,
        "calls of {function} as callgrind counted them, and as they must be: is it renamed, \
         no longer a function of its own (#[inline(never)]), or not on this way any more?"
    );
}

/// Of the machine's choice: the gateway says which.
const ANY: Ports = Ports { people: 0, jobs: 0 };
/// Of each kind.
const REQUESTS: usize = 2_000;
/// Cookies the gateway opens for the first time.
const COOKIES: usize = 500;
/// mimalloc's, called by Rust alone.
const ALLOCATING: [&str; 6] = [
    "mi_malloc",
    "mi_malloc_aligned",
    "mi_zalloc",
    "mi_zalloc_aligned",
    "mi_realloc",
    "mi_realloc_aligned",
];
/// How functions begin that are not counted. The allocator's: it looks for pages when it happens to want
/// some. Those by which aws-lc has its first randomness, once: it measures as often as the machine's
/// jitter makes it.
const LEFT_OUT: [&str; 7] =
    ["mi_", "_mi_", "jent_", "rol64", "xoshiro128starstar", "uint32rotl", "ptr_to_le32"];
const DECIDE: &str = "superid_gateway::gateway::decide::decide";
const OPENING: &str = "superid_gateway::session::sessions::Sessions::unsealed";
const TICKET: &str = "superid_gateway::credentials::ticket_cache::cache::TicketCache::held";
