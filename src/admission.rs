//! Who of another provider's people may in, and who they are to the apps.

use std::fmt;

use crate::config::{MappedPerson, People};
use crate::identity::{ContextId, Principal};

/// Somebody a provider vouches for, in its own words: each is fit to be shown and put in a header.
#[derive(Clone, Debug)]
pub struct Newcomer<'a> {
    pub issuer: &'a str,
    /// Names a person together with the issuer.
    pub subject: &'a str,
    /// Microsoft's directory, which its issuer is allowed to speak for.
    pub directory: Option<String>,
    /// Google's hosted domain.
    pub hosted_domain: Option<String>,
    /// An address somebody has checked.
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
}

/// Somebody whom a provider knows and we do not: what a mapping would have to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    pub issuer: String,
    pub subject: String,
}

impl fmt::Display for Stranger {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "subject {:?} of {}", self.subject, self.issuer)
    }
}

/// The person, without claims of a route's rules.
///
/// # Errors
/// [`Stranger`] when nothing of [`People`] names them.
pub fn admit(people: &People, newcomer: Newcomer<'_>) -> Result<Principal, Stranger> {
    let mapped =
        people.mapping.as_ref().and_then(|mapping| mapping.find(newcomer.issuer, newcomer.subject));
    let tenant = match mapped {
        Some(person) => Some(&person.tenant),
        None => tenant(people, &newcomer),
    };
    let Some(tenant) = tenant else {
        let (issuer, subject) = (newcomer.issuer.to_owned(), newcomer.subject.to_owned());
        return Err(Stranger { issuer, subject });
    };
    let mut principal = described(newcomer, tenant.clone());
    if let Some(person) = mapped {
        overwrite(&mut principal, person);
    }
    Ok(principal)
}

fn tenant<'p>(people: &'p People, newcomer: &Newcomer<'_>) -> Option<&'p ContextId> {
    let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_ascii_lowercase());
    let directory = lower(&newcomer.directory).and_then(|id| people.directories.get(&id));
    let hosted =
        || lower(&newcomer.hosted_domain).and_then(|domain| people.hosted_domains.get(&domain));
    let addressed = || {
        let (_, domain) = newcomer.email.as_ref()?.rsplit_once('@')?;
        people.email_domains.get(&domain.to_ascii_lowercase())
    };
    directory.or_else(hosted).or_else(addressed)
}

/// What the provider says. Subjects of two issuers may be the same, so the issuer is a part of the
/// name: no issuer has a `#` in it.
fn described(newcomer: Newcomer<'_>, context: ContextId) -> Principal {
    Principal {
        subject: format!("{}#{}", newcomer.issuer, newcomer.subject),
        context,
        serial: None,
        company: None,
        email: newcomer.email,
        initials: None,
        first_name: newcomer.first_name,
        last_name: newcomer.last_name,
        associate_id: None,
        administrator: false,
        web_api_url: None,
        soap_url: None,
        claims: Vec::new(),
    }
}

fn overwrite(principal: &mut Principal, person: &MappedPerson) {
    let fields = [
        (&mut principal.email, &person.email),
        (&mut principal.first_name, &person.first_name),
        (&mut principal.last_name, &person.last_name),
        (&mut principal.initials, &person.initials),
        (&mut principal.company, &person.company),
    ];
    for (field, mapped) in fields {
        if mapped.is_some() {
            field.clone_from(mapped);
        }
    }
    if let Some(name) = &person.name {
        principal.subject.clone_from(name);
    }
    principal.associate_id = person.associate_id.map(|id| id.to_string());
    principal.administrator = person.administrator;
}
