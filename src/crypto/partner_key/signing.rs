//! Signing with a partner key: PKCS#1 v1.5 with SHA-256 (RFC 8017 §8.2), as SuperID wants it.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

use super::PartnerKey;
#[cfg(feature = "weak-partner-keys")]
use super::weak::WeakKey;

/// A key that was found to hold together and may sign. Cheap to clone; prints only its size.
#[derive(Clone)]
pub struct SigningKey {
    bits: usize,
    way: Arc<Way>,
}

/// What becomes of keys under 2,048 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeakKeys {
    Accepted,
    Refused,
}

/// Why a key does not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotSign {
    /// Its numbers are not those of one key.
    #[error("the numbers of the key do not belong together")]
    Inconsistent,
    /// It is weak, and nobody said that it may sign all the same.
    #[error("the key has {bits} bits, which is too few to trust")]
    Weak { bits: usize },
    /// It is weak, and this program was built without the means.
    #[error("the key has {bits} bits, and this build signs with 2,048 and more only")]
    WeakBuild { bits: usize },
}

/// The signature could not be made: the machine gave no random bytes, or no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key did not sign")]
pub struct SigningFailed;

impl PartnerKey {
    /// The key as one that signs, checked as a whole.
    ///
    /// # Errors
    /// [`CannotSign`] for a key that is inconsistent, or weak where that is not accepted or not
    /// possible.
    pub fn signing(&self, weak: WeakKeys) -> Result<SigningKey, CannotSign> {
        let bits = self.bits();
        let way = match (self.is_weak(), weak) {
            (false, _) => RsaKeyPair::from_der(&self.components.to_pkcs1())
                .map(Way::Strong)
                .map_err(|_| CannotSign::Inconsistent)?,
            (true, WeakKeys::Refused) => return Err(CannotSign::Weak { bits }),
            #[cfg(feature = "weak-partner-keys")]
            (true, WeakKeys::Accepted) => {
                WeakKey::new(&self.components).map(Way::Weak).ok_or(CannotSign::Inconsistent)?
            }
            #[cfg(not(feature = "weak-partner-keys"))]
            (true, WeakKeys::Accepted) => return Err(CannotSign::WeakBuild { bits }),
        };
        Ok(SigningKey { bits, way: Arc::new(way) })
    }
}

impl SigningKey {
    /// The signature over a message, as long as the modulus.
    ///
    /// # Errors
    /// [`SigningFailed`] when the machine lets us down.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        match &*self.way {
            Way::Strong(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| SigningFailed)?;
                Ok(signature)
            }
            #[cfg(feature = "weak-partner-keys")]
            Way::Weak(key) => key.sign(message),
        }
    }

    /// Bits of the modulus.
    pub fn bits(&self) -> usize {
        self.bits
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SigningKey({} bits)", self.bits)
    }
}

enum Way {
    Strong(RsaKeyPair),
    #[cfg(feature = "weak-partner-keys")]
    Weak(WeakKey),
}
