//! `[listener.NAME]`: an address we accept connections on.

use std::net::SocketAddr;
use std::path::PathBuf;

/// One listening address, plain or TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    pub name: String,
    pub address: SocketAddr,
    pub tls: Option<TlsFiles>,
}

/// PEM files: the certificate chain, leaf first, and its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}
