//! Signing keys of the double, and tokens as SuperID words them.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::world::NOW;

/// The key in use at first.
pub static FIRST: LazyLock<Signer> = LazyLock::new(|| Signer::new("first"));
/// The key after a rotation.
pub static SECOND: LazyLock<Signer> = LazyLock::new(|| Signer::new("second"));

pub struct Signer {
    kid: &'static str,
    pair: KeyPair,
}

impl Signer {
    fn new(kid: &'static str) -> Self {
        Self { kid, pair: KeyPair::generate(KeySize::Rsa2048).expect("keys can be made") }
    }

    pub fn sign(&self, claims: &Value) -> String {
        let part = |json: String| URL_SAFE_NO_PAD.encode(json);
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.kid});
        let message = format!("{}.{}", part(header.to_string()), part(claims.to_string()));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .expect("RSA signs");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub fn jwks(&self) -> String {
        let public = self.pair.public_key();
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
            "n": text(public.modulus().big_endian_without_leading_zero()),
            "e": text(public.exponent().big_endian_without_leading_zero()),
        }]})
        .to_string()
    }
}

pub fn claim(suffix: &str) -> String {
    format!("http://schemes.superoffice.net/identity/{suffix}")
}

/// An id_token's claims, issued at the world's start.
pub fn id_token() -> Value {
    json!({
        "sub": "ada@example.com", "iss": "https://superid.test", "aud": "client",
        "iat": NOW, "nbf": NOW - 60, "exp": NOW + 300, "nonce": "nonce",
        claim("ctx"): "Cust12345", claim("serial"): "1501052557",
    })
}

/// A legacy token's claims, good for a day so that tests can turn the clock.
pub fn legacy() -> Value {
    json!({
        "sub": "ada@example.com", "iss": "SuperOffice AS", "aud": "spn:1501052557",
        "nbf": NOW - 60, "exp": NOW + 86_400,
        claim("ctx"): "Cust12345", claim("ticket"): "7T:ticket",
    })
}
