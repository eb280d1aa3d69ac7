//! Who may use the API: whoever has one of `admin.tokens`, and has not failed too often lately.

use std::net::IpAddr;

use http::{HeaderMap, header};

use crate::clock::Timestamp;
use crate::config::AdminToken;
use crate::limits::Failures;
use crate::web::Subscriber;

use super::reply::{Reason, Refusal};

/// Keeps count of who failed.
#[derive(Debug, Default)]
pub(super) struct Gate(Failures);

impl Gate {
    /// The name of the credential somebody brings.
    ///
    /// # Errors
    /// There is none, it is none of ours, or there were too many of those from this address: then the right one
    /// does not help either, until the minute is over.
    pub(super) fn pass(
        &self,
        tokens: &[AdminToken],
        headers: &HeaderMap,
        (from, now): (IpAddr, Timestamp),
    ) -> Result<String, Refusal> {
        if tokens.is_empty() {
            let message = "the admin API is off: the configuration has no admin.tokens";
            return Err(Refusal::new(Reason::AdminApiOff, message));
        }
        let who = Subscriber::of(from).number();
        if let Err(seconds) = self.0.may_try(who, now) {
            let message = format!("too many wrong credentials came from there; wait {seconds} s");
            let refusal = Refusal::new(Reason::TooManyFailures, message);
            return Err(Refusal { retry_after: Some(seconds), ..refusal });
        }
        let Some(given) = bearer(headers) else {
            self.0.failed(who, now);
            let message = "no credential: send Authorization: Bearer and one of admin.tokens";
            return Err(Refusal::new(Reason::NotAuthenticated, message));
        };
        // Each of them is looked at, whichever fits.
        let fitting = tokens.iter().filter(|token| token.matches(given));
        fitting.fold(None, |_, token| Some(token)).map(AdminToken::name).ok_or_else(|| {
            self.0.failed(who, now);
            Refusal::new(Reason::NotAuthenticated, "the credential is none of admin.tokens")
        })
    }
}

/// RFC 6750 §2.1; one header, and no other way of bringing it.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut every = headers.get_all(header::AUTHORIZATION).iter();
    let (only, None) = (every.next()?, every.next()) else { return None };
    let (scheme, given) = only.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !given.is_empty()).then_some(given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Secret;

    const NOW: Timestamp = Timestamp(1_000);
    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn token(letter: &str) -> AdminToken {
        AdminToken::new(Secret::new(letter.repeat(32))).unwrap()
    }

    fn asking(words: &[&str]) -> HeaderMap {
        let pairs = words.iter().map(|word| (header::AUTHORIZATION, word.parse().unwrap()));
        pairs.collect::<Vec<_>>().into_iter().fold(HeaderMap::new(), |mut all, (name, value)| {
            all.append(name, value);
            all
        })
    }

    #[test]
    fn any_of_the_credentials_passes_and_nothing_that_is_like_one() {
        let (tokens, right) = ([token("a"), token("b")], "b".repeat(32));
        let pass = |words: &[&str]| Gate::default().pass(&tokens, &asking(words), (HOME, NOW));
        assert_eq!(pass(&[&format!("bearer {right}")]), Ok(tokens[1].name()));
        let fine = format!("Bearer {right}");
        for wrong in [
            &[][..],
            &[&*right],
            &[&format!("Basic {right}")],
            &["Bearer "],
            &[&format!("Bearer {right}b")],
            &[&format!("Bearer  {right}")],
            &[&fine, &fine],
        ] {
            assert_eq!(pass(wrong).unwrap_err().reason, Reason::NotAuthenticated, "{wrong:?}");
        }
        let none = Gate::default().pass(&[], &asking(&[&fine]), (HOME, NOW));
        assert_eq!(none.unwrap_err().reason, Reason::AdminApiOff);
    }

    #[test]
    fn after_too_many_failures_the_right_credential_has_to_wait_too() {
        let (gate, tokens) = (Gate::default(), [token("a")]);
        let right = asking(&[&format!("Bearer {}", "a".repeat(32))]);
        for _ in 0..Failures::MOST {
            assert!(gate.pass(&tokens, &right, (HOME, NOW)).is_ok());
            assert!(gate.pass(&tokens, &asking(&["Bearer x"]), (HOME, NOW)).is_err());
        }
        let refused = gate.pass(&tokens, &right, (HOME, NOW)).unwrap_err();
        assert_eq!((refused.reason, refused.retry_after), (Reason::TooManyFailures, Some(60)));
        assert!(gate.pass(&tokens, &right, ("192.0.2.1".parse().unwrap(), NOW)).is_ok());
        assert!(gate.pass(&tokens, &right, (HOME, NOW.plus(Failures::MINUTE))).is_ok());
    }
}
