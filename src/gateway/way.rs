//! The way to an app: where it is, and which connections lead there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use pingora::upstreams::peer::HttpPeer;

use crate::config::{HostHeader, Upstream};
use crate::crypto::Authorities;

use super::addresses::UpstreamAddress;
use super::dial::Dial;

/// A route's way to its app, worked out once for each configuration.
pub(super) struct Way {
    pub(super) address: Arc<UpstreamAddress>,
    pub(super) dial: Arc<Dial>,
    host: Option<HeaderValue>,
}

impl Way {
    /// The way to `upstream`; `machine` says whom this machine believes.
    pub(super) fn new(upstream: &Upstream, machine: impl FnOnce() -> Authorities) -> Self {
        let host = match upstream.host_header {
            HostHeader::Public => None,
            HostHeader::Upstream => Some(upstream.authority()),
        };
        let value = |host| HeaderValue::try_from(host).expect("a URL's host is visible ASCII");
        let address = Arc::new(UpstreamAddress::new(upstream));
        Self { address, dial: Arc::new(Dial::new(upstream, machine)), host: host.map(value) }
    }

    /// The `Host` to send, where it is not the public one.
    pub(super) fn host(&self) -> Option<&HeaderValue> {
        self.host.as_ref()
    }

    /// What pingora is told of the app: an address where HTTP is spoken. TLS, where there is some,
    /// is [`Dial`]'s; pingora's pool keeps connections apart by the group key.
    pub(super) fn peer(&self, upstream: &Upstream, address: SocketAddr) -> HttpPeer {
        let mut peer = HttpPeer::new(address, false, String::new());
        peer.group_key = self.dial.group();
        let options = &mut peer.options;
        options.connection_timeout = Some(upstream.connect_timeout);
        options.total_connection_timeout = Some(upstream.connect_timeout * 2);
        options.read_timeout = Some(upstream.read_timeout);
        options.write_timeout = Some(upstream.read_timeout);
        options.idle_timeout = Some(POOL_IDLE);
        peer
    }
}

/// How long an unused connection to an app is kept.
const POOL_IDLE: Duration = Duration::from_secs(60);
