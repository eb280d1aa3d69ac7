//! Certificates and keys from PEM files, and the TLS settings of a listener.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, NoClientAuth, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, RootCertStore, ServerConfig, SupportedProtocolVersion};

use crate::acme::tls_proof;
use crate::config::{AcmeChallenge, Ordered, Tls, TlsFiles, TlsPolicy};
use crate::crypto::{Leaf, plain_sha256, stands_for};

use super::doorway::Doorway;
use super::handshake::ACME_TLS;

/// Why a listener has no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsFailed {
    #[error("{}: no certificate can be read from it: {reason}", file.display())]
    Certificate { file: PathBuf, reason: String },
    #[error("{}: no authority for client certificates can be read from it: {reason}", file.display())]
    ClientAuthority { file: PathBuf, reason: String },
    #[error("{}: no private key can be read from it: {reason}", file.display())]
    Key { file: PathBuf, reason: String },
    #[error("{}: no OCSP response can be read from it: {reason}", file.display())]
    Ocsp { file: PathBuf, reason: String },
    #[error("{} and {} do not belong together: {reason}", certificate.display(), key.display())]
    Pair { certificate: PathBuf, key: PathBuf, reason: String },
    #[error("these versions of TLS cannot be spoken: {reason}")]
    Versions { reason: String },
}

/// What a listener answers a TLS hello with.
#[derive(Debug)]
pub(super) struct Presented {
    pub(super) config: Arc<ServerConfig>,
    /// Who vouches for clients.
    pub(super) authorities: Authorities,
    shown: Arc<Shown>,
}

/// The authorities of client certificates, by their digests; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Authorities(Arc<[[u8; 32]]>);

impl Authorities {
    /// Whether all of `others` are among them.
    pub(super) fn include(&self, others: &Self) -> bool {
        Arc::ptr_eq(&self.0, &others.0) || others.0.iter().all(|other| self.0.contains(other))
    }
}

impl Presented {
    /// The same, for connections that are open when their listener closes: nobody vouches for anybody.
    pub(super) fn without_authorities(&self) -> Self {
        let (config, shown) = (self.config.clone(), self.shown.clone());
        Self { config, authorities: Authorities::default(), shown }
    }

    /// When the first of its certificates stops being valid, in seconds since 1970.
    pub(super) fn ends(&self) -> Option<u64> {
        let leaves = self.shown.held().filter_map(|one| Leaf::read(&one.cert[0]));
        leaves.map(|leaf| leaf.ends).min()
    }

    /// Whether what is shown to who names `named` in TLS stands for a host too, by the rules of
    /// browsers (RFC 6125): all of what may be shown, since which one it was depends on the client.
    pub(super) fn covers(&self, named: &str, host: &str) -> bool {
        let mut shown = self.shown.to(Some(named));
        shown.all(|certificate| stands_for(&certificate.cert[0], host))
    }
}

/// The certificates of a listener, its own first.
#[derive(Debug)]
struct Shown {
    places: Vec<Place>,
    /// Those whose hosts are proven in TLS.
    proven: Vec<Arc<Ordered>>,
}

/// Where a certificate is, or will be.
#[derive(Debug)]
enum Place {
    Held(Arc<CertifiedKey>),
    /// It is ordered, and not there yet.
    Awaited(Arc<Ordered>),
}

impl Shown {
    /// Those that may be shown to who names this host: those that stand for it, or else the
    /// listener's own. A host whose certificate is awaited is nobody else's.
    fn to(&self, named: Option<&str>) -> impl Iterator<Item = &Arc<CertifiedKey>> {
        let covers = move |one: &&Arc<CertifiedKey>| {
            named.is_some_and(|named| stands_for(&one.cert[0], named))
        };
        let known = self.held().any(|one| covers(&one));
        let own = match self.places.first() {
            Some(Place::Held(own)) if !known && !self.is_awaited(named) => Some(own),
            _ => None,
        };
        own.into_iter().chain(self.held().filter(move |one| known && covers(one)))
    }

    fn held(&self) -> impl Iterator<Item = &Arc<CertifiedKey>> {
        self.places.iter().filter_map(|place| match place {
            Place::Held(one) => Some(one),
            Place::Awaited(_) => None,
        })
    }

    fn is_awaited(&self, named: Option<&str>) -> bool {
        let Some(named) = named else { return false };
        self.places.iter().any(|place| match place {
            Place::Held(_) => false,
            Place::Awaited(one) => one.hosts.iter().any(|host| host.eq_ignore_ascii_case(named)),
        })
    }

    /// What proves to an authority that a host is ours.
    fn proof(&self, named: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let (certificate, key) = tls_proof(&self.proven, named?)?;
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        // Not compared with its key: what is critical in it, nobody but an authority understands.
        let key = provider.key_provider.load_private_key(key).ok()?;
        Some(Arc::new(CertifiedKey::new(vec![certificate], key)))
    }
}

impl ResolvesServerCert for Shown {
    /// The first that the client can verify the signature of, where there is one; a site may have
    /// one with RSA and one with ECDSA for the same name. Who comes for a proof sees that, or nothing
    /// (RFC 8737 §3: it asks for this protocol alone).
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name();
        if hello.alpn().is_some_and(|asked| asked.eq([ACME_TLS])) {
            return self.proof(named);
        }
        let schemes = hello.signature_schemes();
        let can = |one: &&Arc<CertifiedKey>| one.key.choose_scheme(schemes).is_some();
        self.to(named).find(can).or_else(|| self.to(named).next()).cloned()
    }
}

/// What the files of a listener's certificates look like from outside, to tell when one was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamps(Vec<Option<Stamp>>);

type Stamp = (u64, u64, Option<SystemTime>);

