//! SuperOffice's state-change notices: a hint which tenant to ask about, and nothing more
//! (`superid.md` §1).

use std::fmt;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::identity::ContextId;

use super::claims::full;
use super::failure::{ClaimsRefused, Outage};
use super::json::{Json, JsonRefused, Object};
use super::jwks::KeySet;
use super::jwt::UnverifiedToken;
use super::times::{IssuedAt, Times};
use super::verify::require;

/// A notice whose token is SuperOffice's. What became of the tenant is for the state API to tell: the
/// body is not signed, and its `PublicEndpoint` is not even read.
#[derive(Clone)]
pub struct TenantNotice {
    /// The tenant to ask about.
    pub tenant: ContextId,
    /// What the body says happened, for the log.
    pub change: TenantChange,
    digest: [u8; 32],
    expires: Timestamp,
}

/// What a notice says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantChange {
    BackupRestored,
    Delete,
    Move,
    /// A number that is not known here, or none.
    Other,
    Resume,
    Suspend,
    Upgrade,
}

/// Why a notice says nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoticeRefused {
    /// Not the JSON a notice is, or over 64 kB.
    #[error("the notice is not one")]
    Malformed,
    /// No relying party is registered in the environment.
    #[error("the environment has no relying party")]
    NotConfigured,
    /// SuperID's keys could not be had: whether the notice is true cannot be told.
    #[error("the notice cannot be verified now")]
    Outage(#[source] Arc<Outage>),
    /// Its token is not SuperOffice's, or not this tenant's.
    #[error("the token of the notice is not believed")]
    Untrusted(#[from] ClaimsRefused),
}

impl TenantNotice {
    /// A digest that names its token, for remembering that it was used: a token is good once.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// From when on the token would be refused, leeway included: how long to remember it.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }
}

impl fmt::Debug for TenantNotice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "TenantNotice({}, {:?})", self.tenant, self.change)
    }
}

/// A notice that nobody has verified.
pub(super) struct UnverifiedNotice {
    body: Object,
}

/// What the token must say.
pub(super) struct NoticeRules<'a> {
    pub(super) issuer: &'a str,
    pub(super) leeway: u64,
    pub(super) now: Timestamp,
}

impl UnverifiedNotice {
    pub(super) fn parse(body: &[u8]) -> Result<Self, NoticeRefused> {
        if body.len() > LARGEST {
            return Err(NoticeRefused::Malformed);
        }
        let body = Object::parse(body).map_err(|refused| match refused {
            JsonRefused::Duplicate => NoticeRefused::Untrusted(ClaimsRefused::DuplicateMember),
            JsonRefused::Malformed => NoticeRefused::Malformed,
        })?;
        Ok(Self { body })
    }

    pub(super) fn token(&self) -> Result<UnverifiedToken<'_>, NoticeRefused> {
        let token = self.body.text("Token").ok_or(NoticeRefused::Malformed)?;
        Ok(UnverifiedToken::parse(token)?)
    }

    /// Verifies the token. Whom it is for (`aud`) is not published, so it is not looked at: whoever
    /// else got the same notice can make us ask the state API, once, and nothing more.
    pub(super) fn check(
        &self,
        token: &UnverifiedToken<'_>,
        keys: &KeySet,
        rules: &NoticeRules<'_>,
    ) -> Result<TenantNotice, NoticeRefused> {
        let claims = token.claims(keys)?;
        require(claims.text("iss") == Some(rules.issuer), ClaimsRefused::Issuer)?;
        let times = Times::read(&claims, IssuedAt::Optional)?;
        times.hold(rules.now, rules.leeway)?;
        times.are_short(rules.now, rules.leeway)?;
        let named = self.body.text("ContextIdentifier").ok_or(NoticeRefused::Malformed)?;
        let tenant = ContextId::parse(named).map_err(|_| NoticeRefused::Malformed)?;
        if claims.has(&full("ctx")) {
            let stated = claims.text(&full("ctx")).and_then(|text| ContextId::parse(text).ok());
            require(stated.as_ref() == Some(&tenant), ClaimsRefused::WrongTenant)?;
        }
        Ok(TenantNotice {
            tenant,
            change: change(self.body.get("ChangeType")),
            digest: token.digest(),
            expires: times.expires.plus(rules.leeway),
        })
    }
}

