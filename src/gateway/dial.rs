//! How a connection to a server is made, and which connections may stand for one another.

use std::path::Path;
use std::time::Duration;

use pingora::protocols::l4::socket::SocketAddr;
use pingora::{Error, ErrorType, OrErr as _};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::config::{Server, ServerPlace, UpstreamProtocol, UpstreamScheme, UpstreamTls};
use crate::crypto::{Authorities, ClientTls, sha256};
use crate::web::{ProxyHeader, ProxyVersion};

use super::cord::Cord;

/// One server's connections: all that tells them from those of others is in it.
pub(super) struct Dial {
    group: u64,
    protocol: UpstreamProtocol,
    tls: Option<Tls>,
    /// How each connection says whose it is, where it does.
    introduction: Option<ProxyVersion>,
}

struct Tls {
    connector: TlsConnector,
    /// Asked for in the handshake and looked for in the certificate; none where the configuration's
    /// is no name TLS knows.
    name: Option<ServerName<'static>>,
}

impl Dial {
    /// For `server`, whose certificate is believed under `machine`'s authorities unless `tls` has
    /// others.
    pub(super) fn new(
        server: &Server,
        tls: &UpstreamTls,
        machine: impl FnOnce() -> Authorities,
    ) -> Self {
        let protocol = server.protocol;
        let ServerPlace::Net { host, .. } = &server.place else {
            let group = group(server, "", &[]);
            return Self { group, protocol, tls: None, introduction: None };
        };
        if server.scheme == UpstreamScheme::Http {
            let group = group(server, "", &[]);
            return Self { group, protocol, tls: None, introduction: None };
        }
        let believed = tls.authorities.clone().unwrap_or_else(machine);
        let terms = ClientTls::new(&believed, tls.shown.as_ref(), alpn(server.protocol));
        let name = tls.server_name.as_ref().unwrap_or(host);
        let group = group(server, name, terms.digest());
        let name = ServerName::try_from(name.clone()).ok();
        let tls = Tls { connector: TlsConnector::from(terms.config()), name };
        Self { group, protocol, tls: Some(tls), introduction: None }
    }

    /// The same, where each connection begins with a PROXY header of this version: it is one client's
    /// and nobody else's.
    pub(super) fn introducing(self, introduction: Option<ProxyVersion>) -> Self {
        let group = match introduction {
            None => self.group,
            Some(ProxyVersion::V1) => self.group.rotate_left(1) ^ 1,
            Some(ProxyVersion::V2) => self.group.rotate_left(1) ^ 2,
        };
        Self { group, introduction, ..self }
    }

    /// Whether a connection is one client's alone.
    pub(super) fn introduces(&self) -> bool {
        self.introduction.is_some()
    }

    /// Whether a connection begins with a handshake of TLS.
    pub(super) fn speaks_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// What is spoken on them.
    pub(super) fn protocol(&self) -> UpstreamProtocol {
        self.protocol
    }

    /// The scheme of what is asked for on them.
    pub(super) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The same for all connections that may stand for one another.
    pub(super) fn group(&self) -> u64 {
        self.group
    }

    /// Connects, says whose the connection is where the server is to be told, and agrees on TLS where
    /// there is to be some; each takes `most` at most.
    ///
    /// # Errors
    /// Why there is no connection.
    pub(super) async fn connect(
        &self,
        address: &SocketAddr,
        most: Option<Duration>,
        whose: ProxyHeader,
    ) -> pingora::Result<Cord> {
        let most = most.unwrap_or(Duration::MAX);
        let socket = address.as_unix().and_then(|address| address.as_pathname());
        if let Some(path) = socket {
            let connected = timeout(most, UnixStream::connect::<&Path>(path)).await;
            let mut stream = reached(connected)?;
            self.introduce(&mut stream, whose).await?;
            return Ok(Cord::Unix(stream));
        }
        let address = address
            .as_inet()
            .ok_or_else(|| Error::explain(ErrorType::ConnectError, "no address to connect to"))?;
        let mut stream = reached(timeout(most, TcpStream::connect(address)).await)?;
        stream.set_nodelay(true).or_err(ErrorType::ConnectError, "connecting to the app")?;
        self.introduce(&mut stream, whose).await?;
        let Some(tls) = &self.tls else { return Ok(Cord::Plain(stream)) };
        let unnamed = || Error::explain(ErrorType::TLSHandshakeFailure, "no name for TLS");
        let name = tls.name.clone().ok_or_else(unnamed)?;
        let secured = timeout(most, tls.connector.connect(name, stream))
            .await
            .or_err(ErrorType::TLSHandshakeTimedout, "agreeing on TLS with the app")?
            .or_err(ErrorType::TLSHandshakeFailure, "agreeing on TLS with the app")?;
        let agreed = secured.get_ref().1.alpn_protocol();
        if self.protocol == UpstreamProtocol::Http2 && agreed != Some(alpn(self.protocol)) {
            let wrong = "the app does not agree on HTTP/2";
            return Error::e_explain(ErrorType::TLSHandshakeFailure, wrong);
        }
        Ok(Cord::Tls(Box::new(secured)))
    }

    /// A header fits into the send buffer of any new connection: nobody waits here.
    async fn introduce(
        &self,
        stream: &mut (impl AsyncWrite + Unpin),
        whose: ProxyHeader,
    ) -> pingora::Result<()> {
        let Some(version) = self.introduction else { return Ok(()) };
        let header = whose.spelled(version);
        stream.write_all(&header).await.or_err(ErrorType::ConnectError, "telling whose it is")
    }
}

fn reached<S, E>(connected: Result<std::io::Result<S>, E>) -> pingora::Result<S>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    connected
        .or_err(ErrorType::ConnectTimedout, "connecting to the app")?
        .or_err(ErrorType::ConnectError, "connecting to the app")
}

impl std::fmt::Debug for Dial {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Dial({:x})", self.group)
    }
}

/// The protocol's registered name (RFC 7301 §6).
fn alpn(protocol: UpstreamProtocol) -> &'static [u8] {
    match protocol {
        UpstreamProtocol::Http1 => b"http/1.1",
        UpstreamProtocol::Http2 => b"h2",
    }
}

fn group(server: &Server, name: &str, tls: &[u8]) -> u64 {
    let (place, protocol) = (server.to_string(), alpn(server.protocol));
    let digest = sha256(&[place.as_bytes(), name.as_bytes(), tls, protocol]);
    let (first, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
    u64::from_be_bytes(*first)
}
