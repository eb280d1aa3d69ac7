//! Signing with a partner key: PKCS#1 v1.5 with SHA-256 (RFC 8017 §8.2), as SuperID wants it.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

#[cfg(feature = "weak-partner-keys")]
use super::weak::WeakKey;
use super::{PartnerKey, SigningFailed};

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

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> PartnerKey {
        PartnerKey::read(text, None).unwrap()
    }

    const STRONG: &str = include_str!("../../../tests/config/partner_keys/2048.xml");
    const WEAK: &str = include_str!("../../../tests/config/partner_keys/1024.xml");

    /// The key with one digit of each of its numbers changed in turn.
    fn bent(text: &str) -> Vec<String> {
        let lines: Vec<&str> = text.lines().collect();
        let numbers = 1..lines.len() - 1;
        let bend = |at: usize| {
            let (start, digits) = lines[at].split_once('>').unwrap();
            let other = if digits[1..].starts_with('B') { "C" } else { "B" };
            let line = format!("{start}>{}{other}{}", &digits[..1], &digits[2..]);
            let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            lines[at] = line;
            lines.join("\n")
        };
        numbers.map(bend).collect()
    }

    #[test]
    fn numbers_that_do_not_belong_together_do_not_sign() {
        let mut tried = 0;
        for text in bent(STRONG) {
            // Some changes leave no key to read.
            let Ok(key) = PartnerKey::read(&text, None) else { continue };
            let refused = key.signing(WeakKeys::Refused).err();
            assert_eq!(refused, Some(CannotSign::Inconsistent), "{tried}");
            tried += 1;
        }
        assert!(tried >= 6, "{tried}");
    }

    #[test]
    fn a_weak_key_signs_for_nobody_who_did_not_ask() {
        let refused = key(WEAK).signing(WeakKeys::Refused).err();
        assert_eq!(refused, Some(CannotSign::Weak { bits: 1024 }));
        #[cfg(not(feature = "weak-partner-keys"))]
        {
            let refused = key(WEAK).signing(WeakKeys::Accepted).err();
            assert_eq!(refused, Some(CannotSign::WeakBuild { bits: 1024 }));
        }
        #[cfg(feature = "weak-partner-keys")]
        {
            let signing = key(WEAK).signing(WeakKeys::Accepted).unwrap();
            let [one, other] = [b"one", b"two"].map(|text| signing.sign(text).unwrap());
            assert_eq!((one.len(), other.len()), (128, 128));
            assert_ne!(one, other);
            // Blinding changes the way, never the signature.
            assert_eq!(one, signing.sign(b"one").unwrap());
            for text in bent(WEAK) {
                let Ok(key) = PartnerKey::read(&text, None) else { continue };
                // The `rsa` crate makes dp, dq and the inverse anew, so these three do not matter.
                let remade = ["DP", "DQ", "InverseQ"].iter().any(|part| {
                    let line = |text: &str| {
                        text.lines().find(|l| l.contains(&format!("<{part}>"))).map(str::to_owned)
                    };
                    line(&text) != line(WEAK)
                });
                assert!(remade || key.signing(WeakKeys::Accepted).is_err());
            }
        }
    }

    #[test]
    fn nothing_prints_a_key() {
        let key = key(STRONG);
        let shown = format!("{key:?} {:?}", key.signing(WeakKeys::Refused).unwrap());
        assert_eq!(shown, "PartnerKey(2048 bits) SigningKey(2048 bits)");
    }
}
