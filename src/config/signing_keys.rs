//! The keys of issuers that are given by certificate.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::crypto::RsaPublic;

use super::upstream_read::pem;
use super::value::Value;

/// The RSA keys of a PEM file's certificates, whatever their version and dates: whoever configures a
/// certificate vouches for its key. `whose` is said of who signs with them.
pub(super) fn signing_keys(value: &Value, whose: &str) -> Option<Vec<RsaPublic>> {
    let text = pem(value)?;
    let certificates = CertificateDer::pem_slice_iter(text.as_bytes());
    let keys: Option<Vec<RsaPublic>> =
        certificates.map(|der| der.ok().and_then(|der| RsaPublic::of_certificate(&der))).collect();
    keys.filter(|keys| !keys.is_empty()).or_else(|| {
        let wrong = "holds no certificate, or one without an RSA key of 2,048 to 8,192 bits";
        value.refuse(wrong, format!("name a PEM file with the certificates {whose} signs with"))
    })
}
