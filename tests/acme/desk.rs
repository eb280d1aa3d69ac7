//! What an authority signs: requests for certificates, taken apart, and its answers.

use std::time::{Duration, UNIX_EPOCH};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    PublicKeyData, SignatureAlgorithm,
};
use rustls::pki_types::CertificateDer;

/// An authority's key and certificate.
pub struct Desk {
    issuer: Issuer<'static, KeyPair>,
    pub root: CertificateDer<'static>,
}

/// The public key of a request.
struct Wanted(Vec<u8>);

impl PublicKeyData for Wanted {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl Desk {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap().der().clone();
        Self { issuer: Issuer::new(params, key), root }
    }

    /// A certificate for a request, where it is signed with its own key and asks for these hosts.
    pub fn sign(&self, request: &[u8], hosts: &[String], from: u64, life: u64) -> Option<String> {
        let (_, whole, _) = element(request)?;
        let (_, inside, rest) = element(whole)?;
        let signed = &whole[..whole.len() - rest.len()];
        let (_, _, rest) = element(rest)?;
        let (_, signature, _) = element(rest)?;
        // Behind version and subject: the key; its algorithm, then the bits with none unused.
        let (_, _, after) = element(inside)?;
        let (_, _, after) = element(after)?;
        let (_, key, _) = element(after)?;
        let (_, _, after) = element(key)?;
        let (_, point, _) = element(after)?;
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &point[1..]);
        public.verify(signed, &signature[1..]).ok()?;
        let asks = |host: &String| inside.windows(host.len()).any(|part| part == host.as_bytes());
        if !hosts.iter().all(asks) {
            return None;
        }
        let mut params = CertificateParams::new(hosts.to_vec()).unwrap();
        params.not_before = (UNIX_EPOCH + Duration::from_secs(from)).into();
        params.not_after = (UNIX_EPOCH + Duration::from_secs(from + life)).into();
        params.use_authority_key_identifier_extension = true;
        Some(params.signed_by(&Wanted(point[1..].to_vec()), &self.issuer).unwrap().pem())
    }
}

/// The first element: its tag, what it holds, and what stands behind it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, length, rest) = match *der {
        [tag, length @ ..=0x7f, ref rest @ ..] => (tag, usize::from(length), rest),
        [tag, 0x81, length, ref rest @ ..] => (tag, usize::from(length), rest),
        [tag, 0x82, high, low, ref rest @ ..] => {
            (tag, usize::from(high) << 8 | usize::from(low), rest)
        }
        _ => return None,
    };
    let (inside, behind) = rest.split_at_checked(length)?;
    Some((tag, inside, behind))
}
