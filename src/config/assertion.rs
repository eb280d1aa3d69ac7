//! `[assertion]`: what is told of people to apps is signed with this, where a route asks for it.

use crate::crypto::Es256Key;

use super::header_names;
use super::key_ring::making_keys;
use super::route_read::ReadRoute;
use super::secret_source::secret;
use super::section::Section;
use super::value::Value;
use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "assertion",
    keys: &[
        Key::required("keys", "[{ file = \"assertion.key\" }]"),
        Key::defaulted("life", "\"2m\""),
        Key::optional("issuer", "\"https://app.example\""),
    ],
};

/// How assertions are signed.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// The first key signs, all of them are published.
    pub keys: Vec<Es256Key>,
    /// Seconds from signing to the end. Default 2 minutes.
    pub life: u64,
    /// Who says so; the origin of the host that is asked where there is none.
    pub issuer: Option<String>,
}

/// Reads the table for these routes; `Some(None)` where it is not written.
pub(super) fn assertion(root: &Section, routes: &[ReadRoute]) -> Option<Option<Assertion>> {
    check(root, routes);
    if !root.has("assertion") {
        return Some(None);
    }
    let section = root.section("assertion", TABLE.keys);
    let keys = section.read("keys", keys);
    let life = section.read("life", |value| value.duration(30, 600));
    let issuer = section.optional("issuer", |value| value.line(200));
    if section.has("issuer") {
        issuer.as_ref()?;
    }
    Some(Some(Assertion { keys: keys?, life: life?.as_secs(), issuer }))
}

/// A route cannot have its people vouched for without a key; a key that vouches for nobody is idle.
fn check(root: &Section, routes: &[ReadRoute]) {
    let mut asking = routes.iter().filter(|read| read.route.headers.assertion.is_some()).peekable();
    if root.has("assertion") {
        if asking.peek().is_none() {
            let wrong = "signs nothing: no route has headers.assertion";
            let instead = "write assertion = \"X-SuperOffice-Identity\" in [route.NAME.headers]";
            root.reading.warn(&root.place("assertion"), wrong, instead);
        }
        return;
    }
    for read in asking {
        let headers = read.section.section("headers", header_names::TABLE.keys);
        let wrong = "is asked for, and there is nothing to sign it with";
        let instead = "add [assertion] with keys = [{ file = \"assertion.key\" }]";
        root.reading.problem(&headers.place("assertion"), wrong, instead);
    }
}

fn keys(value: &Value) -> Option<Vec<Es256Key>> {
    let keys = value.distinct(key)?;
    if keys.is_empty() {
        return value.refuse("is empty: nothing could be signed", value.key.hint());
    }
    Some(keys)
}

fn key(value: &Value) -> Option<Es256Key> {
    let making = making_keys(value.reading.file);
    let text = secret(value, &making)?;
    match Es256Key::read(text.reveal()) {
        Ok(key) => Some(key),
        Err(refused) => value.refuse(
            refused.to_string(),
            "write one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`",
        ),
    }
}
