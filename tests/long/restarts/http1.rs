//! Clients of HTTP/1.1: a connection for each request, one for many, and bodies.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval};

use crate::Load;
use crate::connection::{ask, closes, connect, is_ok, rest};
use crate::counts::{Kind, Loss};

/// A connection for each request.
pub async fn short(load: Load, number: usize) {
    let request = b"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    paced(load, number, Kind::Short, Duration::from_millis(80), |_| request.to_vec()).await;
}

/// One connection for as many requests as it is told that it may.
pub async fn kept(load: Load, number: usize) {
    let request = b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n";
    paced(load, number, Kind::Kept, Duration::from_millis(15), |_| request.to_vec()).await;
}

/// The same with bodies, of stated length and not.
pub async fn post(load: Load, number: usize) {
    paced(load, number, Kind::Post, Duration::from_millis(60), |count| {
        let body = "b".repeat(count * 997 % 20_000 + 1);
        let head = "POST /x HTTP/1.1\r\nHost: localhost\r\n";
        let length = body.len();
        match count % 2 {
            0 => format!("{head}Content-Length: {length}\r\n\r\n{body}"),
            _ => {
                format!("{head}Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n")
            }
        }
        .into_bytes()
    })
    .await;
}

async fn paced(
    load: Load,
    number: usize,
    kind: Kind,
    pause: Duration,
    request: impl Fn(usize) -> Vec<u8>,
) {
    let mut turns = interval(pause);
    turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut count, mut stream) = (number, None);
    while !load.counts.is_over() {
        turns.tick().await;
        count += 1;
        match one(&load, count, &mut stream, &request(count)).await {
            Ok(()) => load.counts.answered(kind),
            Err(loss) => load.counts.lost(loss, "HTTP/1.1"),
        }
    }
}

/// One request, on the connection there is or a new one, which is left when told so.
async fn one(
    load: &Load,
    count: usize,
    kept: &mut Option<TcpStream>,
    request: &[u8],
) -> Result<(), Loss> {
    let mut stream = match kept.take() {
        Some(stream) => stream,
        None => connect(load, count).await?,
    };
    let mut answer = ask(&mut stream, request).await?;
    rest(&mut stream, &mut answer).await?;
    if !is_ok(&answer) {
        return Err(Loss::Otherwise);
    }
    *kept = (!closes(&answer)).then_some(stream);
    Ok(())
}
