//! The query of a list: what it is about, where it begins and how long it may be.

use crate::gateway::Site;
use crate::identity::ContextId;
use crate::web::Fields;

use super::reply::Refusal;

/// What a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub tenant: Option<ContextId>,
    /// By the name SuperID has for them.
    pub person: Option<String>,
    /// The environment or provider that vouched for them.
    pub authority: Option<String>,
    /// What `next` of the page before said.
    pub after: Option<String>,
    pub limit: usize,
}

impl Asked {
    /// Reads a query with these parameters and no others.
    ///
    /// # Errors
    /// A parameter is unknown, given twice, or not what it has to be.
    pub(super) fn read(query: Option<&str>, known: &[&str]) -> Result<Self, Refusal> {
        let query = query.unwrap_or_default().as_bytes();
        let fields =
            Fields::parse(query).map_err(|twice| Refusal::bad_request(twice.to_string()))?;
        let stranger = form_urlencoded::parse(query).find(|(name, _)| !known.contains(&&**name));
        if let Some((name, _)) = stranger {
            let name: String = name.chars().take(SHOWN).collect();
            return Err(Refusal::bad_request(format!("there is no parameter {name:?}")));
        }
        let tenant = fields.get("tenant").map(tenant).transpose()?;
        let person = fields.get("person").map(person).transpose()?;
        let authority = fields.get("authority").map(str::to_owned);
        let after = fields.get("after").map(cursor).transpose()?;
        let limit = fields.get("limit").map_or(Ok(USUAL), limit)?;
        Ok(Self { tenant, person, authority, after, limit })
    }

    /// What of it the audit log has.
    pub(super) fn detail(&self) -> Option<String> {
        let tenant = self.tenant.as_ref().map(|tenant| format!("tenant {tenant}"));
        let person = self.person.as_ref().map(|person| format!("person {person}"));
        let words: Vec<String> = tenant.into_iter().chain(person).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// Who may have vouched for those a request is about: one, or everybody who signs people in.
///
/// # Errors
/// The configuration has none of this name.
pub(super) fn authorities(site: &Site, named: Option<&str>) -> Result<Vec<String>, Refusal> {
    let parties = site.settings.relying_parties.iter();
    let mut every: Vec<String> = parties.map(|party| party.authority.name().to_owned()).collect();
    every.sort_unstable();
    every.dedup();
    match named {
        None => Ok(every),
        Some(named) if every.iter().any(|one| one == named) => Ok(vec![named.to_owned()]),
        Some(_) => {
            let every = every.join(", ");
            Err(Refusal::bad_request(format!("an authority is one of {every}")))
        }
    }
}

/// A tenant's name.
///
/// # Errors
/// It is none.
pub(super) fn tenant(text: &str) -> Result<ContextId, Refusal> {
    let wrong = |_| Refusal::bad_request("a tenant is Cust and 1 to 18 digits");
    ContextId::parse(text).map_err(wrong)
}

/// A person's name.
///
/// # Errors
/// It is empty, or longer than any.
pub(super) fn person(text: &str) -> Result<String, Refusal> {
    match text.len() {
        1..=LONGEST => Ok(text.to_owned()),
        _ => Err(Refusal::bad_request(format!("a person has 1 to {LONGEST} bytes"))),
    }
}

fn cursor(text: &str) -> Result<String, Refusal> {
    match text.len() {
        1..=LONGEST_CURSOR => Ok(text.to_owned()),
        _ => Err(Refusal::bad_request("after is not what next said")),
    }
}

fn limit(text: &str) -> Result<usize, Refusal> {
    let read = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
    read.ok_or_else(|| Refusal::bad_request(format!("limit is a number from 1 to {MOST}")))
}

/// Entries of a page, unless it is said.
pub(super) const USUAL: usize = 50;
/// Entries of a page at most.
pub(super) const MOST: usize = 200;
/// Bytes of a person's name: an e-mail address has 320 at most.
const LONGEST: usize = 512;
const LONGEST_CURSOR: usize = 1_024;
const SHOWN: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_whole_or_refused() {
        let known = ["tenant", "person", "limit", "after"];
        let read = |query| Asked::read(Some(query), &known);
        let asked = read("tenant=cust7&person=a%40b&limit=200&after=x").unwrap();
        assert_eq!(asked.detail().unwrap(), "tenant Cust7, person a@b");
        assert_eq!((asked.limit, asked.after.as_deref()), (200, Some("x")));
        assert_eq!(Asked::read(None, &known).unwrap().limit, USUAL);
        let long = format!("person={}", "x".repeat(513));
        for wrong in [
            "tenant=7",
            "tenant=Cust7&tenant=Cust8",
            "tenants=Cust7",
            "Tenant=Cust7",
            "person=",
            "limit=0",
            "limit=201",
            "limit=x",
            "after=",
            &long,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(Asked::read(Some("person=a"), &["tenant"]).is_err());
    }
}
