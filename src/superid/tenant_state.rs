//! Where a tenant lives and whether it is well: SuperID's state API (`superid.md` §1).

use std::sync::Arc;

use http::StatusCode;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Url;

use crate::clock::Timestamp;
use crate::config::{AllowedAddresses, Environment};
use crate::identity::ContextId;
use crate::telemetry::Endpoint;

use super::addresses::believed;
use super::asked::asked;
use super::counted::Counted;
use super::failure::Outage;
use super::json::{Json, Object};

/// What the state API says about one tenant, after it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantState {
    pub condition: Condition,
    /// When SuperID wants to be asked again; `None` where it does not say so readably.
    pub valid_until: Option<Timestamp>,
}

/// How a tenant is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It answers calls, at these addresses.
    Usable(TenantAddresses),
    /// It does not, and this is why.
    Unusable(Unusable),
}

/// Where a usable tenant lives. Both addresses are under one origin that the environment allows, begin
/// with the tenant's name and end in `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantAddresses {
    /// Base of the REST web services: `https://online3.superoffice.com/Cust12345/api/`.
    pub api: Url,
    /// Base of everything of the tenant's: `https://online3.superoffice.com/Cust12345/`.
    pub root: Url,
}

/// Why a tenant cannot be called, in SuperOffice's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unusable {
    /// `Deleted`, `Deleting` or `DeleteFailed`.
    Deleted,
    /// `OfflineMaintenance`: minutes, normally.
    Maintenance,
    /// `MigrationPending`: days or weeks.
    Migrating,
    /// It says `Running` and that it is not, or a word that is not known here.
    Other,
    /// `Provisioning` or `ProvisioningFailed`: not there yet.
    Provisioning,
    Suspended,
    /// SuperOffice knows no such tenant.
    Unknown,
}

/// Why nothing is known of a tenant.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StateFailed {
    /// The environment has no state API.
    #[error("the environment has no tenant_state_url")]
    NotConfigured,
    /// SuperID's, or the way to it: trying again later may help.
    #[error("the state of the tenant could not be asked for")]
    Outage(#[source] Arc<Outage>),
    /// The answer names another tenant than the one asked about.
    #[error("the state is that of another tenant")]
    OtherTenant,
    /// The tenant runs, and none of its addresses is one the environment allows.
    #[error("the tenant's address is not one that this environment allows")]
    Unbelieved,
}

impl From<Outage> for StateFailed {
    fn from(outage: Outage) -> Self {
        Self::Outage(Arc::new(outage))
    }
}

/// Asks for a tenant's state.
pub(super) async fn ask(
    back_channel: &Counted,
    environment: &Environment,
    tenant: &ContextId,
) -> Result<TenantState, StateFailed> {
    let url = environment.tenant_state(tenant).ok_or(StateFailed::NotConfigured)?;
    let asked = asked(back_channel.get(Endpoint::TenantState, &url)).await;
    let answer = asked.map_err(Outage::from)?;
    if answer.status != StatusCode::OK {
        return Err(Outage::Status(answer.status.as_u16()).into());
    }
    read(&answer.body, tenant, &environment.addresses)
}

fn read(
    body: &[u8],
    tenant: &ContextId,
    allowed: &AllowedAddresses,
) -> Result<TenantState, StateFailed> {
    let answer = Object::parse(body).map_err(|_| Outage::Unreadable)?;
    let stated = answer.text("ContextIdentifier").ok_or(Outage::Unreadable)?;
    if ContextId::parse(stated).ok().as_ref() != Some(tenant) {
        return Err(StateFailed::OtherTenant);
    }
    let running = match answer.get("IsRunning") {
        Some(Json::Bool(running)) => *running,
        _ => return Err(Outage::Unreadable.into()),
    };
    let state = answer.text("State").ok_or(Outage::Unreadable)?;
    let condition = match (unusable(state), running) {
        (None, true) => Condition::Usable(addresses(&answer, tenant, allowed)?),
        (None, false) => Condition::Unusable(Unusable::Other),
        (Some(why), _) => Condition::Unusable(why),
    };
    Ok(TenantState { condition, valid_until: answer.text("ValidUntil").and_then(moment) })
}

