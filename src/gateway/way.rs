//! The way to an app: where it is, and which connections lead there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use pingora::upstreams::peer::HttpPeer;

use crate::config::{HostHeader, Upstream, UpstreamScheme};
use crate::crypto::sha256;

use super::addresses::UpstreamAddress;

/// A route's way to its app, worked out once for each configuration.
pub(super) struct Way {
    pub(super) address: Arc<UpstreamAddress>,
    group: u64,
    host: Option<HeaderValue>,
}

impl Way {
    /// The way to `upstream`.
    pub(super) fn new(upstream: &Upstream) -> Self {
        let host = match upstream.host_header {
            HostHeader::Public => None,
            HostHeader::Upstream => Some(upstream.authority()),
        };
        let value = |host| HeaderValue::try_from(host).expect("a URL's host is visible ASCII");
        let (address, group) = (Arc::new(UpstreamAddress::new(upstream)), group(upstream));
        Self { address, group, host: host.map(value) }
    }

    /// The `Host` to send, where it is not the public one.
    pub(super) fn host(&self) -> Option<&HeaderValue> {
        self.host.as_ref()
    }

    /// The connection to use. The pool keeps connections apart by the group key, and its own key
    /// knows nothing of TLS identity beyond the name, so the whole upstream is hashed in.
    pub(super) fn peer(&self, upstream: &Upstream, address: SocketAddr) -> HttpPeer {
        let tls = upstream.scheme == UpstreamScheme::Https;
        let mut peer = HttpPeer::new(address, tls, upstream.host.clone());
        peer.group_key = self.group;
        let options = &mut peer.options;
        options.connection_timeout = Some(upstream.connect_timeout);
        options.total_connection_timeout = Some(upstream.connect_timeout * 2);
        options.read_timeout = Some(upstream.read_timeout);
        options.write_timeout = Some(upstream.read_timeout);
        options.idle_timeout = Some(POOL_IDLE);
        peer
    }
}

fn group(upstream: &Upstream) -> u64 {
    let digest = sha256(&[
        format!("{:?}", upstream.scheme).as_bytes(),
        upstream.host.as_bytes(),
        &upstream.port.to_be_bytes(),
    ]);
    u64::from_be_bytes([
        digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
    ])
}

/// Seconds an unused connection to an app is kept.
const POOL_IDLE: Duration = Duration::from_secs(60);
