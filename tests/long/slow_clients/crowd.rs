//! All the dawdling clients, from as many addresses as they need.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::kinds::{Kind, Place};

/// How each one ended.
pub struct End {
    pub kind: Kind,
    /// From its connection to its end; `None` when it never was, or did not end.
    pub after: Option<Duration>,
}

/// Opens `count` of them, [`EACH_SECOND`] a second, and waits for their ends. `open` says how many
/// there are.
pub async fn dawdle(kinds: Vec<Kind>, place: Arc<Place>, open: Arc<AtomicUsize>) -> Vec<End> {
    let begin = Instant::now();
    let mut clients = JoinSet::new();
    for (number, kind) in kinds.into_iter().enumerate() {
        let (place, open) = (place.clone(), open.clone());
        clients.spawn(async move {
            let due = Duration::from_secs(1) * number as u32 / EACH_SECOND;
            sleep_until(begin + due).await;
            End { kind, after: one(number, kind, &place, &open).await }
        });
    }
    clients.join_all().await
}

async fn one(number: usize, kind: Kind, place: &Place, open: &AtomicUsize) -> Option<Duration> {
    let from = Ipv4Addr::new(127, 1, 0, 1 + (number / FROM_ONE_ADDRESS) as u8);
    let receives = (kind == Kind::ReadsNothing).then_some(8 << 10);
    let stream = connected(from, kind.address(place), receives).await?;
    let begin = Instant::now();
    open.fetch_add(1, Ordering::Relaxed);
    let most = kind.deadline(place) + PATIENCE;
    let ended = timeout(most, kind.dawdle(stream, place)).await;
    open.fetch_sub(1, Ordering::Relaxed);
    ended.ok()?.map(|()| begin.elapsed())
}

/// Connects from an address of this machine.
pub async fn connected(from: Ipv4Addr, to: SocketAddr, receives: Option<u32>) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    if let Some(bytes) = receives {
        socket.set_recv_buffer_size(bytes).ok()?;
    }
    socket.bind(SocketAddr::new(IpAddr::V4(from), 0)).ok()?;
    let stream = socket.connect(to).await.ok()?;
    stream.set_nodelay(true).ok()?;
    Some(stream)
}

const EACH_SECOND: u32 = 1_000;
/// Fewer than `max_connections_per_address`.
const FROM_ONE_ADDRESS: usize = 200;
/// Who is not closed so long after the deadline never is.
const PATIENCE: Duration = Duration::from_secs(20);
