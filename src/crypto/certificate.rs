//! What a certificate says of itself, read out of its DER (RFC 5280 §4.1), and whether its key is its.

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use time::{Date, Month, PrimitiveDateTime, Time};

/// The parts of a certificate that say when it is to be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// When it begins to be valid, in seconds since 1970.
    pub begins: u64,
    /// When it stops.
    pub ends: u64,
    /// The bytes of its serial number, as they stand in the DER.
    pub serial: Vec<u8>,
    /// The identifier of the key that signed it (RFC 5280 §4.2.1.1), where it names one.
    pub authority_key: Option<Vec<u8>>,
}

impl Leaf {
    /// Reads it; `None` where it is no certificate.
    pub fn read(certificate: &[u8]) -> Option<Self> {
        let (_, certificate, _) = element(certificate)?;
        let (_, mut rest, _) = element(certificate)?;
        // The version is there unless it is the first one.
        if rest.first() == Some(&VERSION) {
            rest = element(rest)?.2;
        }
        let (_, serial, rest) = element(rest)?;
        // Algorithm and issuer.
        let rest = element(element(rest)?.2)?.2;
        let (_, validity, rest) = element(rest)?;
        let (begin_kind, begin, after_begin) = element(validity)?;
        let (end_kind, end, _) = element(after_begin)?;
        Some(Self {
            begins: seconds(begin_kind, begin)?,
            ends: seconds(end_kind, end)?,
            serial: serial.to_vec(),
            // Behind subject and public key.
            authority_key: element(rest)
                .and_then(|(_, _, rest)| element(rest))
                .and_then(|(_, _, rest)| authority_key(rest)),
        })
    }
}

/// Modulus and exponent of a certificate's RSA key, as they stand in the DER (RFC 8017 §A.1.1);
/// nothing else in it is looked at.
pub(super) fn public_key_of(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut rest, _) = element(certificate)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    // Serial number, algorithm, issuer, validity and subject stand before the key.
    for _ in 0..5 {
        rest = element(rest)?.2;
    }
    let (_, key_info, _) = element(rest)?;
    let (_, algorithm, behind) = element(key_info)?;
    let (_, kind, _) = element(algorithm)?;
    let (tag, bits, _) = element(behind)?;
    if kind != RSA || tag != BIT_STRING {
        return None;
    }
    let (_, key, _) = element(bits.strip_prefix(&[0])?)?;
    let (modulus_tag, modulus, rest) = element(key)?;
    let (exponent_tag, exponent, _) = element(rest)?;
    (modulus_tag == INTEGER && exponent_tag == INTEGER).then_some((modulus, exponent))
}

/// Whether a certificate stands for a host, or a caller of that name.
pub fn stands_for(certificate: &CertificateDer<'_>, name: &str) -> bool {
    let Ok(certificate) = ParsedCertificate::try_from(certificate) else { return false };
    ServerName::try_from(name).is_ok_and(|name| verify_server_name(&certificate, &name).is_ok())
}

/// Whether a key is the key of a chain's first certificate.
///
/// # Errors
/// Why not, in rustls' words.
pub fn is_pair(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<(), String> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    CertifiedKey::from_der(chain, key, &provider).map(drop).map_err(|error| error.to_string())
}

/// Looks through the extensions, which stand behind unique identifiers that nobody uses.
fn authority_key(mut rest: &[u8]) -> Option<Vec<u8>> {
    while let Some((tag, inside, behind)) = element(rest) {
        if tag == EXTENSIONS {
            let (_, mut extensions, _) = element(inside)?;
            while let Some((_, extension, next)) = element(extensions) {
                let (_, kind, value) = element(extension)?;
                if kind == AUTHORITY_KEY {
                    let (_, octets, _) = element(value)?;
                    let (_, sequence, _) = element(octets)?;
                    let (tag, identifier, _) = element(sequence)?;
                    return (tag == KEY_IDENTIFIER).then(|| identifier.to_vec());
                }
                extensions = next;
            }
        }
        rest = behind;
    }
    None
}

fn seconds(kind: u8, text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let (year, rest) = match kind {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i32 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let pair = |at: usize| rest.get(at..at + 2)?.parse::<u8>().ok();
    let date = Date::from_calendar_date(year, Month::try_from(pair(0)?).ok()?, pair(2)?).ok()?;
    let time = Time::from_hms(pair(4)?, pair(6)?, pair(8)?).ok()?;
    u64::try_from(PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp()).ok()
}

/// The first element: its tag, what it holds, and what stands behind it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ ..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long - 0x80))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (inside, behind) = rest.split_at_checked(length)?;
    Some((*tag, inside, behind))
}

const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const KEY_IDENTIFIER: u8 = 0x80;
/// 2.5.29.35.
const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 0x23];
/// 1.2.840.113549.1.1.1.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, Issuer, KeyIdMethod, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn both_ends_are_read_in_both_spellings_of_time() {
        let key = KeyPair::generate().unwrap();
        for (year, seconds) in [(2049, 2_493_072_000), (2050, 2_524_608_000)] {
            let mut wanted = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            wanted.not_before = date_time_ymd(2024, 1, 1);
            wanted.not_after = date_time_ymd(year, 1, 1);
            let made = wanted.self_signed(&key).unwrap();
            let leaf = Leaf::read(made.der()).unwrap();
            assert_eq!((leaf.begins, leaf.ends), (1_704_067_200, seconds), "{year}");
        }
    }

    #[test]
    fn what_is_no_certificate_says_nothing() {
        let key = KeyPair::generate().unwrap();
        let made = CertificateParams::new(vec![]).unwrap().self_signed(&key).unwrap();
        for length in 0..made.der().len().min(200) {
            assert_eq!(Leaf::read(&made.der()[..length]), None, "{length}");
        }
        assert_eq!(Leaf::read(&[0x30, 0x82, 0xff]), None);
    }

    #[test]
    fn serial_and_the_key_that_signed_are_read() {
        let mut authority = CertificateParams::new(vec![]).unwrap();
        authority.key_identifier_method = KeyIdMethod::PreSpecified(vec![7, 8, 9]);
        let issuer = Issuer::new(authority, KeyPair::generate().unwrap());
        let mut wanted = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        wanted.serial_number = Some(vec![1, 2, 3].into());
        wanted.use_authority_key_identifier_extension = true;
        let made = wanted.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        let leaf = Leaf::read(made.der()).unwrap();
        assert_eq!(leaf.serial, [1, 2, 3]);
        assert_eq!(leaf.authority_key.as_deref(), Some(&[7, 8, 9][..]));
        assert!(stands_for(made.der(), "a.example") && !stands_for(made.der(), "b.example"));
    }
}
