//! The way to a server: where it is, and which connections lead there.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use pingora::protocols::l4::socket;
use pingora::upstreams::peer::HttpPeer;

use crate::clock::Clock;
use crate::config::{HostHeader, Patience, Server, ServerPlace, Servers, Upstream};
use crate::crypto::Authorities;

use super::addresses::UpstreamAddress;
use super::dial::Dial;

/// A route's way to one server of its app, worked out once for each configuration.
pub(super) struct Way {
    place: Place,
    pub(super) dial: Arc<Dial>,
    host: Option<HeaderValue>,
    patience: Patience,
}

enum Place {
    Net(Arc<UpstreamAddress>),
    Socket(PathBuf),
}

impl Way {
    /// The way to one server of `upstream`'s; `machine` says whom this machine believes.
    pub(super) fn new(
        upstream: &Upstream,
        server: &Server,
        machine: impl FnOnce() -> Authorities,
    ) -> Self {
        let patience = Patience { connect: upstream.connect_timeout, read: upstream.read_timeout };
        let way = Self::without_host(server, &upstream.servers, patience, machine);
        let value = |host| HeaderValue::try_from(host).expect("a URL's host is visible ASCII");
        let host = match upstream.host_header {
            HostHeader::Public => None,
            HostHeader::Upstream => Some(value(server.authority())),
        };
        Self { host, ..way }
    }

    /// The way to a server that nobody asked for.
    pub(super) fn without_host(
        server: &Server,
        servers: &Servers,
        patience: Patience,
        machine: impl FnOnce() -> Authorities,
    ) -> Self {
        let place = match &server.place {
            ServerPlace::Net { host, port } => {
                Place::Net(Arc::new(UpstreamAddress::new(host, *port, patience.connect)))
            }
            ServerPlace::Socket(path) => Place::Socket(path.clone()),
        };
        let dial = Dial::new(server, &servers.tls, machine).introducing(servers.introduction);
        Self { place, dial: Arc::new(dial), host: None, patience }
    }

    /// The `Host` to send, where it is not the public one.
    pub(super) fn host(&self) -> Option<&HeaderValue> {
        self.host.as_ref()
    }

    /// Where it leads now.
    ///
    /// # Errors
    /// The resolver's, or a path's that can be no socket's.
    pub(super) async fn address(&self, clock: &Clock) -> io::Result<socket::SocketAddr> {
        match &self.place {
            Place::Net(address) => address.resolve(clock).await.map(Into::into),
            Place::Socket(path) => {
                std::os::unix::net::SocketAddr::from_pathname(path).map(socket::SocketAddr::Unix)
            }
        }
    }

    /// What pingora is told of the server.
    ///
    /// # Errors
    /// As [`Way::address`].
    pub(super) async fn peer(&self, clock: &Clock) -> io::Result<HttpPeer> {
        match &self.place {
            Place::Net(address) => {
                let address = address.resolve(clock).await?;
                Ok(peer_at(address, &self.dial, self.patience))
            }
            Place::Socket(path) => {
                let path = path.to_str().ok_or(io::ErrorKind::InvalidInput)?;
                let peer = HttpPeer::new_uds(path, false, String::new());
                let peer = peer.map_err(|_| io::ErrorKind::InvalidInput)?;
                Ok(with_terms(peer, &self.dial, self.patience))
            }
        }
    }
}

/// What pingora is told of a server at an address: that HTTP is spoken there. TLS, where there is
/// some, is [`Dial`]'s; pingora's pool keeps connections apart by the group key.
pub(super) fn peer_at(address: SocketAddr, dial: &Dial, patience: Patience) -> HttpPeer {
    with_terms(HttpPeer::new(address, false, String::new()), dial, patience)
}

fn with_terms(mut peer: HttpPeer, dial: &Dial, patience: Patience) -> HttpPeer {
    peer.group_key = dial.group();
    let options = &mut peer.options;
    options.connection_timeout = Some(patience.connect);
    options.total_connection_timeout = Some(patience.connect * 2);
    options.read_timeout = Some(patience.read);
    options.write_timeout = Some(patience.read);
    options.idle_timeout = Some(POOL_IDLE);
    peer
}

/// How long an unused connection to an app is kept.
const POOL_IDLE: Duration = Duration::from_secs(60);