/// What a state keeps the tenant from, if anything.
fn unusable(state: &str) -> Option<Unusable> {
    Some(match state {
        "Running" | "OnlineMaintenance" => return None,
        "DeleteFailed" | "Deleted" | "Deleting" => Unusable::Deleted,
        "MigrationPending" => Unusable::Migrating,
        "OfflineMaintenance" => Unusable::Maintenance,
        "Provisioning" | "ProvisioningFailed" => Unusable::Provisioning,
        "Suspended" => Unusable::Suspended,
        "Unknown" => Unusable::Unknown,
        _ => Unusable::Other,
    })
}

/// The addresses that are believed. Either may be missing and then follows from the other; two that
/// are there have to be in one place, since one origin is what a tenant's credentials go to.
fn addresses(
    answer: &Object,
    tenant: &ContextId,
    allowed: &AllowedAddresses,
) -> Result<TenantAddresses, StateFailed> {
    let stated = |name: &str| match answer.text(name) {
        Some(text) => {
            let address = believed(text, tenant, allowed).ok_or(StateFailed::Unbelieved)?;
            Url::parse(&address).map(Some).map_err(|_| StateFailed::Unbelieved)
        }
        None => Ok(None),
    };
    let (api, root) = match (stated("Api")?, stated("Endpoint")?) {
        (Some(api), Some(root)) => (api, root),
        (Some(api), None) => {
            let root = api.join("../").map_err(|_| StateFailed::Unbelieved)?;
            (api, root)
        }
        (None, Some(root)) => {
            let api = root.join("api/").map_err(|_| StateFailed::Unbelieved)?;
            (api, root)
        }
        (None, None) => return Err(StateFailed::Unbelieved),
    };
    let inside = root.path().trim_matches('/').split('/').next();
    let own = inside.is_some_and(|first| first.eq_ignore_ascii_case(tenant.as_str()));
    match own && api.origin() == root.origin() {
        true => Ok(TenantAddresses { api, root }),
        false => Err(StateFailed::Unbelieved),
    }
}

