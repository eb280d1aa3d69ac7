//! Whether an id_token proves that somebody has just signed in with us (`superid.md` §4).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use crate::clock::Timestamp;
use crate::config::AllowedAddresses;
use crate::identity::ContextId;

use super::claims::{Checked, Kind, VerifiedClaims, full};
use super::failure::ClaimsRefused;
use super::json::{Json, Object};
use super::jwks::KeySet;
use super::jwt::{UnverifiedToken, sha256};
use super::times::{IssuedAt, Times};

/// What an id_token must say.
#[derive(Clone, Copy, Debug)]
pub struct IdTokenRules<'a> {
    /// The access token it came with, and what `at_hash` must say of it.
    pub access_token: Hashed<'a>,
    /// Which of the tenant's addresses are believed.
    pub addresses: &'a AllowedAddresses,
    /// Ours, and the only audience.
    pub client_id: &'a str,
    /// The code it was redeemed for or came with, and what `c_hash` must say of it.
    pub code: Hashed<'a>,
    /// The environment's, exactly.
    pub issuer: &'a str,
    /// Seconds that two clocks may differ.
    pub leeway: u64,
    pub nonce: Nonce<'a>,
    pub now: Timestamp,
    /// The tenant that was asked for, if any.
    pub tenant: Option<&'a ContextId>,
}

/// Which nonce an id_token must have.
#[derive(Clone, Copy, Debug)]
pub enum Nonce<'a> {
    /// Any or none: the token came in return for a refresh token, over a channel nobody else is on,
    /// and SuperID puts none into it (OpenID Connect Core §12.2, `superid.md` §4).
    NotAsked,
    /// This sign-in's, not empty.
    Sent(&'a str),
}

/// What an id_token's hash of something says (OpenID Connect Core §3.1.3.6, §3.3.2.11).
#[derive(Clone, Copy, Debug)]
pub enum Hashed<'a> {
    /// The right thing, if anything: SuperID's token endpoint sends no hashes.
    IfStated(&'a str),
    /// There is nothing it could be of.
    Nothing,
    /// The right thing: what came through the browser is tied to nothing else.
    Stated(&'a str),
}

impl Nonce<'_> {
    /// Whether these claims have it.
    pub(crate) fn is_in(self, claims: &Object) -> bool {
        let Self::Sent(nonce) = self else { return true };
        let stated = claims.text("nonce").unwrap_or_default();
        !nonce.is_empty() && bool::from(stated.as_bytes().ct_eq(nonce.as_bytes()))
    }
}

/// Verifies an id_token: form, header, signature, then every claim.
///
/// # Errors
/// [`ClaimsRefused`] with the first rule it breaks.
pub fn verify_id_token(
    token: &str,
    keys: &KeySet,
    rules: &IdTokenRules<'_>,
) -> Result<VerifiedClaims, ClaimsRefused> {
    check(&UnverifiedToken::parse(token)?, keys, rules)
}

/// As [`verify_id_token`], for a token that has been taken apart already.
pub(super) fn check(
    token: &UnverifiedToken<'_>,
    keys: &KeySet,
    rules: &IdTokenRules<'_>,
) -> Result<VerifiedClaims, ClaimsRefused> {
    let claims = token.claims(keys)?;
    require(claims.text("iss") == Some(rules.issuer), ClaimsRefused::Issuer)?;
    require(is_sole_audience(&claims, rules.client_id), ClaimsRefused::Audience)?;
    let party = !claims.has("azp") || claims.text("azp") == Some(rules.client_id);
    require(party, ClaimsRefused::AuthorizedParty)?;
    let times = Times::read(&claims, IssuedAt::Required)?;
    times.hold(rules.now, rules.leeway)?;
    require(rules.nonce.is_in(&claims), ClaimsRefused::Nonce)?;
    times.are_short(rules.now, rules.leeway)?;
    require(is_hash(&claims, "c_hash", rules.code), ClaimsRefused::CodeHash)?;
    require(is_hash(&claims, "at_hash", rules.access_token), ClaimsRefused::AccessTokenHash)?;
    let context = context(&claims)?;
    let asked = rules.tenant.is_none_or(|tenant| *tenant == context);
    require(asked, ClaimsRefused::WrongTenant)?;
    let checked = Checked {
        addresses: rules.addresses,
        context,
        digest: token.digest(),
        expires: times.expires.plus(rules.leeway),
        kind: Kind::IdToken,
    };
    checked.take(claims)
}

/// Nothing when the condition holds, else the refusal.
#[expect(clippy::fn_params_excessive_bools, reason = "the condition itself is what is passed")]
pub(super) fn require(holds: bool, otherwise: ClaimsRefused) -> Result<(), ClaimsRefused> {
    if holds { Ok(()) } else { Err(otherwise) }
}

