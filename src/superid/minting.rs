//! Tokens for our own tests, under a key made once for each run.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::KeySet;

/// The key SuperID would have.
pub(super) static KEY: LazyLock<TestKey> =
    LazyLock::new(|| TestKey::new("B0AD4C0BFD8913B8040F3E8AD16A91F585222C33", "sK1MC_2J"));

/// A key SuperID never had, or has only after a rotation.
pub(super) static OTHER_KEY: LazyLock<TestKey> =
    LazyLock::new(|| TestKey::new("0000000000000000000000000000000000000001", "AAAA"));

static KEYS: LazyLock<KeySet> =
    LazyLock::new(|| KeySet::parse(KEY.jwks().as_bytes()).expect("the minted set is one"));

/// The set that holds [`KEY`] alone.
pub(super) fn keys() -> &'static KeySet {
    &KEYS
}

pub(super) struct TestKey {
    pub(super) kid: &'static str,
    pub(super) x5t: &'static str,
    pair: KeyPair,
}

impl TestKey {
    fn new(kid: &'static str, x5t: &'static str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("keys can be made");
        Self { kid, x5t, pair }
    }

    /// Signs a payload under a header.
    pub(super) fn sign(&self, header: &Value, payload: &[u8]) -> String {
        self.sign_raw(header.to_string().as_bytes(), payload)
    }

    /// Signs claims the way SuperID does.
    pub(super) fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": "RS256", "kid": self.kid, "x5t": self.x5t, "typ": "JWT"});
        self.sign(&header, claims.to_string().as_bytes())
    }

    pub(super) fn sign_raw(&self, header: &[u8], payload: &[u8]) -> String {
        let message =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .expect("RSA signs");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The public half, as SuperID lists it (`superid.md` §4).
    pub(super) fn jwk(&self) -> Value {
        let public = self.pair.public_key();
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "x5t": self.x5t,
            "n": text(public.modulus().big_endian_without_leading_zero()),
            "e": text(public.exponent().big_endian_without_leading_zero()),
        })
    }

    /// A key set of this key alone.
    pub(super) fn jwks(&self) -> String {
        json!({"keys": [self.jwk()]}).to_string()
    }
}
