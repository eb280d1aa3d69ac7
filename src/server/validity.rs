//! Until when a certificate is valid, read out of its DER (RFC 5280 §4.1).

use time::{Date, Month, PrimitiveDateTime, Time};

/// The end of its validity, in seconds since 1970; `None` where it is no certificate.
pub(super) fn ends(certificate: &[u8]) -> Option<u64> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut rest, _) = element(certificate)?;
    // The version is there unless it is the first one; then serial number, algorithm and issuer.
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (_, validity, _) = element(rest)?;
    let (_, _, after_begin) = element(validity)?;
    let (kind, end, _) = element(after_begin)?;
    let text = std::str::from_utf8(end).ok()?;
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
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn the_end_is_read_in_both_spellings_of_time() {
        let key = KeyPair::generate().unwrap();
        for (year, seconds) in [(2049, 2_493_072_000), (2050, 2_524_608_000)] {
            let mut wanted = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            wanted.not_after = date_time_ymd(year, 1, 1);
            let made = wanted.self_signed(&key).unwrap();
            assert_eq!(ends(made.der()), Some(seconds), "{year}");
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        let key = KeyPair::generate().unwrap();
        let made = CertificateParams::new(vec![]).unwrap().self_signed(&key).unwrap();
        for length in 0..made.der().len().min(200) {
            assert_eq!(ends(&made.der()[..length]), None, "{length}");
        }
        assert_eq!(ends(&[0x30, 0x82, 0xff]), None);
    }
}
