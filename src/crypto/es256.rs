//! Keys that sign with ECDSA on P-256 and SHA-256, which JSON Web Signatures call ES256.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

use super::SigningFailed;

/// A private key on the curve P-256. Clones share it; nothing prints it.
#[derive(Clone)]
pub struct Es256Key(Arc<EcdsaKeyPair>);

/// Why a text holds no such key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEs256Key {
    /// Another algorithm, another curve, or damaged.
    #[error("holds a private key, but not one on the curve P-256")]
    Curve,
    /// There is none in it.
    #[error("holds no private key in PEM")]
    NoPem,
}

impl Es256Key {
    /// Reads PEM: PKCS#8 (`PRIVATE KEY`) or SEC 1 (`EC PRIVATE KEY`).
    ///
    /// # Errors
    /// [`NoEs256Key`] for anything else.
    pub fn read(pem: &str) -> Result<Self, NoEs256Key> {
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| NoEs256Key::NoPem)?;
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = match &key {
            PrivateKeyDer::Pkcs8(key) => {
                EcdsaKeyPair::from_pkcs8(algorithm, key.secret_pkcs8_der())
            }
            PrivateKeyDer::Sec1(key) => {
                EcdsaKeyPair::from_private_key_der(algorithm, key.secret_sec1_der())
            }
            _ => return Err(NoEs256Key::Curve),
        };
        pair.map(|pair| Self(Arc::new(pair))).map_err(|_| NoEs256Key::Curve)
    }

    /// A new one, as the PEM (PKCS#8) that [`Es256Key::read`] takes.
    ///
    /// # Errors
    /// [`SigningFailed`] when the machine lets us down.
    pub fn new_pem() -> Result<Zeroizing<String>, SigningFailed> {
        let made =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .map_err(|_| SigningFailed)?;
        let encoded = Zeroizing::new(STANDARD.encode(made.as_ref()));
        let mut pem = Zeroizing::new(String::from("-----BEGIN PRIVATE KEY-----\n"));
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            let (line, left) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = left;
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Ok(pem)
    }

    /// The signature as JWS has it: `r` and `s`, 32 bytes each (RFC 7518 §3.4).
    ///
    /// # Errors
    /// [`SigningFailed`] when the machine lets us down.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], SigningFailed> {
        let signed = self.0.sign(&SystemRandom::new(), message).map_err(|_| SigningFailed)?;
        <[u8; 64]>::try_from(signed.as_ref()).map_err(|_| SigningFailed)
    }

    /// The coordinates of the public key, `x` and `y`, 32 bytes each.
    pub fn public(&self) -> (&[u8], &[u8]) {
        // Uncompressed (SEC 1 §2.3.3): a four, then both.
        self.0.public_key().as_ref()[1..].split_at(32)
    }
}

impl PartialEq for Es256Key {
    fn eq(&self, other: &Self) -> bool {
        self.public() == other.public()
    }
}

impl fmt::Debug for Es256Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Es256Key")
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_new_key_is_read_back_and_signs_what_its_public_half_verifies() {
        let key = Es256Key::read(&Es256Key::new_pem().unwrap()).unwrap();
        let signature = key.sign(b"hello").unwrap();
        let (x, y) = key.public();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [&[4], x, y].concat());
        assert!(public.verify(b"hello", &signature).is_ok());
        assert!(public.verify(b"hullo", &signature).is_err());
        assert_ne!(key, Es256Key::read(&Es256Key::new_pem().unwrap()).unwrap());
        assert_eq!(format!("{key:?}"), "Es256Key");
    }

    #[test]
    fn both_forms_that_openssl_writes_are_read_and_other_keys_are_not() {
        let sec1 = "-----BEGIN EC PRIVATE KEY-----\n\
            MHcCAQEEIHhP5bufxzKGqlcfEYSB6ywULmwzS6o9nU8fxEVb66VAoAoGCCqGSM49\n\
            AwEHoUQDQgAEYrfiStQwR7Enza5X3/ckPI2BKxsDbFi+g6vExlG/0wbRfqxD/rK6\n\
            puCdRc0MuoRV7wnjg+bDfabchry1bE98Xw==\n\
            -----END EC PRIVATE KEY-----\n";
        assert!(Es256Key::read(sec1).is_ok());
        let damaged = sec1.replace("Hh", "hH");
        assert_eq!(Es256Key::read(&damaged), Err(NoEs256Key::Curve));
        assert_eq!(Es256Key::read("AAECAw=="), Err(NoEs256Key::NoPem));
        let wrong = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        assert_eq!(Es256Key::read(&wrong.serialize_pem()), Err(NoEs256Key::Curve));
        let other = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        assert!(Es256Key::read(&other.serialize_pem()).is_ok());
    }
}
