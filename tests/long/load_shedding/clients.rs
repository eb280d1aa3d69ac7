//! Clients that ask by the clock, whether or not they were answered in time: what is late counts
//! from when it was due.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

#[derive(Clone, Copy)]
pub struct Offer {
    pub port: u16,
    pub each_second: usize,
    pub duration: Duration,
}

/// One request: its status, 0 for none, and the time from when it was due to its answer.
#[derive(Clone, Copy)]
pub struct Outcome {
    pub status: u16,
    pub took: Duration,
}

/// Offers it over [`CONNECTIONS`] kept connections.
pub fn run(offer: Offer) -> Vec<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    runtime.block_on(async {
        let mut clients = JoinSet::new();
        let begin = Instant::now() + Duration::from_millis(500);
        for number in 0..CONNECTIONS {
            clients.spawn(client(number, begin, offer, outcomes.clone()));
        }
        clients.join_all().await;
    });
    Arc::into_inner(outcomes).unwrap().into_inner().unwrap()
}

async fn client(number: usize, begin: Instant, offer: Offer, to: Arc<Mutex<Vec<Outcome>>>) {
    let pause = Duration::from_secs(1) / u32::try_from(offer.each_second).unwrap();
    let mut due = begin + pause * u32::try_from(number).unwrap();
    let mut stream = connected(offer.port).await;
    let mut outcomes = Vec::new();
    while due < begin + offer.duration {
        tokio::time::sleep_until(due).await;
        let status = asked(&mut stream).await.unwrap_or(0);
        outcomes.push(Outcome { status, took: due.elapsed() });
        if status == 0 {
            stream = connected(offer.port).await;
        }
        due += pause * u32::try_from(CONNECTIONS).unwrap();
    }
    to.lock().unwrap().extend(outcomes);
}

async fn connected(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

async fn asked(stream: &mut TcpStream) -> Option<u16> {
    stream.write_all(REQUEST).await.ok()?;
    let mut answer = Vec::with_capacity(2 << 10);
    loop {
        if stream.read_buf(&mut answer).await.ok()? == 0 {
            return None;
        }
        if let Some(status) = whole(&answer) {
            return Some(status);
        }
    }
}

fn whole(answer: &[u8]) -> Option<u16> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&answer[..head]).ok()?.to_ascii_lowercase();
    let (_, length) = text.split_once("content-length: ")?;
    let length: usize = length.lines().next()?.parse().ok()?;
    let status = text.split(' ').nth(1)?.parse().ok()?;
    (answer.len() >= head + 4 + length).then_some(status)
}

/// Each asks 25 times a second: one that is served has its answer before its next turn.
const CONNECTIONS: usize = 384;
const REQUEST: &[u8] = b"GET /orders HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n";
