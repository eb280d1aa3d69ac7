//! Whether a posted JWT of the older sign-in is SuperID's word about a tenant (`superid.md` §3.1).

use crate::clock::Timestamp;
use crate::config::AllowedAddresses;
use crate::identity::ContextId;

use super::claims::{Checked, Kind, VerifiedClaims, digits};
use super::failure::ClaimsRefused;
use super::jwks::KeySet;
use super::jwt::UnverifiedToken;
use super::times::{IssuedAt, Times};
use super::verify::{context, require};

/// What a legacy token must say.
#[derive(Clone, Copy)]
pub struct LegacyRules<'a> {
    /// Which of the tenant's addresses are believed.
    pub addresses: &'a AllowedAddresses,
    /// `SuperOffice AS`, or what a custom environment calls itself.
    pub issuer: &'a str,
    /// Seconds that two clocks may differ.
    pub leeway: u64,
    pub now: Timestamp,
    /// The serial number of a tenant, from anywhere but the token itself.
    pub serial: &'a dyn Fn(&ContextId) -> Option<String>,
}

/// Verifies a posted token. It says which tenant it is for, not which app: another app's token
/// for the same tenant passes too, and nothing in it could tell.
///
/// # Errors
/// [`ClaimsRefused`] with the first rule it breaks.
pub fn verify_legacy_token(
    token: &str,
    keys: &KeySet,
    rules: &LegacyRules<'_>,
) -> Result<VerifiedClaims, ClaimsRefused> {
    check(&UnverifiedToken::parse(token)?, keys, rules)
}

/// As [`verify_legacy_token`], for a token that has been taken apart already.
pub(super) fn check(
    token: &UnverifiedToken<'_>,
    keys: &KeySet,
    rules: &LegacyRules<'_>,
) -> Result<VerifiedClaims, ClaimsRefused> {
    let claims = token.claims(keys)?;
    require(claims.text("iss") == Some(rules.issuer), ClaimsRefused::Issuer)?;
    let context = context(&claims)?;
    let serial = (rules.serial)(&context).ok_or(ClaimsRefused::SerialUnknown)?;
    let audience = format!("spn:{serial}");
    require(claims.text("aud") == Some(audience.as_str()), ClaimsRefused::Audience)?;
    let stated = digits(&claims, "serial")?;
    require(stated.is_none_or(|stated| stated == serial), ClaimsRefused::Serial)?;
    let times = Times::read(&claims, IssuedAt::Optional)?;
    times.hold(rules.now, rules.leeway)?;
    times.are_short(rules.now, rules.leeway)?;
    let checked = Checked {
        addresses: rules.addresses,
        context,
        digest: token.digest(),
        expires: times.expires.plus(rules.leeway),
        kind: Kind::Legacy,
    };
    checked.take(claims)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::superid::claims::full;
    use crate::superid::minting::{KEY, keys};

    fn claims() -> Value {
        json!({
            "sub": "ada@example.com", "iss": "SuperOffice AS", "aud": "spn:1501052557",
            "nbf": 999_940, "exp": 1_000_300, full("ctx"): "Cust12345",
            full("serial"): "1501052557", full("ticket"): "7T:ticket", full("firstname"): "Ada",
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    fn verify(claims: &Value) -> Result<VerifiedClaims, ClaimsRefused> {
        let known = |context: &ContextId| {
            (context.as_str() == "Cust12345").then(|| "1501052557".to_owned())
        };
        let rules = LegacyRules {
            addresses: &AllowedAddresses::SuperOffice,
            issuer: "SuperOffice AS",
            leeway: 60,
            now: Timestamp(1_000_000),
            serial: &known,
        };
        verify_legacy_token(&KEY.token(claims), keys(), &rules)
    }

    #[test]
    fn a_good_token_brings_its_ticket() {
        let verified = verify(&claims()).unwrap();
        assert_eq!(verified.ticket().map(|ticket| ticket.reveal()), Some("7T:ticket"));
        assert_eq!(verified.principal(&[]).first_name.as_deref(), Some("Ada"));
        assert_ne!(verified.digest(), verify(&with("exp", json!(1_000_301))).unwrap().digest());
    }

    #[test]
    fn each_wrong_claim_has_its_own_refusal() {
        for (claims, expected) in [
            (with("iss", json!("https://sod.superoffice.com")), ClaimsRefused::Issuer),
            (with("aud", json!("spn:1")), ClaimsRefused::Audience),
            (with("aud", json!("spn:15010525570")), ClaimsRefused::Audience),
            (with("aud", json!(["spn:1501052557"])), ClaimsRefused::Audience),
            (with("aud", json!("client")), ClaimsRefused::Audience),
            (with(&full("serial"), json!("1")), ClaimsRefused::Serial),
            (with(&full("ctx"), json!("Cust1")), ClaimsRefused::SerialUnknown),
            (with(&full("ctx"), json!(12345)), ClaimsRefused::Context),
            (with("exp", json!(999_940)), ClaimsRefused::Expired),
            (with("exp", json!(null)), ClaimsRefused::TimesMalformed),
            (with("exp", json!(2_000_000)), ClaimsRefused::Lifetime),
            (with("nbf", json!(1_000_061)), ClaimsRefused::NotYetValid),
            (with("sub", json!("")), ClaimsRefused::Subject),
        ] {
            assert_eq!(verify(&claims).err(), Some(expected), "{claims}");
        }
    }

    #[test]
    fn a_tenant_nobody_told_us_of_is_refused_whatever_the_token_says() {
        let mut claims = with(&full("ctx"), json!("Cust777"));
        claims["aud"] = json!("spn:777");
        claims[full("serial")] = json!("777");
        assert_eq!(verify(&claims).err(), Some(ClaimsRefused::SerialUnknown));
    }
}
