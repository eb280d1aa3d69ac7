//! Signing with RSA keys under 2,048 bits, which aws-lc refuses: the only file that knows the `rsa`
//! crate.
//!
//! RUSTSEC-2023-0071 says that its private-key operation leaks the key through time. Here every
//! signature is blinded with fresh random bytes, nothing is ever decrypted, and what is signed is ours:
//! one message an hour for a tenant, never one that a stranger chose.

use rsa::rand_core::{CryptoRng, Error, RngCore};
use rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey};

use crate::crypto::plain_sha256;

use super::SigningFailed;
use super::components::{Components, Part};

/// A key of 1,024 to 2,047 bits that holds together.
pub(super) struct WeakKey(Box<RsaPrivateKey>);

impl WeakKey {
    /// The key, if its numbers belong together.
    pub(super) fn new(key: &Components) -> Option<Self> {
        let number = |part| BigUint::from_bytes_be(key.of(part));
        let primes = vec![number(Part::P), number(Part::Q)];
        let (modulus, exponent) = (number(Part::Modulus), number(Part::Exponent));
        let key = RsaPrivateKey::from_components(modulus, exponent, number(Part::D), primes);
        key.ok().filter(|key| key.validate().is_ok()).map(Box::new).map(Self)
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        let padding = Pkcs1v15Sign { hash_len: Some(32), prefix: SHA256_PREFIX.into() };
        let digest = plain_sha256(message);
        self.0.sign_with_rng(&mut Blinding, padding, &digest).map_err(|_| SigningFailed)
    }
}

/// Random bytes of the one generator the process has.
struct Blinding;

impl RngCore for Blinding {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_ne_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_ne_bytes(bytes)
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        aws_lc_rs::rand::fill(out).expect("the operating system gives random bytes");
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
        aws_lc_rs::rand::fill(out).map_err(|_| Error::new("no random bytes"))
    }
}

impl CryptoRng for Blinding {}

/// `DigestInfo` of SHA-256 up to the digest (RFC 8017 §9.2, note 1).
const SHA256_PREFIX: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];
