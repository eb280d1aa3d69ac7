//! Who of a provider's people may in, and who they are to the apps.

use crate::config::{MappedPerson, Membership, People};
use crate::identity::{ContextId, Principal};
use crate::superid::is_address;

use super::failure::{ProviderFailed, Stranger};
use super::vouched::Vouched;

/// The person, with those of their claims that are named.
///
/// # Errors
/// [`ProviderFailed::NotLetIn`] when nothing of [`People`] names them.
pub(super) fn admit(
    membership: &Membership,
    vouched: &Vouched,
    kept_claims: &[String],
) -> Result<Principal, ProviderFailed> {
    let people = &membership.people;
    let mapped = people
        .mapping
        .as_ref()
        .and_then(|mapping| mapping.find(vouched.issuer(), vouched.subject()));
    let tenant = match mapped {
        Some(person) => Some(&person.tenant),
        None => tenant(people, vouched),
    };
    let Some(tenant) = tenant else {
        let (issuer, subject) = (vouched.issuer().to_owned(), vouched.subject().to_owned());
        return Err(ProviderFailed::NotLetIn(Stranger { issuer, subject }));
    };
    let mut principal = described(vouched, tenant.clone());
    if let Some(person) = mapped {
        overwrite(&mut principal, person);
    }
    for name in kept_claims {
        let values = vouched.values(name).into_iter();
        principal.claims.extend(values.map(|value| (name.clone(), value)));
    }
    Ok(principal)
}

fn tenant<'p>(people: &'p People, vouched: &Vouched) -> Option<&'p ContextId> {
    let named = |name: &str| vouched.text(name).map(|text| text.to_ascii_lowercase());
    let directory = named("tid").and_then(|id| people.directories.get(&id));
    directory.or_else(|| named("hd").and_then(|domain| people.hosted_domains.get(&domain))).or_else(
        || {
            let address = vouched.verified_email().filter(|email| is_address(email))?;
            let (_, domain) = address.rsplit_once('@')?;
            people.email_domains.get(&domain.to_ascii_lowercase())
        },
    )
}

/// What the provider says. Subjects of two issuers may be the same, so the issuer is a part of the
/// name: no issuer has a `#` in it. An address counts only where the provider has checked it.
fn described(vouched: &Vouched, context: ContextId) -> Principal {
    Principal {
        subject: format!("{}#{}", vouched.issuer(), vouched.subject()),
        context,
        serial: None,
        company: None,
        email: vouched.verified_email().filter(|email| is_address(email)),
        initials: None,
        first_name: vouched.text("given_name"),
        last_name: vouched.text("family_name"),
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
