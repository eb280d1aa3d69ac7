//! `[relying_party.NAME.people]`: who of a provider's people may in, and for which tenant.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::identity::ContextId;

use super::issuer::{has_directories, is_directory};
use super::mapping::{Mapping, mapping};
use super::reading::quoted;
use super::section::Section;
use super::tenant_name::tenant;
use super::value::Value;
use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "relying_party.NAME.people",
    keys: &[
        Key::defaulted("directories", "{}")
            .such_as("{ \"72f988bf-86f1-41af-91ab-2d7cd011db47\" = \"Cust12345\" }"),
        Key::defaulted("hosted_domains", "{}").such_as("{ \"example.com\" = \"Cust12345\" }"),
        Key::defaulted("email_domains", "{}").such_as("{ \"example.com\" = \"Cust12345\" }"),
        Key::optional("mapping", "\"people.toml\""),
    ],
};

/// Whom a provider's word is taken for, and which tenant they are of. Whoever none of it names stays
/// outside. The first that names somebody decides, in the order of the fields.
#[derive(Clone, Debug)]
pub struct People {
    /// Persons one by one.
    pub mapping: Option<Arc<Mapping>>,
    /// Microsoft's directories by their id (`tid`), lower case.
    pub directories: BTreeMap<String, ContextId>,
    /// Google's hosted domains (`hd`), lower case.
    pub hosted_domains: BTreeMap<String, ContextId>,
    /// Domains of verified e-mail addresses, lower case.
    pub email_domains: BTreeMap<String, ContextId>,
}

/// Reads who may in; `None`, reported, where nobody could.
pub(super) fn people(party: &Section, issuer: &str) -> Option<People> {
    let section = party.section("people", TABLE.keys);
    let directories =
        section.read("directories", |value| by_name(value, |name| directory(name, issuer)));
    let hosted_domains = section.read("hosted_domains", |value| by_name(value, domain));
    let email_domains = section.read("email_domains", |value| by_name(value, domain));
    let persons = section.optional("mapping", |value| mapping(value, issuer)).map(Arc::new);
    if section.has("mapping") && persons.is_none() {
        return None;
    }
    let people = People {
        mapping: persons,
        directories: directories?,
        hosted_domains: hosted_domains?,
        email_domains: email_domains?,
    };
    if people.lets_nobody_in() {
        party.reading.problem(
            &party.place("people"),
            "names nobody, and a provider's word alone lets anybody of theirs in",
            "write people = { hosted_domains = { \"example.com\" = \"Cust12345\" } }, or \
             directories, email_domains or mapping",
        );
        return None;
    }
    refuse_what_anybody_can_say(&section, issuer, &people);
    Some(people)
}

/// A directory's administrator decides what its people's addresses and claims are, and anybody can
/// have a directory: where all of them may sign in, only the directory and the subject say who it is.
fn refuse_what_anybody_can_say(section: &Section, issuer: &str, people: &People) {
    let named =
        [("hosted_domains", &people.hosted_domains), ("email_domains", &people.email_domains)];
    for (key, _) in named.into_iter().filter(|(_, named)| !named.is_empty()) {
        if has_directories(issuer) {
            section.reading.problem(
                &section.place(key),
                "lets in whomever any directory says is of there, as the issuer has {tenantid}",
                "write directories or mapping, or the issuer of one directory",
            );
        } else if key == "hosted_domains" && issuer != GOOGLE {
            let issuer = quoted(issuer);
            section.reading.warn(
                &section.place(key),
                format!("hd is a claim of Google's, and {issuer} may let people choose it"),
                "be sure that it does not, or write email_domains or mapping",
            );
        }
    }
}

impl People {
    /// Whether somebody of this tenant could be let in.
    pub fn may_be_of(&self, tenant: &ContextId) -> bool {
        let named = [&self.directories, &self.hosted_domains, &self.email_domains];
        named.iter().any(|by| by.values().any(|of| of == tenant))
            || self.mapping.as_ref().is_some_and(|mapping| mapping.has_people_of(tenant))
    }

    fn lets_nobody_in(&self) -> bool {
        self.mapping.is_none()
            && self.directories.is_empty()
            && self.hosted_domains.is_empty()
            && self.email_domains.is_empty()
    }
}

fn by_name(
    value: &Value,
    name: impl Fn(&str) -> Result<String, String>,
) -> Option<BTreeMap<String, ContextId>> {
    let mut read = BTreeMap::new();
    value.entries(|written, value| {
        let name = match name(written) {
            Ok(name) => name,
            Err(wrong) => return value.refuse(wrong, value.key.hint()),
        };
        if read.insert(name, tenant(value)?).is_some() {
            return value.refuse(format!("{written} stands here twice"), "leave one of them out");
        }
        Some(())
    })?;
    Some(read)
}

/// A directory of Microsoft's, whose issuer the provider's is or could be.
fn directory(written: &str, issuer: &str) -> Result<String, String> {
    let id = written.to_ascii_lowercase();
    if !is_directory(&id) {
        return Err(format!("{} is not a directory's id", quoted(written)));
    }
    if id == PERSONAL {
        return Err(format!("{written} is everybody with a personal Microsoft account"));
    }
    let own = has_directories(issuer) || issuer.to_ascii_lowercase().contains(&id);
    own.then_some(id)
        .ok_or_else(|| format!("{written} is not the directory of the issuer {}", quoted(issuer)))
}

fn domain(written: &str) -> Result<String, String> {
    let name = written.to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let fits = name.len() <= 253 && name.contains('.') && name.split('.').all(label);
    fits.then_some(name).ok_or_else(|| format!("{} is not a domain", quoted(written)))
}

/// Whose claim `hd` is.
const GOOGLE: &str = "https://accounts.google.com";
/// The directory every personal Microsoft account is in.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
