//! When a delivery that failed is tried again, and when that is worth a line in the log.

use http::{HeaderMap, StatusCode, header};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::clock::Timestamp;
use crate::crypto::Random;

/// What an answer that is no success asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nobody takes events at this address any more (410, as Standard Webhooks has it).
    Gone,
    /// Not to come again for so many seconds (429 and 503 with `Retry-After`).
    Later(u64),
    Nothing,
}

impl Asked {
    /// What this answer asks for.
    pub(super) fn by(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Self {
        match status {
            StatusCode::GONE => Self::Gone,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                let said = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
                said.and_then(|said| seconds(said, now)).map_or(Self::Nothing, Self::Later)
            }
            _ => Self::Nothing,
        }
    }
}

/// Seconds until the next try, after so many: 5, doubled each time up to an hour, and up to a fifth
/// more, so that what failed together does not come together again. An app that asks for more gets
/// it, up to an hour; one that is gone is asked once an hour.
pub(super) fn pause(tries: u32, asked: Asked, random: &Random) -> u64 {
    let doubled = FIRST << tries.saturating_sub(1).min(20);
    let least = match asked {
        Asked::Gone => LONGEST,
        Asked::Later(seconds) => seconds,
        Asked::Nothing => 0,
    };
    let pause = doubled.max(least).min(LONGEST);
    let dice = u64::from(u16::from_be_bytes(random.bytes()));
    pause + dice % (pause / 5 + 1)
}

/// The first failure, the fifth, the tenth, and after that one a day or so.
pub(super) fn is_worth_a_line(tries: u32) -> bool {
    matches!(tries, 1 | 5 | 10) || tries.is_multiple_of(24)
}

/// Of a `Retry-After` (RFC 9110 §10.2.3): seconds, or a date, where it is one.
fn seconds(said: &str, now: Timestamp) -> Option<u64> {
    let said = said.trim();
    if let Ok(seconds) = said.parse() {
        return Some(seconds);
    }
    let date = OffsetDateTime::parse(said, &Rfc2822).ok()?;
    Some(Timestamp(u64::try_from(date.unix_timestamp()).ok()?).since(now))
}

const FIRST: u64 = 5;
const LONGEST: u64 = 3_600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_five_seconds_to_an_hour_and_differ() {
        let random = Random::counting();
        for (tries, least) in [(1, 5), (2, 10), (3, 20), (10, 2_560), (11, 3_600), (5_000, 3_600)] {
            for _ in 0..50 {
                let pause = pause(tries, Asked::Nothing, &random);
                assert!((least..=least + least / 5).contains(&pause), "{tries}: {pause}");
            }
        }
        let hours: Vec<u64> = (0..50).map(|_| pause(11, Asked::Nothing, &random)).collect();
        assert!(hours.iter().any(|hour| *hour != hours[0]));
    }

    #[test]
    fn what_an_app_asks_for_is_given_up_to_an_hour() {
        let random = Random::counting();
        for (tries, asked, least) in [
            (1, Asked::Later(90), 90),
            (1, Asked::Later(1), 5),
            (7, Asked::Later(90), 320),
            (1, Asked::Later(u64::MAX), 3_600),
            (1, Asked::Gone, 3_600),
        ] {
            let pause = pause(tries, asked, &random);
            assert!((least..=least + least / 5).contains(&pause), "{asked:?}: {pause}");
        }
    }

    #[test]
    fn seconds_and_dates_are_understood_where_they_mean_something() {
        let now = Timestamp(784_111_777);
        for (status, said, asked) in [
            (503, "120", Asked::Later(120)),
            (429, " 7 ", Asked::Later(7)),
            (503, "Sun, 06 Nov 1994 08:50:37 GMT", Asked::Later(60)),
            (503, "Sun, 06 Nov 1994 08:48:37 GMT", Asked::Later(0)),
            (503, "soon", Asked::Nothing),
            (503, "-5", Asked::Nothing),
            (500, "120", Asked::Nothing),
            (410, "120", Asked::Gone),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, said.parse().unwrap());
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(Asked::by(status, &headers, now), asked, "{status}: {said}");
        }
    }
}