fn change(stated: Option<&Json>) -> TenantChange {
    match stated {
        Some(Json::Whole(0)) => TenantChange::Upgrade,
        Some(Json::Whole(1)) => TenantChange::BackupRestored,
        Some(Json::Whole(2)) => TenantChange::Suspend,
        Some(Json::Whole(3)) => TenantChange::Resume,
        Some(Json::Whole(4)) => TenantChange::Delete,
        Some(Json::Whole(5)) => TenantChange::Move,
        _ => TenantChange::Other,
    }
}

const LARGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::superid::minting::{KEY, OTHER_KEY, keys};

    fn claims() -> Value {
        json!({
            "iss": "SuperOffice AS", "aud": "spn:1", "nbf": 999_940, "exp": 1_000_300,
            full("ctx"): "cust12345",
        })
    }

    fn verify(body: &Value) -> Result<TenantNotice, NoticeRefused> {
        let notice = UnverifiedNotice::parse(body.to_string().as_bytes())?;
        let rules = NoticeRules { issuer: "SuperOffice AS", leeway: 60, now: Timestamp(1_000_000) };
        notice.check(&notice.token()?, keys(), &rules)
    }

    fn body(claims: &Value) -> Value {
        json!({
            "ChangeType": 5, "ContextIdentifier": "Cust12345", "VersionName": "x",
            "FileVersion": "1", "Token": KEY.token(claims), "PublicEndpoint": "evil.example",
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        body(&claims)
    }

    fn refusal(body: &Value) -> Option<ClaimsRefused> {
        match verify(body) {
            Err(NoticeRefused::Untrusted(refused)) => Some(refused),
            Err(NoticeRefused::Malformed) => Some(ClaimsRefused::Malformed),
            Err(other) => panic!("{other}"),
            Ok(_) => None,
        }
    }

    #[test]
    fn a_signed_notice_names_a_tenant_and_nothing_to_believe() {
        let notice = verify(&body(&claims())).unwrap();
        assert_eq!(notice.tenant.as_str(), "Cust12345");
        assert_eq!(notice.change, TenantChange::Move);
        assert_eq!(notice.expires(), Timestamp(1_000_360));
        assert_ne!(notice.digest(), verify(&with("exp", json!(1_000_301))).unwrap().digest());
        assert_eq!(format!("{notice:?}"), "TenantNotice(Cust12345, Move)");
    }

    #[test]
    fn a_token_without_a_tenant_leaves_it_to_the_body() {
        let mut bare = claims();
        bare.as_object_mut().unwrap().remove(&full("ctx"));
        assert_eq!(verify(&body(&bare)).unwrap().tenant.as_str(), "Cust12345");
    }

    #[test]
    fn each_fault_has_its_own_refusal() {
        let mut stranger = body(&claims());
        stranger["Token"] = json!(OTHER_KEY.token(&claims()));
        let mut other = body(&claims());
        other["ContextIdentifier"] = json!("Cust1");
        let mut nobody = body(&claims());
        nobody["ContextIdentifier"] = json!("<uctx>");
        let mut bare = body(&claims());
        bare["Token"] = json!(null);
        for (body, expected) in [
            (stranger, ClaimsRefused::KeyUnknown),
            (other, ClaimsRefused::WrongTenant),
            (nobody, ClaimsRefused::Malformed),
            (bare, ClaimsRefused::Malformed),
            (json!([]), ClaimsRefused::Malformed),
            (with("iss", json!("https://sod.superoffice.com")), ClaimsRefused::Issuer),
            (with("exp", json!(999_940)), ClaimsRefused::Expired),
            (with("exp", json!(null)), ClaimsRefused::TimesMalformed),
            (with("exp", json!(9_000_000)), ClaimsRefused::Lifetime),
            (with("nbf", json!(1_000_061)), ClaimsRefused::NotYetValid),
            (with(&full("ctx"), json!("Cust1")), ClaimsRefused::WrongTenant),
            (with(&full("ctx"), json!(null)), ClaimsRefused::WrongTenant),
        ] {
            assert_eq!(refusal(&body), Some(expected), "{body}");
        }
        let large = json!({"Token": "x".repeat(70_000)});
        assert_eq!(refusal(&large), Some(ClaimsRefused::Malformed));
        let twice = br#"{"ContextIdentifier":"Cust1","ContextIdentifier":"Cust2"}"#;
        assert!(UnverifiedNotice::parse(twice).is_err());
    }
}
