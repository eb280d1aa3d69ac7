//! TLS as a client of apps: whom it believes, and what it shows.

use std::fmt;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};

use super::{Secret, plain_sha256};

/// The authorities under which a server's certificate is believed.
#[derive(Clone)]
pub struct Authorities {
    roots: Arc<RootCertStore>,
    digest: [u8; 32],
}

/// A certificate that is shown to a server that asks, and its key.
#[derive(Clone)]
pub struct ClientIdentity {
    pair: Arc<CertifiedKey>,
    digest: [u8; 32],
}

/// The TLS settings of connections to one server. What was agreed with it is remembered here, so
/// that the next connection is made at a fraction of the cost, and nowhere else.
#[derive(Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    digest: [u8; 32],
}

impl Authorities {
    /// Those this machine trusts; a file in `SSL_CERT_FILE` or a folder in `SSL_CERT_DIR` stands in
    /// for them. Those that cannot be read are left out.
    pub fn of_this_machine() -> Self {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let digest = digest(&found.certs);
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            tracing::warn!("no certificate authority was found: no https server is believed");
        }
        Self { roots: Arc::new(roots), digest }
    }

    /// Those of a PEM text.
    ///
    /// # Errors
    /// In words, when there is none in it, or one that is no certificate.
    pub fn from_pem(text: &str) -> Result<Self, String> {
        let certificates = certificates(text)?;
        let digest = digest(&certificates);
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
        Ok(Self { roots: Arc::new(roots), digest })
    }
}

impl ClientIdentity {
    /// From PEM texts: a chain with the leaf first, and its key.
    ///
    /// # Errors
    /// In words, when either cannot be read, or they do not belong together.
    pub fn from_pem(chain: &str, key: &Secret) -> Result<Self, String> {
        let chain = certificates(chain)?;
        let digest = digest(&chain);
        let key = PrivateKeyDer::from_pem_slice(key.reveal().as_bytes())
            .map_err(|error| format!("the key: {error}"))?;
        let pair = CertifiedKey::from_der(chain, key, &default_provider());
        let pair = pair.map_err(|error| error.to_string())?;
        Ok(Self { pair: Arc::new(pair), digest })
    }
}

impl ClientIdentity {
    /// The first certificate of a PEM text, in DER.
    ///
    /// # Errors
    /// In words, when there is none in it.
    pub fn leaf(chain: &str) -> Result<Vec<u8>, String> {
        certificates(chain).map(|all| all[0].to_vec())
    }
}

impl ClientTls {
    /// TLS 1.2 and 1.3 under aws-lc, for the one protocol of this name (RFC 7301 §6).
    pub fn new(
        believed: &Authorities,
        shown: Option<&ClientIdentity>,
        protocol: &'static [u8],
    ) -> Self {
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("aws-lc speaks TLS 1.2 and 1.3")
            .with_root_certificates(believed.roots.clone());
        let mut config = match shown {
            None => builder.with_no_client_auth(),
            Some(shown) => builder
                .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(shown.pair.clone()))),
        };
        config.alpn_protocols = vec![protocol.to_vec()];
        config.resumption = Resumption::in_memory_sessions(REMEMBERED);
        let shown = shown.map_or([0; 32], |shown| shown.digest);
        let digest = plain_sha256(&[believed.digest, shown].concat());
        Self { config: Arc::new(config), digest }
    }

    /// As TLS libraries take it.
    pub fn config(&self) -> Arc<ClientConfig> {
        self.config.clone()
    }

    /// Of whom it believes and what it shows: who differs in these is never taken for the same.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let found = found.map_err(|error| error.to_string())?;
    if found.is_empty() {
        return Err("it holds no CERTIFICATE".to_owned());
    }
    Ok(found)
}

fn digest(certificates: &[CertificateDer<'_>]) -> [u8; 32] {
    plain_sha256(&certificates.iter().flat_map(|one| plain_sha256(one)).collect::<Vec<u8>>())
}

impl PartialEq for Authorities {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Authorities {}

impl PartialEq for ClientIdentity {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for ClientIdentity {}

impl fmt::Debug for Authorities {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Authorities({})", self.roots.len())
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ClientIdentity({})", self.pair.cert.len())
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ClientTls")
    }
}

/// Sessions with one server: a few for each worker.
const REMEMBERED: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn made(name: &str) -> (String, Secret) {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        (made.cert.pem(), Secret::new(made.signing_key.serialize_pem()))
    }

    #[test]
    fn whom_it_believes_and_what_it_shows_tell_two_apart() {
        let (ours, theirs) = (made("ours"), made("theirs"));
        let believes = |pem: &str| Authorities::from_pem(pem).unwrap();
        let shown = ClientIdentity::from_pem(&ours.0, &ours.1).unwrap();
        let alone = ClientTls::new(&believes(&ours.0), None, b"h2");
        assert_eq!(alone.digest(), ClientTls::new(&believes(&ours.0), None, b"h2").digest());
        assert_ne!(alone.digest(), ClientTls::new(&believes(&theirs.0), None, b"h2").digest());
        assert_ne!(
            alone.digest(),
            ClientTls::new(&believes(&ours.0), Some(&shown), b"h2").digest()
        );
    }

    #[test]
    fn what_is_no_certificate_or_not_its_key_is_refused_in_words() {
        let (ours, theirs) = (made("ours"), made("theirs"));
        assert_eq!(Authorities::from_pem("nothing").unwrap_err(), "it holds no CERTIFICATE");
        assert!(ClientIdentity::from_pem(&ours.0, &theirs.1).is_err());
        assert!(ClientIdentity::from_pem(&ours.0, &Secret::new("no key".to_owned())).is_err());
    }
}
