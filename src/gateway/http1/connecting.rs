//! Connections to apps that speak HTTP/1.1: one that is at rest, else a new one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::web::ProxyHeader;

use super::super::cord::Cord;
use super::super::flow::Used;
use super::super::kept;
use super::super::way::Led;

/// A connection for one request.
#[derive(Debug)]
pub(in crate::gateway) struct Connection {
    pub(in crate::gateway) cord: Cord,
    /// Whether the app may have left it before it sees the request.
    pub(in crate::gateway) used: Used,
    /// Where it is kept afterwards, if it may be.
    way: Option<kept::Way>,
}

/// A connection for a request. `handshakes` has a turn for each one of TLS that may go on at a time.
///
/// # Errors
/// Why there is none.
pub(in crate::gateway) async fn connect(
    led: &Led,
    whose: ProxyHeader,
    handshakes: Option<Arc<Semaphore>>,
) -> pingora::Result<Connection> {
    let way = (led.dial.group(), led.address.as_inet().copied());
    // What is one client's is not kept for others.
    let way = (!led.dial.introduces()).then_some(way);
    if let Some(cord) = way.and_then(kept::take) {
        return Ok(Connection { cord, used: Used::Before, way });
    }
    let mut _turn = None;
    if let Some(handshakes) = handshakes.filter(|_| led.dial.speaks_tls()) {
        _turn = turn(handshakes).await;
        // One may have come back meanwhile.
        if let Some(cord) = way.and_then(kept::take) {
            return Ok(Connection { cord, used: Used::Before, way });
        }
    }
    // Seldom, and a large future: not a part of every request's.
    let cord = led.dial.connect(&led.address, Some(led.patience.connect), whose);
    let cord = Box::pin(cord).await?;
    Ok(Connection { cord, used: Used::Never, way })
}

/// Keeps a connection on which nothing is under way, where it may be kept, for `most` at most.
pub(super) fn keep(cord: Cord, way: Option<kept::Way>, most: Duration) {
    if let Some(way) = way {
        kept::give(way, cord, most);
    }
}

impl Connection {
    pub(super) fn into_parts(self) -> (Cord, Option<kept::Way>) {
        (self.cord, self.way)
    }
}

/// A handshake that waits for those before it resumes what they agreed on. Where they take long,
/// it costs less than waiting.
async fn turn(handshakes: Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    timeout(A_WHILE, handshakes.acquire_owned()).await.ok()?.ok()
}

/// For a turn: a few handshakes in one network.
const A_WHILE: Duration = Duration::from_millis(50);
