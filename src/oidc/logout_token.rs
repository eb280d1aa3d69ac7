//! Whether a logout token proves that a provider has ended a session, or all of a person's (OpenID
//! Connect Back-Channel Logout §2.6).

use crate::clock::Timestamp;
use crate::config::Provider;
use crate::superid::{
    ClaimsRefused, IssuedAt, Json, KeySet, Times, UnverifiedToken, is_sole_audience,
};

use super::id_token::{check_owner, is_subject, issuer, require};

/// What a logout token must say.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) provider: &'a Provider,
    /// Ours, and the only audience.
    pub(super) client_id: &'a str,
    /// Seconds that two clocks may differ.
    pub(super) leeway: u64,
    pub(super) now: Timestamp,
}

/// A verified logout token's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Farewell {
    /// The token's own issuer: a directory's, where the provider has many.
    pub issuer: String,
    pub whose: Whose,
    /// A digest that names this token, for remembering that it was used.
    pub digest: [u8; 32],
    /// From when on the token would be refused, leeway included: how long to remember it.
    pub expires: Timestamp,
}

/// Which sessions are over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// All of the person with this `sub`.
    Subject(String),
    /// What the provider's session of this `sid` led to.
    Session(String),
}

/// Checks every claim of a token, after its signature. A token of another kind, whatever it was made
/// for, has no such event, and most have a nonce.
pub(super) fn check(
    token: &UnverifiedToken<'_>,
    keys: &KeySet,
    rules: &Rules<'_>,
) -> Result<Farewell, ClaimsRefused> {
    let claims = token.claims(keys)?;
    let issuer = issuer(&claims, rules.provider)?;
    check_owner((token, keys), (&issuer, claims.text("tid")))?;
    require(is_sole_audience(&claims, rules.client_id), ClaimsRefused::Audience)?;
    let times = Times::read(&claims, IssuedAt::Required)?;
    times.hold(rules.now, rules.leeway)?;
    times.are_short(rules.now, rules.leeway)?;
    require(!claims.has("nonce"), ClaimsRefused::Nonce)?;
    let event = match claims.get("events") {
        Some(Json::Object(events)) => events.get(EVENT),
        _ => None,
    };
    require(matches!(event, Some(Json::Object(_))), ClaimsRefused::Event)?;
    let named = claims.text("jti").is_some_and(|id| (1..=255).contains(&id.len()));
    require(named, ClaimsRefused::TokenId)?;
    let subject = claims.text("sub").filter(|subject| is_subject(subject));
    require(!claims.has("sub") || subject.is_some(), ClaimsRefused::Subject)?;
    let sid = claims.text("sid").filter(|sid| (1..=255).contains(&sid.len()));
    require(!claims.has("sid") || sid.is_some(), ClaimsRefused::Session)?;
    let whose = match (sid, subject) {
        (Some(sid), _) => Whose::Session(sid.to_owned()),
        (None, Some(subject)) => Whose::Subject(subject.to_owned()),
        (None, None) => return Err(ClaimsRefused::Session),
    };
    let expires = times.expires.plus(rules.leeway);
    Ok(Farewell { issuer, whose, digest: token.digest(), expires })
}

/// §2.4.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
