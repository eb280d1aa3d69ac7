//! The mapping file: persons by issuer and subject, with their tenant and what apps are told of them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use crate::crypto::plain_sha256;
use crate::identity::ContextId;

use super::Provider;
use super::reading::quoted;
use super::value::Value;

/// Persons by issuer and subject.
#[derive(Clone)]
pub struct Mapping {
    people: HashMap<(String, String), MappedPerson>,
    tenants: HashSet<ContextId>,
    digest: [u8; 32],
}

/// What a mapping says of a person. What it leaves out is taken from the provider's claims.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappedPerson {
    issuer: Spanned<String>,
    subject: String,
    pub tenant: ContextId,
    /// Whom apps are told it is; the issuer and the subject, joined by `#`, without it.
    pub name: Option<String>,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub initials: Option<String>,
    pub company: Option<String>,
    pub associate_id: Option<u32>,
    #[serde(default)]
    pub administrator: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    person: Vec<MappedPerson>,
}

impl Mapping {
    /// The person an issuer means by a subject.
    pub fn find(&self, issuer: &str, subject: &str) -> Option<&MappedPerson> {
        self.people.get(&(issuer.to_owned(), subject.to_owned()))
    }

    /// Whether anybody in it is of this tenant.
    pub fn has_people_of(&self, tenant: &ContextId) -> bool {
        self.tenants.contains(tenant)
    }

    /// Reads the text of a mapping file.
    ///
    /// # Errors
    /// The line, and what is wrong there.
    fn parse(text: &str, provider: &Provider) -> Result<Self, (usize, String)> {
        let line = |offset: usize| text[..offset.min(text.len())].matches('\n').count() + 1;
        let written: Written = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(1, |span| line(span.start));
            (at, error.message().to_owned())
        })?;
        if written.person.len() > MOST_PEOPLE {
            return Err((1, format!("holds more than {MOST_PEOPLE} persons")));
        }
        let mut people = HashMap::with_capacity(written.person.len());
        let mut names: HashMap<String, usize> = HashMap::new();
        for person in written.person {
            let at = line(person.issuer.span().start);
            person.check(provider).map_err(|wrong| (at, wrong))?;
            if let Some(name) = &person.name
                && let Some(first) = names.insert(name.clone(), at)
            {
                let wrong =
                    format!("{} is the name of the person in line {first} too", quoted(name));
                return Err((at, wrong));
            }
            match people.entry((person.issuer.get_ref().clone(), person.subject.clone())) {
                Entry::Occupied(_) => {
                    return Err((at, format!("{} stands here twice", quoted(&person.subject))));
                }
                Entry::Vacant(free) => free.insert(person),
            };
        }
        let tenants = people.values().map(|person| person.tenant.clone()).collect();
        Ok(Self { people, tenants, digest: plain_sha256(text.as_bytes()) })
    }
}

impl MappedPerson {
    fn check(&self, provider: &Provider) -> Result<(), String> {
        let issuer = self.issuer.get_ref();
        if !provider.may_issue_as(issuer) {
            return Err(format!("{} is not the issuer of this provider", quoted(issuer)));
        }
        let own = [
            &self.name,
            &self.email,
            &self.first_name,
            &self.last_name,
            &self.initials,
            &self.company,
        ];
        for text in own.into_iter().flatten().chain([&self.subject]) {
            let fits = (1..=255).contains(&text.len()) && !text.chars().any(char::is_control);
            if !fits {
                return Err(format!("{} does not fit one line of 255 bytes", quoted(text)));
            }
        }
        // Who has no name here is told as issuer#subject: nobody may be called like that by hand.
        if self.name.as_ref().is_some_and(|name| name.contains('#')) {
            return Err("a name has no # in it".to_owned());
        }
        Ok(())
    }
}

/// Reads the file a value names.
pub(super) fn mapping(value: &Value, provider: &Provider) -> Option<Mapping> {
    let name = value.text()?;
    let text = match bounded(&value.reading.path(name)) {
        Ok(text) => text,
        Err(error) => {
            let wrong = format!("{} cannot be read: {error}", quoted(name));
            return value.refuse(wrong, "name a TOML file of [[person]] tables, of 16 MiB at most");
        }
    };
    match Mapping::parse(&text, provider) {
        Ok(mapping) => Some(mapping),
        Err((line, wrong)) => value.refuse(
            format!("{name}:{line} {wrong}"),
            "write [[person]] with issuer, subject and tenant",
        ),
    }
}

fn bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

/// Who differs in the file is shown to differ; who is in it, nobody has to see.
impl fmt::Debug for Mapping {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = u64::from_be_bytes(*self.digest.first_chunk().expect("a digest has 32 bytes"));
        write!(out, "Mapping({} persons, {digest:016x})", self.people.len())
    }
}

const MOST_PEOPLE: usize = 50_000;
const MOST_BYTES: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: &str = "[[person]]\nissuer = \"https://a.example\"\nsubject = \"1\"\n\
                       tenant = \"Cust1\"\nname = \"ada\"\n";

    fn parse(text: &str) -> Result<Mapping, (usize, String)> {
        Mapping::parse(text, &Provider::for_tests("https://a.example"))
    }

    #[test]
    fn a_person_is_found_by_issuer_and_subject_and_by_neither_alone() {
        let mapping = parse(ADA).unwrap();
        assert_eq!(mapping.find("https://a.example", "1").unwrap().tenant.as_str(), "Cust1");
        assert!(mapping.find("https://a.example", "2").is_none());
        assert!(mapping.find("https://b.example", "1").is_none());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let second = |text: &str| format!("{ADA}\n{text}");
        for (text, line, wrong) in [
            (second(ADA), 8, "name of the person in line 2"),
            (second(&ADA.replace("ada", "eve")), 8, "stands here twice"),
            (ADA.replace("a.example", "b.example"), 2, "not the issuer"),
            (ADA.replace("ada", "a#1"), 2, "no #"),
            (ADA.replace("ada", ""), 2, "does not fit"),
            (ADA.replace("Cust1", "Nobody"), 4, "context identifier"),
            (ADA.replace("name", "nmae"), 5, "unknown field"),
        ] {
            let (at, said) = parse(&text).unwrap_err();
            assert!(said.contains(wrong), "{said}");
            assert_eq!(at, line, "{said}");
        }
    }
}
