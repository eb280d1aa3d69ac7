//! Whether an id_token proves that a provider has just signed somebody in for us.

use crate::clock::Timestamp;
use crate::config::{Provider, is_directory};
use crate::superid::{
    ClaimsRefused, IssuedAt, Json, KeySet, Nonce, Object, Times, UnverifiedToken, is_sole_audience,
    left_half,
};

use super::vouched::Vouched;

/// What an id_token must say (OpenID Connect Core §3.1.3.7).
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) provider: &'a Provider,
    /// Ours, and the only audience.
    pub(super) client_id: &'a str,
    /// This sign-in's, not empty.
    pub(super) nonce: Nonce<'a>,
    pub(super) code: Beside<'a>,
    pub(super) access_token: Beside<'a>,
    /// Seconds that two clocks may differ.
    pub(super) leeway: u64,
    pub(super) now: Timestamp,
}

/// What came with a token, and whether the token must name it by its hash.
#[derive(Clone, Copy)]
pub(super) enum Beside<'a> {
    /// From the provider itself: a hash that is there must be right (§3.1.3.6).
    BackChannel(&'a str),
    /// Through the browser: a hash must be there (§3.3.2.11, §3.2.2.9).
    FrontChannel(&'a str),
    Nothing,
}

/// Checks every claim of a token, after its signature.
pub(super) fn check(
    token: &UnverifiedToken<'_>,
    keys: &KeySet,
    rules: &Rules<'_>,
) -> Result<Vouched, ClaimsRefused> {
    let claims = token.claims(keys)?;
    let issuer = issuer(&claims, rules.provider)?;
    check_owner((token, keys), (&issuer, claims.text("tid")))?;
    require(is_sole_audience(&claims, rules.client_id), ClaimsRefused::Audience)?;
    let party = !claims.has("azp") || claims.text("azp") == Some(rules.client_id);
    require(party, ClaimsRefused::AuthorizedParty)?;
    let times = Times::read(&claims, IssuedAt::Required)?;
    times.hold(rules.now, rules.leeway)?;
    let ahead = matches!(claims.get("iat"), Some(Json::Whole(at))
        if Timestamp(*at) > rules.now.plus(rules.leeway));
    require(!ahead, ClaimsRefused::NotYetValid)?;
    require(rules.nonce.is_in(&claims), ClaimsRefused::Nonce)?;
    times.are_short(rules.now, rules.leeway)?;
    let named = |name, beside| names(token, &claims, (name, beside));
    require(named("c_hash", rules.code), ClaimsRefused::CodeHash)?;
    require(named("at_hash", rules.access_token), ClaimsRefused::AccessTokenHash)?;
    let subject = claims.text("sub").filter(|subject| is_subject(subject));
    Ok(Vouched {
        issuer,
        subject: subject.ok_or(ClaimsRefused::Subject)?.to_owned(),
        digest: token.digest(),
        expires: times.expires.plus(rules.leeway),
        claims,
    })
}

/// Whether the key is one this issuer signs with, where the keys say whose each is, as Microsoft's do:
/// the issuer, or a pattern of it for each directory.
pub(super) fn check_owner(
    (token, keys): (&UnverifiedToken<'_>, &KeySet),
    (issuer, directory): (&str, Option<&str>),
) -> Result<(), ClaimsRefused> {
    let Some(owner) = keys.find(token.key()).and_then(|key| key.issuer()) else { return Ok(()) };
    let owner = owner.replace(Provider::DIRECTORY, directory.unwrap_or_default());
    require(owner == issuer, ClaimsRefused::KeyUnknown)
}

/// The configured issuer letter by letter; where each directory has its own, that of the directory
/// the token names.
pub(super) fn issuer(claims: &Object, provider: &Provider) -> Result<String, ClaimsRefused> {
    let stated = claims.text("iss").ok_or(ClaimsRefused::Issuer)?;
    if !provider.has_directories() {
        require(stated == provider.issuer, ClaimsRefused::Issuer)?;
        return Ok(stated.to_owned());
    }
    let directory =
        claims.text("tid").filter(|id| is_directory(id)).ok_or(ClaimsRefused::Directory)?;
    let own = provider.issuer.replace(Provider::DIRECTORY, directory);
    require(stated == own, ClaimsRefused::Directory)?;
    Ok(own)
}

/// At most 255 ASCII characters (OpenID Connect Core §2), all of them visible.
pub(super) fn is_subject(subject: &str) -> bool {
    (1..=255).contains(&subject.len())
        && subject.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

fn names(token: &UnverifiedToken<'_>, claims: &Object, (name, beside): (&str, Beside<'_>)) -> bool {
    let is = |of: &str| claims.text(name) == Some(left_half(token.algorithm(), of).as_str());
    match beside {
        Beside::BackChannel(of) => !claims.has(name) || is(of),
        Beside::FrontChannel(of) => is(of),
        Beside::Nothing => true,
    }
}

/// Nothing when the condition holds, else the refusal.
#[expect(clippy::fn_params_excessive_bools, reason = "the condition itself is what is passed")]
pub(super) fn require(holds: bool, otherwise: ClaimsRefused) -> Result<(), ClaimsRefused> {
    if holds { Ok(()) } else { Err(otherwise) }
}
