//! Verified claims: the proof that SuperID said so, and what it said.

use std::fmt;

use crate::clock::Timestamp;
use crate::config::AllowedAddresses;
use crate::identity::{ContextId, Principal, SystemUserToken, Ticket};

use super::addresses::believed;
use super::failure::ClaimsRefused;
use super::json::{Json, Object};

/// Who signed in, as a token says that passed every check. Only this module's parent makes one.
#[derive(Clone)]
pub struct VerifiedClaims {
    principal: Principal,
    claims: Object,
    ticket: Option<Ticket>,
    system_token: Option<SystemUserToken>,
    digest: [u8; 32],
    expires: Timestamp,
}

impl VerifiedClaims {
    /// The person, with those of their claims that are named: a list gives an entry for each
    /// item, numbers and truth values their JSON spelling, and claims over 1,024 bytes nothing.
    pub fn principal(&self, kept_claims: &[String]) -> Principal {
        let mut principal = self.principal.clone();
        for name in kept_claims {
            let values = self.claims.get(name).into_iter().flat_map(spellings);
            principal.claims.extend(values.map(|value| (name.clone(), value)));
        }
        principal
    }

    /// Whether both are about one person of one tenant; each is by the issuer it was asked for.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.principal, &other.principal);
        ours.subject == theirs.subject && ours.context == theirs.context
    }

    /// The tenant they signed in to.
    pub fn context(&self) -> &ContextId {
        &self.principal.context
    }

    /// The tenant's ticket; only a posted token's is believed.
    pub fn ticket(&self) -> Option<&Ticket> {
        self.ticket.as_ref()
    }

    /// What the tenant's system user acts by; only an administrator's token is believed to bring it
    /// (`superid.md` §7: nobody else consents).
    pub fn system_token(&self) -> Option<&SystemUserToken> {
        self.system_token.as_ref()
    }

    /// A digest that names this token, for remembering that it was used.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// From when on the token would be refused, leeway included: how long to remember it.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// The tenant's serial number, digits.
    pub fn serial(&self) -> Option<&str> {
        self.principal.serial.as_deref()
    }
}

impl fmt::Debug for VerifiedClaims {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "VerifiedClaims({})", self.principal.context)
    }
}

/// What has been checked of a token, by the caller, before its claims are taken out.
pub(super) struct Checked<'a> {
    pub(super) addresses: &'a AllowedAddresses,
    pub(super) context: ContextId,
    pub(super) digest: [u8; 32],
    /// When it will be refused.
    pub(super) expires: Timestamp,
    pub(super) kind: Kind,
}

/// Which kind of token was checked; they carry different claims (`superid.md` §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    IdToken,
    Legacy,
}

impl Checked<'_> {
    /// Takes the claims out, with the credentials among them put away.
    pub(super) fn take(self, mut claims: Object) -> Result<VerifiedClaims, ClaimsRefused> {
        let principal = self.person(&claims)?;
        let ticket = match self.kind {
            Kind::IdToken => None,
            Kind::Legacy => claims.text(&full("ticket")).and_then(|text| Ticket::parse(text).ok()),
        };
        let system_token = claims
            .text(&full("system_token"))
            .filter(|_| principal.administrator)
            .and_then(|text| SystemUserToken::parse(text).ok());
        for credential in ["refresh_token", "system_token", "ticket"] {
            claims.remove(&full(credential));
        }
        let Self { digest, expires, .. } = self;
        Ok(VerifiedClaims { principal, claims, ticket, system_token, digest, expires })
    }

    fn person(&self, claims: &Object) -> Result<Principal, ClaimsRefused> {
        let text = |suffix: &str| plain(claims.text(&full(suffix))).map(str::to_owned);
        let named = |suffix| match self.kind {
            Kind::IdToken => None,
            Kind::Legacy => text(suffix),
        };
        let address = |suffix: &str| {
            claims.text(&full(suffix)).and_then(|url| believed(url, &self.context, self.addresses))
        };
        Ok(Principal {
            subject: self.subject(claims)?,
            context: self.context.clone(),
            serial: digits(claims, "serial")?,
            company: text("company_name"),
            email: text("email").filter(|email| is_address(email)),
            initials: text("initials"),
            first_name: named("firstname"),
            last_name: named("lastname"),
            associate_id: digits(claims, "associateid")?,
            administrator: is_true(claims.get(&full("is_administrator"))),
            web_api_url: address("webapi_url"),
            soap_url: address("netserver_url"),
            claims: Vec::new(),
        })
    }

    /// `sub`; for a legacy token without one, `upn`, which equals it (`superid.md` §3.2).
    fn subject(&self, claims: &Object) -> Result<String, ClaimsRefused> {
        let stated = match (self.kind, claims.has("sub")) {
            (Kind::Legacy, false) => claims.text(&full("upn")),
            _ => claims.text("sub"),
        };
        // 255 ASCII characters are the most an issuer may give (OpenID Connect Core §2).
        let usable = plain(stated).filter(|subject| subject.len() <= 255);
        usable.map(str::to_owned).ok_or(ClaimsRefused::Subject)
    }
}

