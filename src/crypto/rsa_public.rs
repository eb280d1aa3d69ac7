//! An RSA key that signatures are checked with, and the digests that go with it.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents,
};

use super::certificate::public_key_of;

/// The public half of an RSA key of 2,048 to 8,192 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct RsaPublic {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// A digest of the SHA family. SHA-1 is broken where somebody else chooses what is signed; it is
/// here for issuers that know nothing newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sha {
    One,
    Two256,
    Two384,
    Two512,
}

impl RsaPublic {
    /// From modulus and exponent, big-endian; `None` for what nobody should be believed by: under
    /// 2,048 bits or over 8,192, an even number, an exponent of 1 or of over 32 bits.
    pub fn of_components(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let (modulus, exponent) = (number(modulus)?, number(exponent)?);
        let is_odd = |number: &[u8]| number.last().is_some_and(|low| low & 1 == 1);
        let is_whole = (256..=1024).contains(&modulus.len()) && modulus[0] & 0x80 != 0;
        let is_safe = exponent.len() <= 4 && exponent != [1];
        (is_whole && is_safe && is_odd(modulus) && is_odd(exponent))
            .then(|| Self { modulus: modulus.to_vec(), exponent: exponent.to_vec() })
    }

    /// The key in a certificate's DER, whatever its version, dates and own signature: whoever
    /// configures a certificate vouches for its key. SuperID's are of version 1 and signed with
    /// SHA-1 (`superid.md` §3.4), which certificate verifiers refuse.
    pub fn of_certificate(der: &[u8]) -> Option<Self> {
        let (modulus, exponent) = public_key_of(der)?;
        Self::of_components(modulus, exponent)
    }

    /// Whether this key signed the message (RSASSA-PKCS1-v1_5, RFC 8017 §8.2).
    pub fn has_signed(&self, message: &[u8], signature: &[u8], digest: Sha) -> bool {
        let rules = match digest {
            Sha::One => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            Sha::Two256 => &RSA_PKCS1_2048_8192_SHA256,
            Sha::Two384 => &RSA_PKCS1_2048_8192_SHA384,
            Sha::Two512 => &RSA_PKCS1_2048_8192_SHA512,
        };
        let key = RsaPublicKeyComponents { n: &self.modulus, e: &self.exponent };
        key.verify(rules, message, signature).is_ok()
    }
}

impl fmt::Debug for RsaPublic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "RsaPublic({} bits)", self.modulus.len() * 8)
    }
}

impl Sha {
    /// The digest of these bytes.
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::One => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Two256 => &digest::SHA256,
            Self::Two384 => &digest::SHA384,
            Self::Two512 => &digest::SHA512,
        };
        digest::digest(algorithm, bytes).as_ref().to_vec()
    }
}

/// Without the zeros in front, which DER wants before a high bit.
fn number(bytes: &[u8]) -> Option<&[u8]> {
    let start = bytes.iter().position(|byte| *byte != 0)?;
    Some(&bytes[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_nobody_should_be_believed_by_are_none() {
        let good = vec![0xff; 256];
        assert!(RsaPublic::of_components(&good, &[1, 0, 1]).is_some());
        let zero_led = [&[0][..], &good].concat();
        assert_eq!(
            RsaPublic::of_components(&zero_led, &[0, 1, 0, 1]),
            RsaPublic::of_components(&good, &[1, 0, 1])
        );
        let even = [&good[1..], &[0xfe]].concat();
        for (modulus, exponent) in [
            (&good[1..], &[1, 0, 1][..]),
            (&vec![0xff; 1025], &[1, 0, 1]),
            (&even, &[1, 0, 1]),
            (&good, &[1]),
            (&good, &[2]),
            (&good, &[1, 0, 0, 0, 1]),
            (&good, &[]),
            (&[], &[1, 0, 1]),
        ] {
            assert_eq!(RsaPublic::of_components(modulus, exponent), None);
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_key() {
        for der in [&b""[..], &[0x30], &[0x30, 0x03, 0x02, 0x01, 0x01], &[0x30, 0x82, 0xff]] {
            assert_eq!(RsaPublic::of_certificate(der), None);
        }
    }
}
