//! `xs:dateTime` as SAML writes it (SAML core §1.3.3): in UTC.

use time::{Date, Month, PrimitiveDateTime, Time};

use crate::clock::Timestamp;

use super::refused::SamlRefused;

/// Reads `2026-11-22T00:10:00Z`, with a fraction or without, which is cut off. `+00:00`, as some
/// issuers write it, says the same.
pub(super) fn moment(text: &str) -> Result<Timestamp, SamlRefused> {
    parse(text).ok_or(SamlRefused::Times)
}

fn parse(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00"))?;
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (text, "0"),
    };
    let digits = (1..=12).contains(&fraction.len()) && all_digits(fraction);
    if whole.len() != 19 || !digits || !whole.is_ascii() {
        return None;
    }
    let shape = whole.bytes().zip("0000-00-00T00:00:00".bytes());
    if shape.into_iter().any(|(byte, model)| match model {
        b'0' => !byte.is_ascii_digit(),
        mark => byte != mark,
    }) {
        return None;
    }
    let pair = |at: usize| whole[at..at + 2].parse::<u8>().ok();
    let year = whole[..4].parse().ok()?;
    let date = Date::from_calendar_date(year, Month::try_from(pair(5)?).ok()?, pair(8)?).ok()?;
    let time = Time::from_hms(pair(11)?, pair(14)?, pair(17)?).ok()?;
    let seconds = PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp();
    u64::try_from(seconds).ok().map(Timestamp)
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_moments_in_utc_are_times() {
        assert_eq!(moment("1970-01-12T13:46:40Z"), Ok(Timestamp(1_000_000)));
        assert_eq!(moment("1970-01-12T13:46:40.9999999Z"), Ok(Timestamp(1_000_000)));
        assert_eq!(moment("1970-01-12T13:46:40+00:00"), Ok(Timestamp(1_000_000)));
        for odd in [
            "",
            "Z",
            "1970-01-12T13:46:40",
            "1970-01-12T13:46:40+01:00",
            "1970-01-12T13:46:40-00:00",
            "1970-01-12 13:46:40Z",
            "1970-01-12T13:46:40.Z",
            "1970-02-30T13:46:40Z",
            "1970-01-12T24:46:40Z",
            "+970-01-12T13:46:40Z",
            "1969-12-31T23:59:59Z",
            "1970-01-12T13:46:4\u{664}Z",
            "21970-01-12T13:46:40Z",
        ] {
            assert_eq!(moment(odd), Err(SamlRefused::Times), "{odd}");
        }
    }
}
