//! The clients, and what they ask for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::World;
use crate::http1_client::{self, Keeps};
use crate::http2_client;
use crate::judge::Kind;
use crate::setting::{Gateway, client_tls};

/// One request.
#[derive(Clone, Copy)]
pub struct Asking {
    pub number: u64,
    pub method: Method,
    pub pool: Which,
    pub kind: Kind,
    pub since: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

/// Whose servers it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Three,
    Two,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

impl Asking {
    pub fn path(&self) -> &'static str {
        match self.pool {
            Which::Three => "/three/x",
            Which::Two => "/two/x",
        }
    }

    pub fn body(&self) -> Vec<u8> {
        match self.method {
            Method::Get => Vec::new(),
            Method::Post => vec![b'b'; (self.number % 61 * 50 + 1) as usize],
        }
    }
}

/// Asks for `length`, and for as long as what was begun takes.
pub async fn run(world: Arc<World>, gateway: &Gateway, length: Duration) {
    let end = Instant::now() + length;
    let mut clients = JoinSet::new();
    let plain = gateway.plain;
    for (kind, keeps, many, pause) in [
        (Kind::Short, Keeps::Nothing, 8, Duration::from_millis(120)),
        (Kind::Kept, Keeps::Connections, 16, Duration::from_millis(100)),
    ] {
        for _ in 0..many {
            let world = world.clone();
            clients.spawn(async move {
                let mut client = http1_client::Client::new(plain, keeps);
                let mut turns = turns(pause);
                while Instant::now() < end {
                    turns.tick().await;
                    let asking = world.numbers.next(kind);
                    let saw = client.ask(asking).await;
                    world.judge(asking, saw);
                }
            });
        }
    }
    let tls = client_tls(gateway.certificate(), &["h2"]);
    for _ in 0..4 {
        let client = http2_client::Client::new(gateway.tls, tls.clone());
        clients.spawn(http2(world.clone(), client, end));
    }
    clients.join_all().await;
}

async fn http2(world: Arc<World>, mut client: http2_client::Client, end: Instant) {
    let mut turns = turns(Duration::from_millis(40));
    let mut flying = JoinSet::new();
    while Instant::now() < end {
        turns.tick().await;
        let ready = client.ready().await;
        let (world, asking) = (world.clone(), world.numbers.next(Kind::Http2));
        flying.spawn(async move {
            let saw = http2_client::ask(ready, asking).await;
            world.judge(asking, saw);
        });
        while flying.try_join_next().is_some() {}
    }
    flying.join_all().await;
}

/// Numbers for requests, and with them what they are.
#[derive(Default)]
pub struct Numbers(AtomicU64);

impl Numbers {
    fn next(&self, kind: Kind) -> Asking {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let method = if number.is_multiple_of(3) { Method::Post } else { Method::Get };
        let pool = if number / 3 % 5 < 3 { Which::Three } else { Which::Two };
        Asking { number, method, pool, kind, since: Instant::now() }
    }
}

fn turns(pause: Duration) -> tokio::time::Interval {
    let mut turns = interval(pause);
    turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
    turns
}
