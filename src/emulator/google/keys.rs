//! The provider's signing keys: one for each algorithm, made when it is first used.

use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256,
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64URL, Engine};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::der::public_numbers;

/// How id_tokens are signed, by its JOSE name (RFC 7518, RFC 8037).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    #[default]
    RS256,
    PS256,
    ES256,
    EdDSA,
}

#[derive(Default)]
pub(super) struct ProviderKeys {
    rsa: OnceLock<RsaPair>,
    ec: OnceLock<EcdsaKeyPair>,
    ed: OnceLock<Ed25519KeyPair>,
}

impl Algorithm {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
            Self::EdDSA => "EdDSA",
        }
    }

    /// The `kid` of its key. RS256 and PS256 share one, which a key set must not hide.
    pub(super) fn kid(self) -> &'static str {
        match self {
            Self::RS256 => "google-rs256",
            Self::PS256 => "google-ps256",
            Self::ES256 => "google-es256",
            Self::EdDSA => "google-eddsa",
        }
    }

    /// The left half of the algorithm's hash, base64url (OpenID Connect Core 3.1.3.6).
    pub(super) fn half_hash(self, text: &str) -> String {
        let algorithm = match self {
            Self::EdDSA => &SHA512,
            _ => &SHA256,
        };
        let hash = digest(algorithm, text.as_bytes());
        BASE64URL.encode(&hash.as_ref()[..hash.as_ref().len() / 2])
    }
}

impl ProviderKeys {
    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let padding = match algorithm {
            Algorithm::RS256 => &RSA_PKCS1_SHA256,
            Algorithm::PS256 => &RSA_PSS_SHA256,
            Algorithm::ES256 => {
                let signature = self.ec().sign(&random, message);
                return signature.expect("there are random bytes").as_ref().to_vec();
            }
            Algorithm::EdDSA => return self.ed().sign(message).as_ref().to_vec(),
        };
        let mut signature = vec![0; self.rsa().public_modulus_len()];
        let signed = self.rsa().sign(padding, &random, message, &mut signature);
        signed.expect("the buffer has the modulus' length");
        signature
    }

    /// The public half of the algorithm's key (RFC 7517).
    pub(super) fn jwk(&self, algorithm: Algorithm) -> Value {
        let mut key = match algorithm {
            Algorithm::RS256 | Algorithm::PS256 => {
                let (n, e) = public_numbers(self.rsa().public_key().as_ref());
                json!({ "kty": "RSA", "n": BASE64URL.encode(n), "e": BASE64URL.encode(e) })
            }
            Algorithm::ES256 => {
                let point = self.ec().public_key().as_ref();
                let (x, y) = (BASE64URL.encode(&point[1..33]), BASE64URL.encode(&point[33..]));
                json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })
            }
            Algorithm::EdDSA => {
                let x = BASE64URL.encode(self.ed().public_key());
                json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
            }
        };
        key["alg"] = algorithm.name().into();
        key["kid"] = algorithm.kid().into();
        key["use"] = "sig".into();
        key
    }

    fn rsa(&self) -> &RsaPair {
        let make =
            || RsaPair::generate(KeySize::Rsa2048).expect("RSA with 2,048 bits is supported");
        self.rsa.get_or_init(make)
    }

    fn ec(&self) -> &EcdsaKeyPair {
        let make = || EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        self.ec.get_or_init(|| make().expect("P-256 is supported"))
    }

    fn ed(&self) -> &Ed25519KeyPair {
        self.ed.get_or_init(|| Ed25519KeyPair::generate().expect("Ed25519 is supported"))
    }
}
