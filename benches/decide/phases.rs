//! What the gateway itself does in each of pingora's phases, called as pingora calls them.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use arc_swap::ArcSwap;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::proxy::{ProxyHttp as _, Session};
use superid_gateway::gateway::{Gateway, Site};
use superid_gateway::telemetry::AccessLog;
use tokio::io::AsyncWriteExt as _;

use crate::counting::{Cost, cost};
use crate::setting;

/// A request that was read, and the gateway it came to.
pub struct Phases {
    gateway: Gateway,
    downstream: Session,
}

impl Phases {
    /// Reads the bench's request from a pipe, as from a client; it asks for a WebSocket, for those alone go through
    /// pingora's phases, and can be stopped between them. Must be called in a runtime.
    pub async fn new(site: Arc<Site>, access: AccessLog) -> Self {
        let (mut client, server) = tokio::io::duplex(8 << 10);
        let request = setting::request();
        let head = request.strip_suffix(b"\r\n").expect("a request ends with an empty line");
        client.write_all(head).await.expect("room for a request");
        client.write_all(UPGRADE).await.expect("room for a request");
        let mut downstream = Session::new_h1(Box::new(server));
        downstream.as_downstream_mut().read_request().await.expect("a request");
        let gateway = Gateway::new(Arc::new(ArcSwap::from(site)), Some(access));
        Self { gateway, downstream }
    }

    /// The cost of each phase by name, in the order they run.
    pub fn costs(&mut self) -> Vec<(&'static str, Cost)> {
        let Self { gateway, downstream } = self;
        let context = cost(|| gateway.new_ctx());
        let filter = cost(|| {
            let mut exchange = gateway.new_ctx();
            now(gateway.request_filter(downstream, &mut exchange)).expect("a signed-in request")
        });
        let mut exchange = gateway.new_ctx();
        let answered = now(gateway.request_filter(downstream, &mut exchange));
        assert!(!answered.expect("a signed-in request"), "the request leaves");
        let peer = cost(|| now(gateway.upstream_peer(downstream, &mut exchange)));
        let head: RequestHeader = downstream.req_header().clone();
        let copy = cost(|| head.clone());
        let edits = cost(|| {
            let mut head = head.clone();
            now(gateway.upstream_request_filter(downstream, &mut head, &mut exchange))
                .expect("edits that hold");
            head
        });
        let mut answer = ResponseHeader::build(200, None).expect("an answer");
        let response =
            cost(|| now(gateway.response_filter(downstream, &mut answer, &mut exchange)));
        let logging = cost(|| now(gateway.logging(downstream, None, &mut exchange)));
        vec![
            ("new_ctx", context),
            ("request_filter", less(filter, context)),
            ("upstream_peer", peer),
            ("upstream_request_filter", less(edits, copy)),
            ("response_filter", response),
            ("logging", logging),
        ]
    }
}

/// RFC 6455 §4.1.
const UPGRADE: &[u8] =
    b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// What one costs beyond the other.
pub fn less(one: Cost, other: Cost) -> Cost {
    Cost {
        nanoseconds: one.nanoseconds - other.nanoseconds,
        allocations: one.allocations - other.allocations,
    }
}

/// The outcome of a future that waits for nothing.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("a phase that should not wait waits"),
    }
}
