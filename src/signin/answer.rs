//! An answer as the browser brought it, and nothing of it believed yet: which parts, by which way.

use serde::{Deserialize, Serialize};

use crate::config::{Parts, ResponseMode};
use crate::crypto::Secret;
use crate::identity::AccessToken;
use crate::web::{Fields, ReturnTo};

use super::failure::{Failed, Failure};
use super::said::{SOMEBODY, Said};

/// What came back. It may be held in a cookie on its way from a posted form to a page of ours.
#[derive(Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) mode: ResponseMode,
    pub(super) said: Option<Said>,
    /// Whose answer it says it is (RFC 9207 §2).
    pub(super) issuer: Option<String>,
    code: Option<Secret>,
    id_token: Option<Secret>,
    access_token: Option<Secret>,
    token_type: Option<String>,
    expires_in: Option<String>,
}

/// The parts that were asked for, each in a form that can be used.
pub(super) struct Brought<'a> {
    /// Whose answer it says it is.
    pub(super) issuer: Option<&'a str>,
    pub(super) code: Option<&'a str>,
    pub(super) id_token: Option<&'a str>,
    pub(super) access_token: Option<FrontAccess>,
}

/// An access token that came through the browser, and for how many seconds it is said to live.
pub(super) struct FrontAccess {
    pub(super) token: AccessToken,
    pub(super) seconds: u64,
}

/// Whether these fields are an answer of any kind, and not just a visit to its address.
pub fn is_answer(fields: &Fields) -> bool {
    ["access_token", "code", "error", "id_token", "state"]
        .into_iter()
        .any(|name| fields.get(name).is_some())
}

impl Answer {
    /// Takes the parts out of the fields. Others mean nothing: a fragment's `ctx` and `netserver_url`
    /// (`superid.md` §2) are nobody's signed word.
    pub(super) fn read(fields: &Fields, mode: ResponseMode) -> Self {
        let short = |name| fields.get(name).map(|text| text.chars().take(32).collect());
        let secret = |name| fields.get(name).map(|text| Secret::new(text.to_owned()));
        Self {
            mode,
            said: Said::in_answer(fields),
            issuer: fields.get("iss").map(|text| text.chars().take(256).collect()),
            code: secret("code"),
            id_token: secret("id_token"),
            access_token: secret("access_token"),
            token_type: short("token_type"),
            expires_in: short("expires_in"),
        }
    }

    /// What there is to say about a sign-in that cannot go on: the error it brought, if it brought
    /// one, else `failed`.
    pub(super) fn or(&self, failed: Failed) -> Failed {
        match &self.said {
            Some(said) => {
                let again = Some(failed.again.unwrap_or_else(ReturnTo::root));
                Failed { again, cookies: failed.cookies, ..said.failed(SOMEBODY) }
            }
            None => failed,
        }
    }

    /// Whether it is no error and has an id_token, which names its issuer.
    pub(super) fn has_id_token(&self) -> bool {
        self.said.is_none() && self.id_token.is_some()
    }

    /// The parts, if they are those that were asked for, no fewer and no more.
    ///
    /// # Errors
    /// [`Failed`] says which is missing, was not asked for, or cannot be used.
    pub(super) fn parts(&self, asked: Parts) -> Result<Brought<'_>, Failed> {
        Ok(Brought {
            issuer: self.issuer.as_deref(),
            code: part("code", asked, self.code.as_ref())?
                .map(|code| usable("code", code, is_code))
                .transpose()?,
            id_token: part("id_token", asked, self.id_token.as_ref())?,
            access_token: part("access_token", asked, self.access_token.as_ref())?
                .map(|token| self.front_access(token))
                .transpose()?,
        })
    }

    /// RFC 6749 §4.2.2; more than an hour counts as an hour, because nobody has signed the number
    /// and SuperID's tokens live that long (`superid.md` §4).
    fn front_access(&self, token: &str) -> Result<FrontAccess, Failed> {
        let bearer =
            self.token_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
        let seconds = self.expires_in.as_deref().and_then(seconds);
        match (AccessToken::parse(token), bearer, seconds) {
            (Ok(token), true, Some(seconds)) => Ok(FrontAccess { token, seconds }),
            _ => {
                let detail = "an answer without a usable access_token, token_type or expires_in";
                Err(Failed::new(Failure::BadRequest, detail))
            }
        }
    }
}

fn part<'a>(
    name: &str,
    asked: Parts,
    there: Option<&'a Secret>,
) -> Result<Option<&'a str>, Failed> {
    let asked = match name {
        "access_token" => asked.token,
        "code" => asked.code,
        _ => asked.id_token,
    };
    match (asked, there) {
        (true, Some(part)) => Ok(Some(part.reveal())),
        (true, None) => {
            let detail = format!("an answer without the {name} that was asked for");
            Err(Failed::new(Failure::BadRequest, detail))
        }
        (false, Some(_)) => {
            let detail = format!("an answer with the {name} that nobody asked for");
            Err(Failed::new(Failure::Unverified, detail))
        }
        (false, None) => Ok(None),
    }
}

fn usable<'a>(name: &str, part: &'a str, is: fn(&str) -> bool) -> Result<&'a str, Failed> {
    match is(part) {
        true => Ok(part),
        false => {
            Err(Failed::new(Failure::BadRequest, format!("an answer without a usable {name}")))
        }
    }
}

fn is_code(code: &str) -> bool {
    (1..=512).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_graphic())
}

fn seconds(text: &str) -> Option<u64> {
    let digits = (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let stated: u64 = text.parse().ok().filter(|_| digits)?;
    (stated > 0).then_some(stated.min(AN_HOUR))
}

const AN_HOUR: u64 = 3_600;
