//! Replicas that are processes: this test program, started again as one of them.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use superid_gateway::clock::Clock;
use superid_gateway::credentials::{Bought, BuyFailed, SharedTickets, TicketCache, TicketSource};
use superid_gateway::crypto::{KeyRing, Random};
use superid_gateway::identity::{TenantKey, Ticket};
use superid_gateway::redis_link::RedisLink;
use superid_gateway::telemetry::Metrics;
use tokio::task::JoinSet;

use crate::redis_server::{RedisServer, config};
use crate::source::key;

const SOCKET: &str = "SUPERID_GATEWAY_TEST_SOCKET";
const LEDGER: &str = "SUPERID_GATEWAY_TEST_LEDGER";
const HANG: &str = "SUPERID_GATEWAY_TEST_HANG";
const CALLERS: usize = 1_000;

#[test]
fn two_processes_on_one_redis_make_one_exchange_in_all() {
    let Some(redis) = RedisServer::start() else { return };
    let ledger = redis.socket().with_file_name("ledger");
    let replicas: Vec<_> = (0..2).map(|_| Replica::start(&redis, &ledger, Leader::Buys)).collect();
    for mut replica in replicas {
        assert_eq!(replica.says("served"), format!("served {CALLERS}"));
        assert!(replica.child.wait().unwrap().success());
    }
    assert_eq!(std::fs::read_to_string(ledger).unwrap().lines().count(), 1);
}

#[test]
fn when_the_process_that_buys_is_killed_the_other_makes_the_one_exchange() {
    let Some(redis) = RedisServer::start() else { return };
    let ledger = redis.socket().with_file_name("ledger");
    let mut leader = Replica::start(&redis, &ledger, Leader::Hangs);
    leader.says("buying");
    let mut heir = Replica::start(&redis, &ledger, Leader::Buys);
    heir.says("calling");
    let begun = Instant::now();
    leader.child.kill().unwrap();
    leader.child.wait().unwrap();
    assert_eq!(heir.says("served"), format!("served {CALLERS}"));
    println!("after SIGKILL of the leader all were served in {:?}", begun.elapsed());
    assert!(heir.child.wait().unwrap().success());
    assert_eq!(std::fs::read_to_string(ledger).unwrap().lines().count(), 1);
}

/// No test of its own: what the others start.
#[test]
fn a_replica() {
    let (Some(socket), Some(ledger)) = (std::env::var_os(SOCKET), std::env::var_os(LEDGER)) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let link = RedisLink::open(&config(socket.into(), None), Random::system()).unwrap();
        let shared = SharedTickets::new(link, KeyRing::new(&[[7; 32]]), Random::system());
        let counters = Metrics::default().tickets().clone();
        let till = Arc::new(Till { ledger: ledger.into() });
        let cache =
            TicketCache::new(till, Clock::system(), Random::system(), counters).with_shared(shared);
        let mut callers = JoinSet::new();
        println!("\ncalling");
        for _ in 0..CALLERS {
            let cache = cache.clone();
            callers.spawn(async move { cache.get(&key(1)).await.unwrap().bought() });
        }
        println!("\nserved {}", callers.join_all().await.len());
    });
}

/// Writes a line for each exchange, or hangs before it does.
struct Till {
    ledger: PathBuf,
}

impl TicketSource for Till {
    fn buy<'a>(
        &'a self,
        _: &'a TenantKey,
    ) -> Pin<Box<dyn Future<Output = Result<Bought, BuyFailed>> + Send + 'a>> {
        Box::pin(async move {
            if std::env::var_os(HANG).is_some() {
                println!("\nbuying");
                std::future::pending::<()>().await;
            }
            let mut ledger =
                OpenOptions::new().create(true).append(true).open(&self.ledger).unwrap();
            ledger.write_all(b"sold\n").unwrap();
            // Long enough that the other process must come upon it.
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            Ok(Bought { ticket: Ticket::parse("7T:x").unwrap(), bought: Clock::system().now() })
        })
    }
}

#[derive(PartialEq)]
enum Leader {
    Buys,
    Hangs,
}

/// A process, and what it says.
struct Replica {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Replica {
    fn start(redis: &RedisServer, ledger: &Path, leader: Leader) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["processes::a_replica", "--exact", "--nocapture"]);
        command.env(SOCKET, redis.socket()).env(LEDGER, ledger).stdout(Stdio::piped());
        if leader == Leader::Hangs {
            command.env(HANG, "1");
        }
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line that begins so.
    fn says(&mut self, word: &str) -> String {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        lines.find(|line| line.starts_with(word)).unwrap_or_else(|| panic!("no word of {word}"))
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
