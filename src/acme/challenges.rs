//! What an authority will ask us for while an order is under way, and nothing besides.
//!
//! It lies in files, so that any process that shares the folder can answer: during an upgrade, or
//! behind a balancer, it need not be the one that ordered.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::{AcmeChallenge, Ordered};
use crate::crypto::private_file;

/// What an authority asks for by plain http, if that is ours: the file's whole text (RFC 8555 §8.3).
/// `host` is without a port.
pub fn http_proof(ordered: &[Arc<Ordered>], host: &str, path: &str) -> Option<String> {
    let token = path.strip_prefix(PREFIX).filter(|token| is_token(token))?;
    let host = host.to_ascii_lowercase();
    asked(ordered, AcmeChallenge::Http01, &host).find_map(|one| {
        let text = read(&folder(one).join(format!("http.{token}")))?;
        let (whose, proof) = text.split_once('\n')?;
        (whose == host).then(|| proof.to_owned())
    })
}

/// What is shown to an authority that shakes hands for `acme-tls/1`, if that is ours: a certificate
/// that signs itself and names what was agreed on (RFC 8737 §3), with its key.
pub fn tls_proof(
    ordered: &[Arc<Ordered>],
    host: &str,
) -> Option<(CertificateDer<'static>, PrivateKeyDer<'static>)> {
    let host = host.to_ascii_lowercase();
    let text = asked(ordered, AcmeChallenge::TlsAlpn01, &host)
        .find_map(|one| read(&folder(one).join(format!("tls.{host}"))))?;
    let digest = URL_SAFE_NO_PAD.decode(text).ok().filter(|digest| digest.len() == 32)?;
    let key = KeyPair::generate().ok()?;
    let mut wanted = CertificateParams::new(vec![host]).ok()?;
    wanted.custom_extensions = vec![CustomExtension::new_acme_identifier(&digest)];
    let made = wanted.self_signed(&key).ok()?;
    Some((made.der().clone(), PrivateKeyDer::Pkcs8(key.serialize_der().into())))
}

/// The ordered certificates that a question for a host may be about.
fn asked<'o>(
    ordered: &'o [Arc<Ordered>],
    challenge: AcmeChallenge,
    host: &str,
) -> impl Iterator<Item = &'o Arc<Ordered>> {
    ordered
        .iter()
        .filter(move |one| one.challenge == challenge && one.hosts.iter().any(|name| name == host))
}

/// What proves that a host is ours, laid out until dropped.
#[must_use]
pub struct Proving(PathBuf);

impl Proving {
    /// Lays out what http-01 asks for.
    ///
    /// # Errors
    /// When the token is none (RFC 8555 §8.3), or the file cannot be written.
    pub(super) fn http(
        one: &Ordered,
        host: &str,
        token: &str,
        authorization: &str,
    ) -> io::Result<Self> {
        if !is_token(token) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the token is no base64url"));
        }
        Self::lay(folder(one).join(format!("http.{token}")), &format!("{host}\n{authorization}"))
    }

    /// Lays out what tls-alpn-01 asks for: the digest of the key authorization.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn tls(one: &Ordered, host: &str, digest: &[u8]) -> io::Result<Self> {
        Self::lay(folder(one).join(format!("tls.{host}")), &URL_SAFE_NO_PAD.encode(digest))
    }

    fn lay(file: PathBuf, text: &str) -> io::Result<Self> {
        private_file::replace(&file, text)?;
        Ok(Self(file))
    }
}

impl Drop for Proving {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.0);
    }
}

/// Takes away what an order left that nobody ended. Whoever calls holds the folder's lock.
///
/// # Errors
/// When the folder cannot be made or read.
pub(super) fn clear(one: &Ordered) -> io::Result<()> {
    let folder = folder(one);
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(folder)? {
        fs::remove_file(entry?.path())?;
    }
    Ok(())
}

fn folder(one: &Ordered) -> PathBuf {
    one.account.folder.join("challenges")
}

/// base64url without padding (RFC 8555 §8.3): no path, whatever it holds.
fn is_token(token: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=128).contains(&token.len()) && token.bytes().all(fits)
}

fn read(file: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(file).ok()?.take(MOST).read_to_string(&mut text).ok()?;
    Some(text)
}

/// RFC 8555 §8.3.
const PREFIX: &str = "/.well-known/acme-challenge/";
/// Bytes: a host and a key authorization have less.
const MOST: u64 = 1 << 10;
