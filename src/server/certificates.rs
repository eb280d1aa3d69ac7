//! Certificates and keys from PEM files, and the TLS settings of a listener.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, ParsedCertificate, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};

use crate::config::TlsFiles;

use super::doorway::Doorway;
use super::validity;

/// Why a listener has no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsFailed {
    #[error("{}: no certificate can be read from it: {reason}", file.display())]
    Certificate { file: PathBuf, reason: String },
    #[error("{}: no authority for client certificates can be read from it: {reason}", file.display())]
    ClientAuthority { file: PathBuf, reason: String },
    #[error("{}: no private key can be read from it: {reason}", file.display())]
    Key { file: PathBuf, reason: String },
    #[error("{} and {} do not belong together: {reason}", certificate.display(), key.display())]
    Pair { certificate: PathBuf, key: PathBuf, reason: String },
}

/// What a listener answers a TLS hello with.
#[derive(Debug)]
pub(super) struct Presented {
    pub(super) config: Arc<ServerConfig>,
    leaf: CertificateDer<'static>,
}

impl Presented {
    /// When its certificate stops being valid, in seconds since 1970.
    pub(super) fn ends(&self) -> Option<u64> {
        validity::ends(&self.leaf)
    }

    /// Whether its certificate stands for a host, by the rules of browsers (RFC 6125).
    pub(super) fn covers(&self, host: &str) -> bool {
        stands_for(&self.leaf, host)
    }
}

/// Whether a certificate stands for a host, or a caller of that name.
pub(super) fn stands_for(certificate: &CertificateDer<'_>, name: &str) -> bool {
    let Ok(certificate) = ParsedCertificate::try_from(certificate) else { return false };
    ServerName::try_from(name).is_ok_and(|name| verify_server_name(&certificate, &name).is_ok())
}

/// What a doorway answers a TLS hello with, where it speaks TLS.
///
/// # Errors
/// [`TlsFailed`] names the file.
pub(super) fn of(doorway: &Doorway) -> Result<Option<Arc<Presented>>, TlsFailed> {
    let authorities = doorway.client_ca.as_deref();
    doorway.tls.as_ref().map(|files| presented(files, authorities)).transpose()
}

/// TLS 1.2 and 1.3 with rustls' own cipher suites, HTTP/2 and HTTP/1.1 by ALPN.
///
/// # Errors
/// [`TlsFailed`] names the file.
fn presented(files: &TlsFiles, authorities: Option<&Path>) -> Result<Arc<Presented>, TlsFailed> {
    let chain = chain(&files.certificate)?;
    let leaf = chain[0].clone();
    let key = key(&files.key)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let pair = |error: rustls::Error| TlsFailed::Pair {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        reason: error.to_string(),
    };
    let clients = clients(authorities, &provider)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(pair)?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
        .map_err(pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    if let Ok(ticketer) = rustls::crypto::aws_lc_rs::Ticketer::new() {
        config.ticketer = ticketer;
    }
    Ok(Arc::new(Presented { config: Arc::new(config), leaf }))
}

/// A client may show a certificate of one of the authorities, or none.
fn clients(
    authorities: Option<&Path>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsFailed> {
    let Some(file) = authorities else { return Ok(Arc::new(NoClientAuth)) };
    let failed = |reason: String| TlsFailed::ClientAuthority { file: file.to_owned(), reason };
    let mut roots = RootCertStore::empty();
    for authority in chain(file)? {
        roots.add(authority).map_err(|error| failed(error.to_string()))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .allow_unauthenticated()
        .build()
        .map_err(|error| failed(error.to_string()))
}

/// At least one certificate.
fn chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFailed> {
    let failed = |reason: String| TlsFailed::Certificate { file: file.to_owned(), reason };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| failed(error.to_string()))?;
    if chain.is_empty() {
        return Err(failed("it holds no CERTIFICATE".to_owned()));
    }
    Ok(chain)
}

fn key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsFailed> {
    PrivateKeyDer::from_pem_file(file)
        .map_err(|error| TlsFailed::Key { file: file.to_owned(), reason: error.to_string() })
}
