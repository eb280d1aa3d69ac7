//! What is over from now on: a person's sessions, a tenant's, all that a key has sealed, or everything.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::crypto::KeyId;
use crate::gateway::Site;
use crate::identity::ContextId;
use crate::session::{NotSpread, SessionId, What};
use crate::telemetry::Revocation;

use super::asked::{authorities, person, tenant};
use super::reply::{Done, Refusal};

/// What is posted. Without an authority it is about everybody's who signs people in.
#[derive(Debug, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
enum Posted {
    Everything {},
    Key { key: String },
    Person { person: String, tenant: Option<String>, authority: Option<String> },
    ProviderSession { authority: String, issuer: String, sid: String },
    Session { id: String },
    Tenant { tenant: String, authority: Option<String> },
}

/// The same, read.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Everything,
    Key(KeyId),
    Person(String, Option<ContextId>),
    ProviderSession { issuer: String, sid: String },
    Session(SessionId),
    Tenant(ContextId),
}

/// Revokes what is posted.
///
/// # Errors
/// It is no document of these, or names what there is not.
pub(super) async fn revoke(site: &Site, body: &Bytes) -> Result<Done, Refusal> {
    let wrong = |error: serde_json::Error| Refusal::bad_request(format!("the document: {error}"));
    let posted: Posted = serde_json::from_slice(body).map_err(wrong)?;
    let (asked, authority) = posted.read()?;
    let authorities = authorities(site, authority.as_deref())?;
    let named = authority.map(|authority| format!(" of {authority}")).unwrap_or_default();
    let detail = format!("{}{named}", asked.detail());
    let mut spread: Result<(), NotSpread> = Ok(());
    for authority in asked.each(&authorities) {
        let told = site.revocations().revoke(asked.what(authority), site.clock.now()).await;
        spread = spread.and(told);
    }
    site.metrics.sessions().revoked(asked.counted());
    Ok(Done::of(json!({ "revoked": asked.word() }), Some(detail)).spread(spread))
}

impl Posted {
    fn read(self) -> Result<(Asked, Option<String>), Refusal> {
        Ok(match self {
            Self::Everything {} => (Asked::Everything, None),
            Self::Key { key } => (Asked::Key(key_id(&key)?), None),
            Self::Person { person: who, tenant: of, authority } => {
                let of = of.as_deref().map(tenant).transpose()?;
                (Asked::Person(person(&who)?, of), authority)
            }
            Self::ProviderSession { authority, issuer, sid } => {
                (Asked::ProviderSession { issuer, sid }, Some(authority))
            }
            Self::Session { id } => {
                let id = SessionId::parse(&id);
                let none = || Refusal::bad_request("an id of a session has 22 characters");
                (Asked::Session(id.ok_or_else(none)?), None)
            }
            Self::Tenant { tenant: of, authority } => (Asked::Tenant(tenant(&of)?), authority),
        })
    }
}

impl Asked {
    fn what<'a>(&'a self, authority: &'a str) -> What<'a> {
        match self {
            Self::Everything => What::Everything,
            Self::Key(key) => What::Key(*key),
            Self::Person(subject, tenant) => {
                What::Person { authority, subject, tenant: tenant.as_ref() }
            }
            Self::ProviderSession { issuer, sid } => {
                What::ProviderSession { authority, issuer, sid }
            }
            Self::Session(id) => What::Session(*id),
            Self::Tenant(tenant) => What::Tenant { authority, tenant },
        }
    }

    /// The authorities it has to be said of; one will do where it is of none.
    fn each<'a>(&self, authorities: &'a [String]) -> &'a [String] {
        match self {
            Self::Everything | Self::Key(_) | Self::Session(_) => &authorities[..1],
            Self::Person(..) | Self::ProviderSession { .. } | Self::Tenant(_) => authorities,
        }
    }

    fn counted(&self) -> Revocation {
        match self {
            Self::Everything => Revocation::Everything,
            Self::Key(_) => Revocation::Key,
            Self::Person(..) => Revocation::Person,
            Self::ProviderSession { .. } => Revocation::ProviderSession,
            Self::Session(_) => Revocation::Session,
            Self::Tenant(_) => Revocation::Tenant,
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::Key(_) => "key",
            Self::Person(..) => "person",
            Self::ProviderSession { .. } => "provider_session",
            Self::Session(_) => "session",
            Self::Tenant(_) => "tenant",
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Everything => "everything".to_owned(),
            Self::Key(key) => {
                let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("key {key}")
            }
            Self::Person(who, None) => format!("person {who}"),
            Self::Person(who, Some(tenant)) => format!("person {who}, tenant {tenant}"),
            Self::ProviderSession { issuer, .. } => format!("a session of {issuer}"),
            Self::Session(id) => format!("session {id}"),
            Self::Tenant(tenant) => format!("tenant {tenant}"),
        }
    }
}

/// Eight hexadecimal digits.
fn key_id(text: &str) -> Result<KeyId, Refusal> {
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let read = u32::from_str_radix(text, 16).ok().filter(|_| digits);
    let wrong = || Refusal::bad_request("a key's name has 8 hexadecimal digits");
    read.map(u32::to_be_bytes).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Asked, Option<String>)> {
        serde_json::from_str::<Posted>(text).ok()?.read().ok()
    }

    #[test]
    fn what_is_posted_says_all_that_counts_and_nothing_beside_it() {
        let tenant = ContextId::parse("Cust7").unwrap();
        let person = Asked::Person("a@b".to_owned(), Some(tenant));
        let text = r#"{"what":"person","person":"a@b","tenant":"cust7","authority":"sod"}"#;
        assert_eq!(read(text), Some((person, Some("sod".to_owned()))));
        assert_eq!(read(r#"{"what":"everything"}"#), Some((Asked::Everything, None)));
        let key = Asked::Key([0, 0xab, 0xcd, 0xef]);
        assert_eq!(read(r#"{"what":"key","key":"00abCDef"}"#), Some((key, None)));
        for wrong in [
            "",
            "[]",
            r#"{"what":"nobody"}"#,
            // Whoever means a tenant must not end everybody's.
            r#"{"what":"everything","tenant":"Cust7"}"#,
            r#"{"what":"tenant","tenants":"Cust7"}"#,
            r#"{"what":"tenant","tenant":"7"}"#,
            r#"{"what":"tenant","tenant":"Cust7","person":"a@b"}"#,
            r#"{"what":"person","person":""}"#,
            r#"{"what":"session","id":"short"}"#,
            r#"{"what":"key","key":"+0abcdef"}"#,
            r#"{"what":"provider_session","sid":"s"}"#,
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
