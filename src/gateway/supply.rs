//! The way to an app for a request whose client may take its answer more slowly than the app gives
//! it.
//!
//! pingora reads ahead: up to half a megabyte waits between the app and a client that takes nothing,
//! and a client of HTTP/2 has a hundred answers waiting at a time. Here nothing is read from the app
//! while a piece of the answer waits for its client.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::connectors::L4Connect;
use pingora::protocols::l4::socket;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::l4::virt::VirtualSocketStream;
use pingora::proxy::Session as Downstream;
use pingora::upstreams::peer::HttpPeer;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::web::ProxyHeader;

use super::dial::Dial;
use super::flow::Flow;
use super::gauged::Returning;
use super::kept;
use super::line::Line;

/// Lets `peer` be reached by a connection that is read from as its client takes what is read. It knows
/// itself how long the app may be silent: pingora's timer would count the time in which nothing is
/// read, too. It costs less than pingora's own pool: that starts a task with a timer for each
/// connection it keeps, and another timer for each answer.
pub(super) fn bounded(
    peer: &mut HttpPeer,
    dial: &Arc<Dial>,
    downstream: &Downstream,
    whose: ProxyHeader,
) -> Arc<Flow> {
    let many = Line::of(downstream).filter(|_| downstream.is_http2());
    let flow = many.map_or_else(|| Arc::new(Flow::alone()), Line::flow);
    let handshakes = many.filter(|_| dial.speaks_tls()).map(|line| line.handshakes().clone());
    let options = &mut peer.options;
    // Each step of it has an end of its own.
    options.total_connection_timeout = None;
    options.custom_l4 = Some(Arc::new(Connector {
        dial: dial.clone(),
        connect_timeout: options.connection_timeout.take(),
        silence: options.read_timeout.take().unwrap_or(Duration::MAX),
        flow: flow.clone(),
        handshakes,
        whose,
    }));
    flow
}

#[derive(Debug)]
struct Connector {
    dial: Arc<Dial>,
    connect_timeout: Option<Duration>,
    silence: Duration,
    flow: Arc<Flow>,
    handshakes: Option<Arc<Semaphore>>,
    whose: ProxyHeader,
}

#[async_trait]
impl L4Connect for Connector {
    async fn connect(&self, address: &socket::SocketAddr) -> pingora::Result<Stream> {
        let way = (self.dial.group(), address.as_inet().copied());
        // What is one client's is not kept for others.
        let way = (!self.dial.introduces()).then_some(way);
        let mut kept = way.and_then(kept::take);
        let mut _turn = None;
        if kept.is_none() && self.handshakes.is_some() {
            _turn = self.turn().await;
            // One may have come back meanwhile.
            kept = way.and_then(kept::take);
        }
        self.flow.comes_by(kept.as_ref());
        let stream = match kept {
            Some(stream) => stream,
            None => self.dial.connect(address, self.connect_timeout, self.whose).await?,
        };
        let returning = Returning::new(stream, self.flow.clone(), self.silence, way);
        Ok(VirtualSocketStream::new(Box::new(returning)).into())
    }
}

impl Connector {
    /// A handshake that waits for those before it resumes what they agreed on. Where they take long,
    /// it costs less than waiting.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        let turn = self.handshakes.clone()?.acquire_owned();
        timeout(A_WHILE, turn).await.ok()?.ok()
    }
}

/// For a turn: a few handshakes in one network.
const A_WHILE: Duration = Duration::from_millis(50);
