//! A private key that signs what says who we are to a provider (RFC 7523).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

use super::{Secret, SigningFailed};

/// RSA of 2,048 bits and more (RS256), P-256 (ES256) or Ed25519 (EdDSA).
#[derive(Clone)]
pub struct AssertionKey(Arc<Pair>);

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// A key that signs no assertions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no PEM of a private key for RSA from 2,048 bits, P-256 or Ed25519")]
pub struct NoAssertionKey;

impl AssertionKey {
    /// From PEM: PKCS#8, or PKCS#1 and SEC 1 for RSA and P-256.
    ///
    /// # Errors
    /// [`NoAssertionKey`].
    pub fn from_pem(text: &Secret) -> Result<Self, NoAssertionKey> {
        let key = PrivateKeyDer::from_pem_slice(text.reveal().as_bytes());
        let key = key.map_err(|_| NoAssertionKey)?;
        let der = key.secret_der();
        let rsa = |pair: RsaKeyPair| (pair.public_modulus_len() >= 256).then_some(Pair::Rsa(pair));
        let p256 = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = match &key {
            PrivateKeyDer::Pkcs1(_) => RsaKeyPair::from_der(der).ok().and_then(rsa),
            PrivateKeyDer::Sec1(_) => {
                EcdsaKeyPair::from_private_key_der(p256, der).ok().map(Pair::P256)
            }
            _ => RsaKeyPair::from_pkcs8(der)
                .ok()
                .and_then(rsa)
                .or_else(|| EcdsaKeyPair::from_pkcs8(p256, der).ok().map(Pair::P256))
                .or_else(|| Ed25519KeyPair::from_pkcs8(der).ok().map(Pair::Ed25519)),
        };
        pair.map(|pair| Self(Arc::new(pair))).ok_or(NoAssertionKey)
    }

    /// Whether both sign the same way: their public halves are one.
    pub fn is(&self, other: &Self) -> bool {
        self.public() == other.public()
    }

    fn public(&self) -> &[u8] {
        match &*self.0 {
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
            Pair::P256(pair) => pair.public_key().as_ref(),
            Pair::Rsa(pair) => pair.public_key().as_ref(),
        }
    }

    /// `alg` of what it signs (RFC 7518 §3.1, RFC 8037 §3.1).
    pub fn algorithm(&self) -> &'static str {
        match &*self.0 {
            Pair::Ed25519(_) => "EdDSA",
            Pair::P256(_) => "ES256",
            Pair::Rsa(_) => "RS256",
        }
    }

    /// The signature over a message, as JOSE has it.
    ///
    /// # Errors
    /// [`SigningFailed`] when the machine lets us down.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        let random = SystemRandom::new();
        match &*self.0 {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::P256(pair) => {
                let signature = pair.sign(&random, message).map_err(|_| SigningFailed)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| SigningFailed)?;
                Ok(signature)
            }
        }
    }
}

impl fmt::Debug for AssertionKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "AssertionKey({})", self.algorithm())
    }
}
