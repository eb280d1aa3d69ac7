//! The way to a server: where it is, and which connections lead there.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

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

/// Where a request goes now.
pub(super) struct Led {
    pub(super) address: socket::SocketAddr,
    pub(super) dial: Arc<Dial>,
    pub(super) patience: Patience,
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

    /// Where a request is led now.
    ///
    /// # Errors
    /// As [`Way::address`].
    pub(super) async fn lead(&self, clock: &Clock) -> io::Result<Led> {
        let address = self.address(clock).await?;
        Ok(Led { address, dial: self.dial.clone(), patience: self.patience })
    }
}

impl Led {
    /// What pingora is told of the server: that HTTP is spoken there. TLS, where there is some, is
    /// [`Dial`]'s; pingora's pool keeps connections apart by the group key.
    ///
    /// # Errors
    /// When the address is a path that is no text.
    pub(super) fn peer(&self) -> io::Result<HttpPeer> {
        let mut peer = match &self.address {
            socket::SocketAddr::Inet(address) => HttpPeer::new(*address, false, String::new()),
            socket::SocketAddr::Unix(path) => {
                let path = path.as_pathname().and_then(|path| path.to_str());
                let path = path.ok_or(io::ErrorKind::InvalidInput)?;
                HttpPeer::new_uds(path, false, String::new())
                    .map_err(|_| io::ErrorKind::InvalidInput)?
            }
        };
        peer.group_key = self.dial.group();
        let options = &mut peer.options;
        options.connection_timeout = Some(self.patience.connect);
        options.total_connection_timeout = Some(self.patience.connect * 2);
        options.read_timeout = Some(self.patience.read);
        options.write_timeout = Some(self.patience.read);
        Ok(peer)
    }
}
