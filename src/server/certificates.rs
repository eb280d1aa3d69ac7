//! Certificates and keys from PEM files, and the TLS settings of a listener.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::TlsFiles;

/// Why a listener has no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsFailed {
    #[error("{}: no certificate can be read from it: {reason}", file.display())]
    Certificate { file: PathBuf, reason: String },
    #[error("{}: no private key can be read from it: {reason}", file.display())]
    Key { file: PathBuf, reason: String },
    #[error("{} and {} do not belong together: {reason}", certificate.display(), key.display())]
    Pair { certificate: PathBuf, key: PathBuf, reason: String },
}

/// TLS 1.2 and 1.3 with rustls' own cipher suites, HTTP/2 and HTTP/1.1 by ALPN.
///
/// # Errors
/// [`TlsFailed`] names the file.
pub(super) fn server_config(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsFailed> {
    let chain = chain(&files.certificate)?;
    let key = key(&files.key)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let pair = |error: rustls::Error| TlsFailed::Pair {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        reason: error.to_string(),
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    if let Ok(ticketer) = rustls::crypto::aws_lc_rs::Ticketer::new() {
        config.ticketer = ticketer;
    }
    Ok(Arc::new(config))
}

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