/// A claim's full name.
pub(super) fn full(suffix: &str) -> String {
    format!("http://schemes.superoffice.net/identity/{suffix}")
}

/// A number as SuperID writes it: a string of digits. An empty one counts as absent.
pub(super) fn digits(claims: &Object, suffix: &str) -> Result<Option<String>, ClaimsRefused> {
    match claims.get(&full(suffix)) {
        None => Ok(None),
        Some(Json::Text(text)) if text.is_empty() => Ok(None),
        Some(Json::Text(text))
            if text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Ok(Some(text.clone()))
        }
        Some(Json::Whole(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(ClaimsRefused::Digits),
    }
}

/// Text that can be shown, logged and put in a header: not empty, bounded, no control characters.
fn plain(text: Option<&str>) -> Option<&str> {
    text.filter(|text| (1..=LONGEST).contains(&text.len()) && !text.chars().any(char::is_control))
}

/// One `@` with something on either side and no blank: enough that no reader sees two addresses.
pub(crate) fn is_address(text: &str) -> bool {
    let mut parts = text.split('@');
    let both = [parts.next(), parts.next()].iter().all(|part| part.is_some_and(|p| !p.is_empty()));
    both && parts.next().is_none() && !text.contains(char::is_whitespace)
}

/// `True` in any case (`superid.md` §3.2), or JSON's own; everything else is no.
fn is_true(value: Option<&Json>) -> bool {
    match value {
        Some(Json::Bool(value)) => *value,
        Some(Json::Text(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

/// A claim as rules compare it: an entry for each item of a list, nothing that cannot be shown.
pub(crate) fn spellings(value: &Json) -> Vec<String> {
    match value {
        Json::Array(items) => items.iter().filter_map(spelling).collect(),
        single => spelling(single).into_iter().collect(),
    }
}

fn spelling(value: &Json) -> Option<String> {
    match value {
        Json::Bool(value) => Some(value.to_string()),
        Json::Number(number) => Some(number.to_string()),
        Json::Text(text) => plain(Some(text)).map(str::to_owned),
        Json::Whole(number) => Some(number.to_string()),
        Json::Array(_) | Json::Null | Json::Object(_) => None,
    }
}

const LONGEST: usize = 1024;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn take(kind: Kind, claims: Value) -> Result<VerifiedClaims, ClaimsRefused> {
        let checked = Checked {
            addresses: &AllowedAddresses::SuperOffice,
            context: ContextId::parse("Cust12345").unwrap(),
            digest: [0; 32],
            expires: Timestamp(0),
            kind,
        };
        let mut named = serde_json::Map::new();
        for (name, value) in claims.as_object().unwrap() {
            let name = if name == "sub" { name.clone() } else { full(name) };
            named.insert(name, value.clone());
        }
        checked.take(Object::parse(Value::Object(named).to_string().as_bytes()).unwrap_or_default())
    }

    fn person(claims: Value) -> Principal {
        take(Kind::IdToken, claims).unwrap().principal(&[])
    }

    #[test]
    fn tickets_and_names_are_read_from_posted_tokens_only() {
        let claims = json!({"sub": "u", "ticket": "7T:x", "firstname": "Ada", "lastname": "L"});
        let posted = take(Kind::Legacy, claims.clone()).unwrap();
        assert_eq!(posted.ticket().map(Ticket::reveal), Some("7T:x"));
        assert_eq!(posted.principal(&[]).first_name.as_deref(), Some("Ada"));
        let redeemed = take(Kind::IdToken, claims).unwrap();
        assert!(redeemed.ticket().is_none());
        assert_eq!(redeemed.principal(&[]).first_name, None);
    }

    #[test]
    fn administrators_are_those_it_says_are() {
        for yes in [json!("True"), json!("true"), json!(true)] {
            assert!(person(json!({"sub": "u", "is_administrator": yes})).administrator);
        }
        for no in [json!("False"), json!("yes"), json!(1), json!(false), json!(["True"]), json!("")]
        {
            assert!(!person(json!({"sub": "u", "is_administrator": no})).administrator, "{no}");
        }
        assert!(!person(json!({"sub": "u"})).administrator);
    }

    #[test]
    fn a_system_user_token_is_believed_of_an_administrator_alone() {
        for kind in [Kind::IdToken, Kind::Legacy] {
            let token = |administrator: &str, text: &str| {
                let claims = json!({
                    "sub": "u", "is_administrator": administrator, "system_token": text,
                });
                let claims = take(kind, claims).unwrap();
                claims.system_token().map(|token| token.reveal().to_owned())
            };
            assert_eq!(token("True", "Demo App-a1b2").as_deref(), Some("Demo App-a1b2"));
            assert_eq!(token("False", "Demo App-a1b2"), None);
            for odd in ["", "Demo.App-a1b2", "Demo App-a1b2\n", "Dem\u{f6}"] {
                assert_eq!(token("True", odd), None, "{odd}");
            }
        }
    }

    #[test]
    fn an_address_that_could_be_two_is_dropped() {
        for odd in ["a@b@c", "a b@c", "a@b\r\nX: y", "@b", "a@", "a", ""] {
            assert_eq!(person(json!({"sub": "u", "email": odd})).email, None, "{odd}");
        }
        assert!(person(json!({"sub": "u", "email": "a@b.example"})).email.is_some());
    }

    #[test]
    fn a_person_needs_a_usable_name() {
        for odd in [json!(""), json!(1), json!(null), json!("a\nb"), json!("x".repeat(256))] {
            let refused = take(Kind::IdToken, json!({"sub": odd})).err();
            assert_eq!(refused, Some(ClaimsRefused::Subject), "{odd}");
        }
        let upn = json!({"upn": "ada@example.com"});
        assert_eq!(take(Kind::IdToken, upn.clone()).err(), Some(ClaimsRefused::Subject));
        let posted = take(Kind::Legacy, upn).unwrap();
        assert_eq!(posted.principal(&[]).subject, "ada@example.com");
    }

    #[test]
    fn numbers_are_digits_or_refused() {
        for odd in [json!("-1"), json!("1 2"), json!("1".repeat(21)), json!([]), json!(1.5)] {
            let refused = take(Kind::IdToken, json!({"sub": "u", "associateid": odd})).err();
            assert_eq!(refused, Some(ClaimsRefused::Digits), "{odd}");
        }
        let person = person(json!({"sub": "u", "associateid": 12, "serial": "0123"}));
        assert_eq!(person.associate_id.as_deref(), Some("12"));
        assert_eq!(person.serial.as_deref(), Some("0123"));
    }

    #[test]
    fn kept_claims_are_the_named_ones_and_never_credentials() {
        let claims = take(
            Kind::IdToken,
            json!({"sub": "u", "role": ["a", "b", {}], "level": 3, "ticket": "t", "other": "x",
                "system_token": "s"}),
        )
        .unwrap();
        let kept = ["role", "level", "ticket", "system_token", "absent"].map(full);
        assert_eq!(
            claims.principal(&kept).claims,
            [(full("role"), "a".into()), (full("role"), "b".into()), (full("level"), "3".into())]
        );
        assert_eq!(format!("{claims:?}"), "VerifiedClaims(Cust12345)");
    }

    #[test]
    fn text_with_control_characters_or_without_end_is_dropped() {
        let odd = json!({"sub": "u", "company_name": "A\u{0}B", "initials": "x".repeat(1025)});
        assert_eq!((person(odd.clone()).company, person(odd).initials), (None, None));
    }
}
