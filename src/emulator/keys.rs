//! SuperID's signing key and its certificate, made at start and renewed on request.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use rcgen::{CertificateParams, DnType, PKCS_RSA_SHA256, date_time_ymd};
use rustls_pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};

use super::der::public_numbers;

/// The one key in use, and a stranger's that the key set never lists.
pub struct Keys {
    current: RwLock<Arc<SigningKey>>,
    stranger: OnceLock<Arc<SigningKey>>,
}

impl Keys {
    /// Makes the first key: RSA with 2,048 bits takes a noticeable moment.
    pub(super) fn generate() -> Self {
        Self { current: RwLock::new(Arc::new(SigningKey::generate())), stranger: OnceLock::new() }
    }

    /// Puts a new key in place of the old one, in tokens and in the key set alike: SuperID lists
    /// one key per environment (`superid.md` §4). Returns the new `kid`.
    pub fn rotate(&self) -> String {
        let fresh = Arc::new(SigningKey::generate());
        let kid = fresh.kid.clone();
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        kid
    }

    /// Upper-case hexadecimal SHA-1 of the current certificate.
    pub fn kid(&self) -> String {
        self.current().kid.clone()
    }

    /// The document at `/login/.well-known/jwks`.
    pub fn jwks(&self) -> Value {
        json!({ "keys": [self.current().jwk()] })
    }

    pub(super) fn current(&self) -> Arc<SigningKey> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A key the key set does not list, made on first use.
    pub(super) fn stranger(&self) -> Arc<SigningKey> {
        self.stranger.get_or_init(|| Arc::new(SigningKey::generate())).clone()
    }
}

/// A key pair with its certificate.
pub(super) struct SigningKey {
    pair: KeyPair,
    certificate: Vec<u8>,
    pub(super) kid: String,
    pub(super) x5t: String,
}

impl SigningKey {
    pub(super) fn generate() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("RSA with 2,048 bits is supported");
        let certificate = self_signed(&pair);
        let thumbprint = digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate);
        let kid = thumbprint.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        let x5t = BASE64_URL_SAFE_NO_PAD.encode(thumbprint);
        Self { pair, certificate, kid, x5t }
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256, which is RS256.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let signed =
            self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        signed.expect("the buffer has the modulus' length");
        signature
    }

    pub(super) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The private key, for the one signature that the library does not make.
    pub(super) fn pkcs8(&self) -> Vec<u8> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().expect("a fresh key has a PKCS #8 form");
        der.as_ref().to_vec()
    }

    fn jwk(&self) -> Value {
        let (n, e) = public_numbers(self.pair.public_key().as_ref());
        json!({
            "alg": "RS256",
            "e": BASE64_URL_SAFE_NO_PAD.encode(e),
            "kid": self.kid,
            "kty": "RSA",
            "n": BASE64_URL_SAFE_NO_PAD.encode(n),
            "use": "sig",
            "x5c": [BASE64_STANDARD.encode(&self.certificate)],
            "x5t": self.x5t,
        })
    }
}

/// A certificate for a hundred years like SuperID's "Federated Login" (`superid.md` §3.4), save
/// that those are X.509 v1 and this is v3.
fn self_signed(pair: &KeyPair) -> Vec<u8> {
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().expect("a fresh key has a PKCS #8 form");
    let pkcs8 = PrivatePkcs8KeyDer::from(pkcs8.as_ref());
    let signer = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &PKCS_RSA_SHA256);
    let signer = signer.expect("PKCS #8 from the same library is understood");
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Emulated Federated Login");
    params.distinguished_name.push(DnType::OrganizationName, "SuperID emulator");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2119, 12, 31);
    params.self_signed(&signer).expect("the parameters are complete").der().to_vec()
}