/// ISO 8601 in UTC; SuperOffice writes seven fractional digits.
fn moment(text: &str) -> Option<Timestamp> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(time.unix_timestamp()).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answer() -> Value {
        json!({
            "ContextIdentifier": "Cust12345",
            "Endpoint": "https://online.superoffice.com/Cust12345",
            "State": "Running", "IsRunning": true,
            "ValidUntil": "2020-10-05T09:52:01.9342965Z",
            "Api": "https://online.superoffice.com/Cust12345/api",
        })
    }

    fn with(changes: &[(&str, Value)]) -> Result<TenantState, StateFailed> {
        let mut answer = answer();
        for (name, value) in changes {
            answer[*name] = value.clone();
        }
        let tenant = ContextId::parse("cust12345").unwrap();
        read(answer.to_string().as_bytes(), &tenant, &AllowedAddresses::SuperOffice)
    }

    fn places(changes: &[(&str, Value)]) -> Option<[String; 2]> {
        match with(changes).ok()?.condition {
            Condition::Usable(at) => Some([at.api.into(), at.root.into()]),
            Condition::Unusable(_) => None,
        }
    }

    #[test]
    fn the_published_answer_is_read() {
        let state = with(&[]).unwrap();
        assert_eq!(state.valid_until, Some(Timestamp(1_601_891_521)));
        let expected = [
            "https://online.superoffice.com/Cust12345/api/".to_owned(),
            "https://online.superoffice.com/Cust12345/".to_owned(),
        ];
        assert_eq!(places(&[]), Some(expected.clone()));
        for missing in ["Api", "Endpoint"] {
            assert_eq!(places(&[(missing, json!(null))]), Some(expected.clone()), "{missing}");
        }
        let ported = json!("https://online.superoffice.com:443/Cust12345/api");
        assert_eq!(places(&[("Api", ported)]), Some(expected));
        assert_eq!(with(&[("ValidUntil", json!("soon"))]).unwrap().valid_until, None);
    }

    #[test]
    fn every_state_has_its_meaning() {
        for (state, running, expected) in [
            ("OnlineMaintenance", true, None),
            ("OfflineMaintenance", false, Some(Unusable::Maintenance)),
            ("Suspended", false, Some(Unusable::Suspended)),
            ("Suspended", true, Some(Unusable::Suspended)),
            ("Deleted", false, Some(Unusable::Deleted)),
            ("Deleting", false, Some(Unusable::Deleted)),
            ("DeleteFailed", false, Some(Unusable::Deleted)),
            ("Provisioning", false, Some(Unusable::Provisioning)),
            ("ProvisioningFailed", false, Some(Unusable::Provisioning)),
            ("MigrationPending", false, Some(Unusable::Migrating)),
            ("Unknown", false, Some(Unusable::Unknown)),
            ("Running", false, Some(Unusable::Other)),
            ("running", true, Some(Unusable::Other)),
            ("Sleeping", true, Some(Unusable::Other)),
        ] {
            let state = with(&[("State", json!(state)), ("IsRunning", json!(running))]).unwrap();
            match (state.condition, expected) {
                (Condition::Usable(_), None) => {}
                (Condition::Unusable(why), Some(expected)) => assert_eq!(why, expected),
                (condition, expected) => panic!("{condition:?} is not {expected:?}"),
            }
        }
    }

    #[test]
    fn an_answer_about_another_tenant_is_refused() {
        for other in ["Cust1234", "Cust123456", "Customer", ""] {
            let refused = with(&[("ContextIdentifier", json!(other))]).unwrap_err();
            assert!(matches!(refused, StateFailed::OtherTenant), "{other}");
        }
    }

    #[test]
    fn an_address_elsewhere_is_not_believed() {
        for (name, address) in [
            ("Api", "http://online.superoffice.com/Cust12345/api"),
            ("Api", "https://online.superoffice.com/Cust1/api"),
            ("Api", "https://evil.example/Cust12345/api"),
            ("Api", "https://online.superoffice.com:8443/Cust12345/api"),
            ("Api", "https://127.0.0.1/Cust12345/api"),
            ("Endpoint", "https://online.superoffice.com/"),
            ("Endpoint", "https://online2.superoffice.com/Cust12345"),
        ] {
            let refused = with(&[(name, json!(address))]).unwrap_err();
            assert!(matches!(refused, StateFailed::Unbelieved), "{name} {address}");
        }
        let neither = [("Api", json!(null)), ("Endpoint", json!(null))];
        assert!(matches!(with(&neither), Err(StateFailed::Unbelieved)));
        let too_near =
            [("Api", json!("https://online.superoffice.com/Cust12345")), ("Endpoint", json!(null))];
        assert!(matches!(with(&too_near), Err(StateFailed::Unbelieved)));
    }

    #[test]
    fn what_is_no_state_is_an_outage() {
        for changes in [
            [("State", json!(2))],
            [("State", json!(null))],
            [("IsRunning", json!("true"))],
            [("ContextIdentifier", json!(null))],
        ] {
            assert!(matches!(with(&changes), Err(StateFailed::Outage(_))), "{changes:?}");
        }
        let tenant = ContextId::parse("Cust1").unwrap();
        for body in ["", "<html>", "[]", r#"{"State":"Running","State":"Deleted"}"#] {
            let read = read(body.as_bytes(), &tenant, &AllowedAddresses::SuperOffice);
            assert!(matches!(read, Err(StateFailed::Outage(_))), "{body}");
        }
    }
}
