//! The eight numbers of an RSA private key, and the DER that carries them (RFC 8017 A.1, RFC 5208).

use pkcs1::der::asn1::{AnyRef, BitStringRef, OctetStringRef, UintRef};
use pkcs1::der::{Decode as _, Encode};
use pkcs1::{ALGORITHM_ID, RsaPrivateKeyRef, RsaPublicKeyRef};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::spki::SubjectPublicKeyInfoRef;
use zeroize::Zeroizing;

use super::KeyRefused;

/// One number of a key, in the order PKCS#1 has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Modulus,
    Exponent,
    D,
    P,
    Q,
    DP,
    DQ,
    InverseQ,
}

/// The numbers, big-endian without leading zeros, within bounds. Whether they are a key together
/// is for whoever signs with them to check.
pub(super) struct Components([Zeroizing<Vec<u8>>; 8]);

impl Components {
    /// Takes the numbers in the order of [`Part`].
    pub(super) fn new(parts: [Zeroizing<Vec<u8>>; 8]) -> Result<Self, KeyRefused> {
        let parts = parts.map(|part| {
            let zeros = part.iter().take_while(|byte| **byte == 0).count();
            Zeroizing::new(part[zeros..].to_vec())
        });
        if parts.iter().any(|part| part.is_empty()) {
            return Err(KeyRefused::Malformed);
        }
        let key = Self(parts);
        if !(LEAST_BITS..=MOST_BITS).contains(&key.bits()) {
            return Err(KeyRefused::Size);
        }
        let longest = key.of(Part::Modulus).len();
        let fits = key.0.iter().all(|part| part.len() <= longest);
        let odd = [Part::Modulus, Part::Exponent, Part::P, Part::Q];
        let odd = odd.iter().all(|part| key.of(*part).last().is_some_and(|low| low & 1 == 1));
        if fits && odd && key.of(Part::Exponent) != [1] {
            Ok(key)
        } else {
            Err(KeyRefused::Malformed)
        }
    }

    /// Reads `RSAPrivateKey` of two primes.
    pub(super) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyRefused> {
        let key = RsaPrivateKeyRef::from_der(der).map_err(|_| KeyRefused::Malformed)?;
        if key.other_prime_infos.is_some() {
            return Err(KeyRefused::Malformed);
        }
        let numbers = [
            key.modulus,
            key.public_exponent,
            key.private_exponent,
            key.prime1,
            key.prime2,
            key.exponent1,
            key.exponent2,
            key.coefficient,
        ];
        Self::new(numbers.map(|number| Zeroizing::new(number.as_bytes().to_vec())))
    }

    /// Reads `PrivateKeyInfo` with an RSA key in it.
    pub(super) fn from_pkcs8(der: &[u8]) -> Result<Self, KeyRefused> {
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| KeyRefused::Malformed)?;
        if info.algorithm.oid != ALGORITHM_ID.oid {
            return Err(KeyRefused::NotRsa);
        }
        Self::from_pkcs1(info.private_key.as_bytes())
    }

    /// Bits of the modulus.
    pub(super) fn bits(&self) -> usize {
        let modulus = self.of(Part::Modulus);
        modulus.len() * 8 - modulus.first().map_or(0, |top| top.leading_zeros() as usize)
    }

    pub(super) fn of(&self, part: Part) -> &[u8] {
        &self.0[part as usize]
    }

    /// `RSAPrivateKey`.
    pub(super) fn to_pkcs1(&self) -> Zeroizing<Vec<u8>> {
        let key = RsaPrivateKeyRef {
            modulus: self.number(Part::Modulus),
            public_exponent: self.number(Part::Exponent),
            private_exponent: self.number(Part::D),
            prime1: self.number(Part::P),
            prime2: self.number(Part::Q),
            exponent1: self.number(Part::DP),
            exponent2: self.number(Part::DQ),
            coefficient: self.number(Part::InverseQ),
            other_prime_infos: None,
        };
        Zeroizing::new(encoded(&key))
    }

    /// `PrivateKeyInfo`.
    pub(super) fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        let inner = self.to_pkcs1();
        let inner = OctetStringRef::new(&inner).expect(BOUNDED);
        Zeroizing::new(encoded(&PrivateKeyInfoRef::new(ALGORITHM_ID, inner)))
    }

    /// `SubjectPublicKeyInfo`: what names the key wherever it is.
    pub(super) fn to_public(&self) -> Vec<u8> {
        let key = RsaPublicKeyRef {
            modulus: self.number(Part::Modulus),
            public_exponent: self.number(Part::Exponent),
        };
        let key = encoded(&key);
        let subject_public_key = BitStringRef::from_bytes(&key).expect(BOUNDED);
        let algorithm =
            pkcs8::AlgorithmIdentifierRef { oid: ALGORITHM_ID.oid, parameters: Some(AnyRef::NULL) };
        encoded(&SubjectPublicKeyInfoRef { algorithm, subject_public_key })
    }

    fn number(&self, part: Part) -> UintRef<'_> {
        UintRef::new(self.of(part)).expect(BOUNDED)
    }
}

fn encoded(value: &impl Encode) -> Vec<u8> {
    value.to_der().expect(BOUNDED)
}

/// Under it a key is guessed, not signed with.
const LEAST_BITS: usize = 1024;
const MOST_BITS: usize = 8192;
const BOUNDED: &str = "numbers of at most 8,192 bits fit into DER";