/// The `ctx` claim.
pub(super) fn context(claims: &Object) -> Result<ContextId, ClaimsRefused> {
    let stated = claims.text(&full("ctx")).ok_or(ClaimsRefused::Context)?;
    ContextId::parse(stated).map_err(|_| ClaimsRefused::Context)
}

/// Ours as a string, or a list of nothing else; published tokens name us twice. Another audience
/// beside us is refused: it could pass the token on to us.
pub(crate) fn is_sole_audience(claims: &Object, client_id: &str) -> bool {
    let ours = |value: &Json| matches!(value, Json::Text(text) if text == client_id);
    match claims.get("aud") {
        Some(Json::Array(all)) => !all.is_empty() && all.iter().all(ours),
        Some(single) => ours(single),
        None => false,
    }
}

/// Base64url of the left half of SHA-256 (OpenID Connect Core §3.1.3.6).
fn is_hash(claims: &Object, name: &str, hashed: Hashed<'_>) -> bool {
    let is_of = |what: &str| {
        let left_half = URL_SAFE_NO_PAD.encode(&sha256(what.as_bytes())[..16]);
        claims.text(name) == Some(left_half.as_str())
    };
    match hashed {
        Hashed::IfStated(what) => !claims.has(name) || is_of(what),
        Hashed::Nothing => true,
        Hashed::Stated(what) => is_of(what),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::superid::minting::{KEY, OTHER_KEY, keys};

    fn rules() -> IdTokenRules<'static> {
        IdTokenRules {
            access_token: Hashed::IfStated("8A:Cust12345.token"),
            addresses: &AllowedAddresses::SuperOffice,
            client_id: "client",
            code: Hashed::IfStated("code"),
            issuer: "https://sod.superoffice.com",
            leeway: 60,
            nonce: Nonce::Sent("nonce"),
            now: Timestamp(1_000_000),
            tenant: None,
        }
    }

    fn claims() -> Value {
        json!({
            "sub": "ada@example.com", "iss": "https://sod.superoffice.com", "aud": "client",
            "iat": 1_000_000, "nbf": 999_940, "exp": 1_000_300, "nonce": "nonce",
            full("ctx"): "cust12345", full("serial"): "1501052557", full("associateid"): "7",
            full("is_administrator"): "True", full("email"): "ada@example.com",
            full("webapi_url"): "https://sod2.superoffice.com/Cust12345/api/",
            full("netserver_url"): "https://evil.example/Cust12345/Remote/",
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    fn without(name: &str) -> Value {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        claims
    }

    fn refusal(claims: &Value) -> Option<ClaimsRefused> {
        verify_id_token(&KEY.token(claims), keys(), &rules()).err()
    }

    #[test]
    fn a_good_token_tells_who_signed_in() {
        let verified = verify_id_token(&KEY.token(&claims()), keys(), &rules()).unwrap();
        let person = verified.principal(&[]);
        assert_eq!(person.subject, "ada@example.com");
        assert_eq!(person.context.as_str(), "Cust12345");
        assert!(person.administrator);
        assert_eq!(
            person.web_api_url.as_deref(),
            Some("https://sod2.superoffice.com/Cust12345/api/")
        );
        assert_eq!(person.soap_url, None, "an address elsewhere is left out, not followed");
        assert_eq!(verified.expires(), Timestamp(1_000_360));
    }

    #[test]
    fn each_wrong_claim_has_its_own_refusal() {
        for (claims, expected) in [
            (with("iss", json!("https://online.superoffice.com")), ClaimsRefused::Issuer),
            (with("iss", json!("https://sod.superoffice.com/")), ClaimsRefused::Issuer),
            (with("iss", json!(["https://sod.superoffice.com"])), ClaimsRefused::Issuer),
            (with("iss", json!("SuperOffice AS")), ClaimsRefused::Issuer),
            (without("iss"), ClaimsRefused::Issuer),
            (with("aud", json!("other")), ClaimsRefused::Audience),
            (with("aud", json!(["client", "other"])), ClaimsRefused::Audience),
            (with("aud", json!([])), ClaimsRefused::Audience),
            (with("aud", json!([["client"]])), ClaimsRefused::Audience),
            (with("aud", json!({"client": 1})), ClaimsRefused::Audience),
            (without("aud"), ClaimsRefused::Audience),
            (with("azp", json!("other")), ClaimsRefused::AuthorizedParty),
            (with("azp", json!(["client"])), ClaimsRefused::AuthorizedParty),
            (with("exp", json!(999_940)), ClaimsRefused::Expired),
            (with("exp", json!("1000300")), ClaimsRefused::TimesMalformed),
            (with("exp", json!(1_086_461)), ClaimsRefused::Lifetime),
            (without("exp"), ClaimsRefused::TimesMissing),
            (without("iat"), ClaimsRefused::TimesMissing),
            (with("nbf", json!(1_000_061)), ClaimsRefused::NotYetValid),
            (with("nonce", json!("other")), ClaimsRefused::Nonce),
            (with("nonce", json!("")), ClaimsRefused::Nonce),
            (with("nonce", json!(["nonce"])), ClaimsRefused::Nonce),
            (without("nonce"), ClaimsRefused::Nonce),
            (with("c_hash", json!("AAAA")), ClaimsRefused::CodeHash),
            (with("at_hash", json!(null)), ClaimsRefused::AccessTokenHash),
            (with("sub", json!("")), ClaimsRefused::Subject),
            (without("sub"), ClaimsRefused::Subject),
            (with(&full("ctx"), json!("Cust1/../Cust2")), ClaimsRefused::Context),
            (without(&full("ctx")), ClaimsRefused::Context),
            (with(&full("associateid"), json!("7; drop")), ClaimsRefused::Digits),
        ] {
            assert_eq!(refusal(&claims), Some(expected), "{claims}");
        }
    }

    #[test]
    fn what_is_merely_odd_is_taken() {
        for claims in [
            with("aud", json!(["client", "client"])),
            with("azp", json!("client")),
            with("iat", json!("1924390800")),
            with("iat", json!(1_924_390_800)),
            without("nbf"),
            with("c_hash", json!(URL_SAFE_NO_PAD.encode(&sha256(b"code")[..16]))),
            with("at_hash", json!(URL_SAFE_NO_PAD.encode(&sha256(b"8A:Cust12345.token")[..16]))),
        ] {
            assert_eq!(refusal(&claims), None, "{claims}");
        }
    }

    #[test]
    fn another_tenant_than_asked_for_is_refused() {
        let (asked, other) =
            (ContextId::parse("CUST12345").unwrap(), ContextId::parse("Cust1").unwrap());
        let token = KEY.token(&claims());
        let verify = |tenant| {
            verify_id_token(&token, keys(), &IdTokenRules { tenant: Some(tenant), ..rules() })
        };
        assert!(verify(&asked).is_ok());
        assert_eq!(verify(&other).err(), Some(ClaimsRefused::WrongTenant));
    }

    #[test]
    fn what_came_through_the_browser_has_to_be_hashed() {
        let hash = |of: &str| json!(URL_SAFE_NO_PAD.encode(&sha256(of.as_bytes())[..16]));
        let rules = IdTokenRules {
            access_token: Hashed::Stated("token"),
            code: Hashed::Stated("code"),
            ..rules()
        };
        let refusal = |c_hash: Value, at_hash: Value| {
            let mut claims = claims();
            (claims["c_hash"], claims["at_hash"]) = (c_hash, at_hash);
            verify_id_token(&KEY.token(&claims), keys(), &rules).err()
        };
        assert_eq!(refusal(hash("code"), hash("token")), None);
        for wrong in [json!(null), json!(""), hash("other"), hash("token")] {
            assert_eq!(refusal(wrong, hash("token")), Some(ClaimsRefused::CodeHash));
        }
        for wrong in [json!(null), json!([hash("token")]), hash("other"), hash("code")] {
            assert_eq!(refusal(hash("code"), wrong), Some(ClaimsRefused::AccessTokenHash));
        }
        let bare = verify_id_token(&KEY.token(&claims()), keys(), &rules).err();
        assert_eq!(bare, Some(ClaimsRefused::CodeHash));
    }

    #[test]
    fn an_empty_nonce_of_ours_never_matches() {
        let rules = IdTokenRules { nonce: Nonce::Sent(""), ..rules() };
        let refused = verify_id_token(&KEY.token(&without("nonce")), keys(), &rules).err();
        assert_eq!(refused, Some(ClaimsRefused::Nonce));
    }

    #[test]
    fn another_key_under_the_same_name_is_refused() {
        let header = json!({"alg": "RS256", "kid": KEY.kid});
        let token = OTHER_KEY.sign(&header, claims().to_string().as_bytes());
        let refused = verify_id_token(&token, keys(), &rules()).err();
        assert_eq!(refused, Some(ClaimsRefused::Signature));
    }

    #[test]
    fn a_claim_twice_is_refused() {
        let twice = claims().to_string().replacen('{', r#"{"sub":"eve@example.com","#, 1);
        let token = KEY.sign(&json!({"alg": "RS256"}), twice.as_bytes());
        let refused = verify_id_token(&token, keys(), &rules()).err();
        assert_eq!(refused, Some(ClaimsRefused::DuplicateMember));
    }
}
