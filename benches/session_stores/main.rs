//! What each session store costs: time for a session to be found, and bytes for one to be kept.
//!
//! ```text
//! cargo bench --bench session_stores                     100,000 people
//! cargo bench --bench session_stores -- 10000
//! ```

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "../setting/mod.rs"]
#[allow(dead_code, reason = "it is shared with other benches")]
mod setting;

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, HeaderValue, header};
use superid_gateway::clock::Clock;
use superid_gateway::config::Redis;
use superid_gateway::crypto::Random;
use superid_gateway::redis_link::RedisLink;
use superid_gateway::session::{Loaded, Records, Sessions, SharedRecords, Store};
use superid_gateway::web::Cookies;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let many = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        println!("{many} people; ns to find a session");
        println!("store     same person   anybody   bytes kept   bytes of cookie");
        // First of all: what others gave back would be taken for it.
        let kept = kept_in_memory(many).await;
        cookie(many).await;
        memory(many, kept).await;
        redis(many).await;
    });
}

async fn cookie(many: usize) {
    let sessions = setting::store(&setting::settings(9, 1));
    let people = sign_in(&sessions, many).await;
    told("cookie", &sessions, &people, 0).await;
}

/// Bytes for each session, without the clients' own cookies, which are not what is measured.
async fn kept_in_memory(many: usize) -> usize {
    let (sessions, random, none) = (in_memory(many), Random::system(), HeaderMap::new());
    let before = resident();
    for _ in 0..many {
        let made = sessions.make(&setting::session(), &random, Cookies::of(&none)).await;
        made.expect("a session that is kept");
    }
    resident().saturating_sub(before) / many
}

fn in_memory(many: usize) -> Sessions {
    let settings = setting::settings_kept(9, 1, ("store = \"memory\"", ""));
    setting::store_in(&settings, Store::Memory(Arc::new(Records::new(many * 2))))
}

async fn memory(many: usize, kept: usize) {
    let sessions = in_memory(many);
    let people = sign_in(&sessions, many).await;
    told("memory", &sessions, &people, kept).await;
}

/// Twice: as it is used, with what was read lately, and asking each time.
async fn redis(many: usize) {
    let socket = std::env::temp_dir().join(format!("stores-{}.sock", std::process::id()));
    let Some(_server) = Server::start(&socket) else {
        println!("redis     there is no redis-server on this machine");
        return;
    };
    let table = format!("[redis]\nurl = \"unix://{}\"\n", socket.display());
    let settings = setting::settings_kept(9, 1, ("store = \"redis\"", &table));
    let link = |config: &Redis| RedisLink::open(config, Random::system()).expect("a thread");
    let config = settings.redis.as_ref().expect("it is configured");
    let lately = Store::Redis(Arc::new(SharedRecords::new(Some(link(config)))));
    let sessions = setting::store_in(&settings, lately);
    let before = used_memory(&link(config)).await;
    let people = sign_in(&sessions, many).await;
    let kept = used_memory(&link(config)).await.saturating_sub(before) / many;
    told("redis", &sessions, &people, kept).await;
    let asking = Store::Redis(Arc::new(SharedRecords::always_asking(link(config))));
    told("  asked", &setting::store_in(&settings, asking), &people, kept).await;
}

async fn sign_in(sessions: &Sessions, many: usize) -> Vec<HeaderMap> {
    let (random, none) = (Random::system(), HeaderMap::new());
    let mut people = Vec::with_capacity(many);
    for _ in 0..many {
        let made = sessions.make(&setting::session(), &random, Cookies::of(&none)).await;
        let made = made.expect("a session that is kept");
        let cookie = setting::beside_others(&made.cookies[0]);
        let cookie = HeaderValue::try_from(cookie).expect("visible ASCII");
        people.push(HeaderMap::from_iter([(header::COOKIE, cookie)]));
    }
    people
}

async fn told(name: &str, sessions: &Sessions, people: &[HeaderMap], kept: usize) {
    let same = least(sessions, &people[..1]).await;
    let anybody = least(sessions, people).await;
    let cookie = bytes_of(&people[0]);
    println!("{name:<9} {same:>11.0} {anybody:>9.0} {kept:>12} {cookie:>17}");
}

/// The least of several batches.
async fn least(sessions: &Sessions, people: &[HeaderMap]) -> f64 {
    let (now, mut at, mut least) = (Clock::system().now(), 0, f64::INFINITY);
    for _ in 0..BATCHES {
        let begun = Instant::now();
        for _ in 0..BATCH {
            let cookies = Cookies::of(&people[at]);
            assert!(matches!(sessions.ask(cookies, now).await, Loaded::Live(_)));
            // Nobody's neighbour in memory.
            at = (at + 7_919) % people.len();
        }
        least = least.min(begun.elapsed().as_nanos() as f64 / BATCH as f64);
    }
    least
}

fn bytes_of(headers: &HeaderMap) -> usize {
    headers.values().map(HeaderValue::len).sum()
}

/// Bytes of this process that are in memory.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or_default() * 4_096
}

async fn used_memory(link: &RedisLink) -> usize {
    let told = link.info("memory").await.expect("Redis tells");
    let line = told.lines().find_map(|line| line.strip_prefix("used_memory:"));
    line.and_then(|bytes| bytes.trim().parse().ok()).expect("a number of bytes")
}

/// A Redis of this bench's own.
struct Server(Child);

impl Server {
    fn start(socket: &std::path::Path) -> Option<Self> {
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--unixsocket"]).arg(socket);
        let server = Self(command.stdout(Stdio::null()).spawn().ok()?);
        while std::os::unix::net::UnixStream::connect(socket).is_err() {
            std::thread::yield_now();
        }
        Some(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

const BATCHES: usize = 20;
const BATCH: usize = 5_000;