impl Stamps {
    /// As they are now. A file that is not there has a stamp too, of its own.
    pub(super) fn of(doorway: &Doorway) -> Self {
        let tls = doorway.tls.iter().flat_map(|tls| &tls.certificates);
        let files = tls.flat_map(|files| {
            [Some(&files.certificate), Some(&files.key), files.ocsp.as_ref()].into_iter().flatten()
        });
        Self(files.chain(&doorway.client_ca).map(|file| Self::stamp(file)).collect())
    }

    fn stamp(file: &Path) -> Option<Stamp> {
        let metadata = fs::metadata(file).ok()?;
        Some((metadata.ino(), metadata.len(), metadata.modified().ok()))
    }
}

/// What a doorway answers a TLS hello with, where it speaks TLS.
///
/// # Errors
/// [`TlsFailed`] names the file.
pub(super) fn of(doorway: &Doorway) -> Result<Option<Arc<Presented>>, TlsFailed> {
    let authorities = doorway.client_ca.as_deref();
    doorway.tls.as_ref().map(|tls| presented(tls, authorities)).transpose()
}

/// The versions of the policy with rustls' own cipher suites in our order, HTTP/2 and HTTP/1.1 by ALPN. Tickets
/// for later connections are sealed with keys that rustls replaces every six hours, and that end
/// with this: what another certificate or authority let in, a ticket does not.
///
/// # Errors
/// [`TlsFailed`] names the file.
fn presented(tls: &Tls, authorities: Option<&Path>) -> Result<Arc<Presented>, TlsFailed> {
    let provider = Arc::new(in_order(rustls::crypto::aws_lc_rs::default_provider()));
    let places = tls.certificates.iter().map(|files| place(files, &provider));
    let in_tls = |one: &&Arc<Ordered>| one.challenge == AcmeChallenge::TlsAlpn01;
    let ordered = tls.certificates.iter().filter_map(|files| files.ordered.as_ref());
    let proven: Vec<Arc<Ordered>> = ordered.filter(in_tls).cloned().collect();
    let proves = !proven.is_empty();
    let shown = Arc::new(Shown { places: places.collect::<Result<_, _>>()?, proven });
    let (clients, authorities) = clients(authorities, &provider)?;
    let versions: &[&SupportedProtocolVersion] = match tls.policy {
        TlsPolicy::Intermediate => &[&TLS13, &TLS12],
        TlsPolicy::Modern => &[&TLS13],
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| TlsFailed::Versions { reason: error.to_string() })?
        .with_client_cert_verifier(clients)
        .with_cert_resolver(shown.clone());
    // All of them are good: ours, and without a choice for who is in between.
    config.ignore_client_order = true;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    if proves {
        config.alpn_protocols.push(ACME_TLS.to_vec());
    }
    if let Ok(ticketer) = rustls::crypto::aws_lc_rs::Ticketer::new() {
        config.ticketer = ticketer;
    }
    Ok(Arc::new(Presented { config: Arc::new(config), authorities, shown }))
}

/// As Mozilla has it: AES with 128 bits first. Nobody breaks that, and the hashes that go with 256 bits
/// cost a tenth of a handshake.
fn in_order(mut provider: CryptoProvider) -> CryptoProvider {
    provider.cipher_suites.sort_by_key(|suite| {
        !matches!(
            suite.suite(),
            CipherSuite::TLS13_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        )
    });
    provider
}

/// Where a certificate is. One that is ordered may not be there yet, or be ordered anew because it
/// cannot be read: the listener serves all the same.
fn place(files: &TlsFiles, provider: &CryptoProvider) -> Result<Place, TlsFailed> {
    match (certified(files, provider), &files.ordered) {
        (Ok(held), _) => Ok(Place::Held(held)),
        (Err(_), Some(ordered)) => Ok(Place::Awaited(ordered.clone())),
        (Err(failed), None) => Err(failed),
    }
}

/// One certificate with its key, and with the authority's word on it where there is any.
fn certified(files: &TlsFiles, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsFailed> {
    let chain = chain(&files.certificate)?;
    let pair = |error: rustls::Error| TlsFailed::Pair {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        reason: error.to_string(),
    };
    let mut certified = CertifiedKey::from_der(chain, key(&files.key)?, provider).map_err(pair)?;
    if let Some(file) = &files.ocsp {
        let failed = |reason: String| TlsFailed::Ocsp { file: file.clone(), reason };
        let word = fs::read(file).map_err(|error| failed(error.to_string()))?;
        // A DER sequence (RFC 6960 §4.2.1), and no PEM.
        if word.first() != Some(&0x30) || word.len() > LARGEST_OCSP {
            return Err(failed("it is no OCSP response in DER".to_owned()));
        }
        certified.ocsp = Some(word);
    }
    Ok(Arc::new(certified))
}

/// Bytes; those of authorities have one to three thousand.
const LARGEST_OCSP: usize = 64 << 10;

/// A client may show a certificate of one of the authorities, or none. With what checks it come the
/// authorities.
fn clients(
    authorities: Option<&Path>,
    provider: &Arc<CryptoProvider>,
) -> Result<(Arc<dyn ClientCertVerifier>, Authorities), TlsFailed> {
    let Some(file) = authorities else {
        return Ok((Arc::new(NoClientAuth), Authorities::default()));
    };
    let failed = |reason: String| TlsFailed::ClientAuthority { file: file.to_owned(), reason };
    let mut roots = RootCertStore::empty();
    let mut digests = Vec::new();
    for authority in chain(file)? {
        digests.push(plain_sha256(&authority));
        roots.add(authority).map_err(|error| failed(error.to_string()))?;
    }
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .allow_unauthenticated()
        .build()
        .map_err(|error| failed(error.to_string()))?;
    Ok((clients, Authorities(digests.into())))
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
