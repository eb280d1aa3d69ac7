//! `exp`, `nbf` and `iat` (RFC 7519 §4.1), read so that a wrong type is never an absent one.

use crate::clock::Timestamp;

use super::failure::ClaimsRefused;
use super::json::{Json, Object};

/// A token's times, in whole seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) expires: Timestamp,
    not_before: Option<Timestamp>,
}

/// Whether `iat` must be there: SuperID's id_tokens have it, its older tokens may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IssuedAt {
    Optional,
    Required,
}

impl Times {
    /// Reads the times. `iat` is read and then forgotten: SuperID has sent it as a decimal string,
    /// and published tokens have it after their own `exp` (`superid.md` §4).
    pub(crate) fn read(claims: &Object, issued_at: IssuedAt) -> Result<Self, ClaimsRefused> {
        let moment = |name| claims.has(name).then(|| date(claims.get(name))).transpose();
        let expires = moment("exp")?.ok_or(ClaimsRefused::TimesMissing)?;
        let not_before = moment("nbf")?;
        let issued = match claims.text("iat") {
            Some(text) => Some(decimal(text).ok_or(ClaimsRefused::TimesMalformed)?),
            None => moment("iat")?,
        };
        if issued.is_none() && issued_at == IssuedAt::Required {
            return Err(ClaimsRefused::TimesMissing);
        }
        Ok(Self { expires, not_before })
    }

    /// Whether the token is good now, give or take `leeway` seconds between two clocks.
    pub(crate) fn hold(self, now: Timestamp, leeway: u64) -> Result<(), ClaimsRefused> {
        if self.expires.plus(leeway) <= now {
            return Err(ClaimsRefused::Expired);
        }
        if self.not_before.is_some_and(|from| from > now.plus(leeway)) {
            return Err(ClaimsRefused::NotYetValid);
        }
        Ok(())
    }

    /// Whether the token will be over within a day. SuperID's live five minutes; what we remember
    /// against replay must not be asked to remember for years.
    pub(crate) fn are_short(self, now: Timestamp, leeway: u64) -> Result<(), ClaimsRefused> {
        let longest = now.plus(leeway).plus(DAY);
        if self.expires > longest { Err(ClaimsRefused::Lifetime) } else { Ok(()) }
    }
}

fn date(value: Option<&Json>) -> Result<Timestamp, ClaimsRefused> {
    match value {
        Some(Json::Whole(seconds)) if *seconds <= END_OF_TIME => Ok(Timestamp(*seconds)),
        Some(Json::Number(seconds)) if (0.0..=END_OF_TIME as f64).contains(seconds) => {
            Ok(Timestamp(*seconds as u64))
        }
        _ => Err(ClaimsRefused::TimesMalformed),
    }
}

fn decimal(text: &str) -> Option<Timestamp> {
    let digits = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|seconds| digits && *seconds <= END_OF_TIME).map(Timestamp)
}

/// The last second of the year 9999: later ones are no times but tricks.
const END_OF_TIME: u64 = 253_402_300_799;
const DAY: u64 = 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(claims: Value) -> Result<Times, ClaimsRefused> {
        let object = Object::parse(claims.to_string().as_bytes()).unwrap_or_default();
        Times::read(&object, IssuedAt::Required)
    }

    #[test]
    fn a_time_of_another_type_is_refused_not_ignored() {
        for odd in [
            json!("1700000000"),
            json!(-1),
            json!(1e300),
            json!(253_402_300_800_u64),
            json!(u64::MAX),
            json!([1]),
            json!({}),
            json!(true),
            json!(null),
        ] {
            let exp = read(json!({"exp": odd, "iat": 1}));
            assert_eq!(exp, Err(ClaimsRefused::TimesMalformed), "exp {odd}");
            let nbf = read(json!({"exp": 1, "nbf": odd, "iat": 1}));
            assert_eq!(nbf, Err(ClaimsRefused::TimesMalformed), "nbf {odd}");
        }
    }

    #[test]
    fn only_iat_may_be_a_decimal_string() {
        assert!(read(json!({"exp": 1, "iat": "1924390800"})).is_ok());
        for odd in ["", "+1", "1e9", "0x1", "1.5", " 1", "9999999999999"] {
            let refused = read(json!({"exp": 1, "iat": odd}));
            assert_eq!(refused, Err(ClaimsRefused::TimesMalformed), "{odd}");
        }
        assert_eq!(read(json!({"exp": 1})), Err(ClaimsRefused::TimesMissing));
        assert_eq!(read(json!({"iat": 1})), Err(ClaimsRefused::TimesMissing));
    }

    #[test]
    fn the_leeway_is_exact_on_both_sides() {
        let times = read(json!({"exp": 1000, "nbf": 500, "iat": 1})).unwrap();
        let at = |now| times.hold(Timestamp(now), 60);
        assert_eq!(at(439), Err(ClaimsRefused::NotYetValid));
        assert_eq!(at(440), Ok(()));
        assert_eq!(at(1059), Ok(()));
        assert_eq!(at(1060), Err(ClaimsRefused::Expired));
    }

    #[test]
    fn a_fraction_is_cut_off() {
        assert_eq!(read(json!({"exp": 1000.9, "iat": 1})).unwrap().expires, Timestamp(1000));
    }

    #[test]
    fn a_token_for_longer_than_a_day_is_refused() {
        let lasting = |exp| read(json!({"exp": exp, "iat": 1})).unwrap();
        assert_eq!(lasting(86_460).are_short(Timestamp(0), 60), Ok(()));
        assert_eq!(lasting(86_461).are_short(Timestamp(0), 60), Err(ClaimsRefused::Lifetime));
    }
}
