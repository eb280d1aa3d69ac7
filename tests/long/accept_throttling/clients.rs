//! Clients that keep their connections and ask again as soon as they have their answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_rustls::TlsConnector;

use crate::setting::ask;

/// Where they ask, and how.
#[derive(Clone)]
pub struct Door {
    pub address: SocketAddr,
    pub tls: Option<Arc<ClientConfig>>,
}

/// What one client, or all of them, saw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub served: usize,
    /// Connections that were used up.
    pub turns: usize,
    /// Connections that ended before their first answer.
    pub refused: usize,
    /// Requests that were lost on a connection that had been in use.
    pub lost: usize,
    /// Clients that were never served.
    pub starved: usize,
    /// The longest anybody went without an answer.
    pub waited: Duration,
}

impl Tally {
    fn with(self, other: Self) -> Self {
        Self {
            served: self.served + other.served,
            turns: self.turns + other.turns,
            refused: self.refused + other.refused,
            lost: self.lost + other.lost,
            starved: self.starved + other.starved,
            waited: self.waited.max(other.waited),
        }
    }
}

/// So many of them, for so long.
pub fn run(door: &Door, count: usize, duration: Duration) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let end = Instant::now() + duration;
        let mut clients = JoinSet::new();
        for _ in 0..count {
            clients.spawn(client(door.clone(), end));
        }
        clients.join_all().await.into_iter().fold(Tally::default(), Tally::with)
    })
}

async fn client(door: Door, end: Instant) -> Tally {
    let mut tally = Tally::default();
    let mut last = Instant::now();
    while Instant::now() < end {
        // Whoever is still waiting at the end is not counted as lost.
        let _ended = timeout_at(end, connection(&door, &mut tally, &mut last)).await;
    }
    tally.starved = usize::from(tally.served == 0);
    tally.waited = tally.waited.max(last.elapsed());
    tally
}

async fn connection(door: &Door, tally: &mut Tally, last: &mut Instant) {
    let served = tally.served;
    if let Ok(stream) = TcpStream::connect(door.address).await {
        let _latency_only = stream.set_nodelay(true);
        match &door.tls {
            None => asking(stream, tally, last).await,
            Some(tls) => {
                let name = "localhost".try_into().unwrap();
                if let Ok(stream) = TlsConnector::from(tls.clone()).connect(name, stream).await {
                    asking(stream, tally, last).await;
                }
            }
        }
    }
    if tally.served == served {
        tally.refused += 1;
        sleep(AGAIN).await;
    }
}

async fn asking<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    tally: &mut Tally,
    last: &mut Instant,
) {
    let before = tally.served;
    loop {
        match ask(&mut stream).await {
            Some(answer) if answer.status == 200 => {
                tally.served += 1;
                tally.waited = tally.waited.max(last.elapsed());
                *last = Instant::now();
                if answer.last {
                    tally.turns += 1;
                    return;
                }
            }
            _ => {
                tally.lost += usize::from(tally.served > before);
                return;
            }
        }
    }
}

/// Who was turned away comes again so soon.
const AGAIN: Duration = Duration::from_millis(10);
