//! How a connection to an app is made, and which connections may stand for one another.

use std::net::SocketAddr;
use std::time::Duration;

use pingora::{Error, ErrorType, OrErr as _};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::config::{Upstream, UpstreamScheme};
use crate::crypto::{Authorities, ClientTls, sha256};

use super::cord::Cord;

/// One upstream's connections: all that tells them from those of others is in it.
pub(super) struct Dial {
    group: u64,
    tls: Option<Tls>,
}

struct Tls {
    connector: TlsConnector,
    /// Asked for in the handshake and looked for in the certificate; none where the configuration's
    /// is no name TLS knows.
    name: Option<ServerName<'static>>,
}

impl Dial {
    /// For `upstream`, whose certificate is believed under `machine`'s authorities unless it has
    /// some of its own.
    pub(super) fn new(upstream: &Upstream, machine: impl FnOnce() -> Authorities) -> Self {
        if upstream.scheme == UpstreamScheme::Http {
            return Self { group: group(upstream, &[]), tls: None };
        }
        let own = upstream.tls.authorities.clone();
        let believed = own.unwrap_or_else(machine);
        let tls = ClientTls::new(&believed, upstream.tls.shown.as_ref());
        let group = group(upstream, tls.digest());
        let name = upstream.tls.server_name.as_ref().unwrap_or(&upstream.host);
        let name = ServerName::try_from(name.clone()).ok();
        Self { group, tls: Some(Tls { connector: TlsConnector::from(tls.config()), name }) }
    }

    /// The same for all connections that may stand for one another.
    pub(super) fn group(&self) -> u64 {
        self.group
    }

    /// Whether pingora's own connector cannot make these connections.
    pub(super) fn is_ours(&self) -> bool {
        self.tls.is_some()
    }

    /// Connects, and agrees on TLS where there is to be some; each takes `most` at most.
    ///
    /// # Errors
    /// Why there is no connection.
    pub(super) async fn connect(
        &self,
        address: SocketAddr,
        most: Option<Duration>,
    ) -> pingora::Result<Cord> {
        let most = most.unwrap_or(Duration::MAX);
        let stream = timeout(most, TcpStream::connect(address))
            .await
            .or_err(ErrorType::ConnectTimedout, "connecting to the app")?
            .or_err(ErrorType::ConnectError, "connecting to the app")?;
        let Some(tls) = &self.tls else { return Ok(Cord::Plain(stream)) };
        let unnamed = || Error::explain(ErrorType::TLSHandshakeFailure, "no name for TLS");
        let name = tls.name.clone().ok_or_else(unnamed)?;
        stream.set_nodelay(true).or_err(ErrorType::ConnectError, "connecting to the app")?;
        let secured = timeout(most, tls.connector.connect(name, stream))
            .await
            .or_err(ErrorType::TLSHandshakeTimedout, "agreeing on TLS with the app")?
            .or_err(ErrorType::TLSHandshakeFailure, "agreeing on TLS with the app")?;
        Ok(Cord::Tls(Box::new(secured)))
    }
}

impl std::fmt::Debug for Dial {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Dial({:x})", self.group)
    }
}

fn group(upstream: &Upstream, tls: &[u8]) -> u64 {
    let name = upstream.tls.server_name.as_deref().unwrap_or_default();
    let digest = sha256(&[
        format!("{:?}", upstream.scheme).as_bytes(),
        upstream.host.as_bytes(),
        &upstream.port.to_be_bytes(),
        name.as_bytes(),
        tls,
    ]);
    let (first, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
    u64::from_be_bytes(*first)
}
