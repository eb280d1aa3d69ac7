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
    let line = Line::of(downstream);
    let flow = line.map_or_else(|| Arc::new(Flow::new(&Arc::default())), Line::flow);
    let options = &mut peer.options;
    // Each step of it has an end of its own.
    options.total_connection_timeout = None;
    options.custom_l4 = Some(Arc::new(Connector {
        dial: dial.clone(),
        connect_timeout: options.connection_timeout.take(),
        silence: options.read_timeout.take().unwrap_or(Duration::MAX),
        flow: flow.clone(),
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
    whose: ProxyHeader,
}

#[async_trait]
impl L4Connect for Connector {
    async fn connect(&self, address: &socket::SocketAddr) -> pingora::Result<Stream> {
        let way = (self.dial.group(), address.as_inet().copied());
        // What is one client's is not kept for others.
        let way = (!self.dial.introduces()).then_some(way);
        let kept = way.and_then(kept::take);
        self.flow.comes_by(kept.as_ref());
        let stream = match kept {
            Some(stream) => stream,
            None => self.dial.connect(address, self.connect_timeout, self.whose).await?,
        };
        let returning = Returning::new(stream, self.flow.clone(), self.silence, way);
        Ok(VirtualSocketStream::new(Box::new(returning)).into())
    }
}
