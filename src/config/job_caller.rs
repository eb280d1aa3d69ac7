//! `[job_caller.NAME]`: a program that may call tenants through a job listener, and how it proves
//! itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::crypto::Secret;
use crate::identity::ContextId;

use super::local_user::{group, user};
use super::reading::quoted;
use super::secret_source::secret;
use super::section::{Named, Section};
use super::tenant_name::tenant;
use super::url_path::canonical_path;
use super::value::Value;
use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "job_caller.NAME",
    keys: &[
        Key::optional("password", "{ file = \"nightly.password\" }"),
        Key::optional("token", "{ env = \"NIGHTLY_TOKEN\" }"),
        Key::optional("certificate_name", "\"nightly.jobs.example\""),
        Key::optional("loopback", "true"),
        Key::optional("unix_user", "\"nightly\""),
        Key::optional("unix_group", "\"jobs\""),
        Key::required("tenants", "[\"Cust12345\"]"),
        Key::defaulted("paths", "[\"/api\", \"/Remote\"]"),
    ],
};

/// One program that calls.
#[derive(Clone, Debug)]
pub struct JobCaller {
    pub name: String,
    pub proof: Proof,
    pub tenants: Tenants,
    /// What it may call below a tenant's name, by whole segments and in any case.
    pub paths: Vec<String>,
}

/// How a caller proves itself: in one way.
#[derive(Clone, Debug)]
pub enum Proof {
    /// By a client certificate for this DNS name, from the listener's authorities.
    CertificateName(String),
    /// By calling from this machine; never from a web page.
    Loopback,
    /// By calling as one of these users through a socket in the file system.
    LocalUser(LocalUsers),
    /// By Basic authentication, with its own name as the user name: name and password as they are
    /// sent (RFC 7617 §2), so that they need no decoding to be compared.
    Password(Secret),
    /// By a bearer token.
    Token(Secret),
}

/// Users of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalUsers {
    /// Any of these; empty where the group alone counts.
    pub users: Vec<u32>,
    /// Any of these, each the group a process runs as; empty where the user alone counts.
    pub groups: Vec<u32>,
}

impl LocalUsers {
    /// Whether who runs as this user and this group is one of them.
    pub fn include(&self, user: u32, group: u32) -> bool {
        (self.users.is_empty() || self.users.contains(&user))
            && (self.groups.is_empty() || self.groups.contains(&group))
    }

    /// Whether somebody could be one of both.
    pub(super) fn meet(&self, other: &Self) -> bool {
        let meet = |ours: &[u32], theirs: &[u32]| {
            ours.is_empty() || theirs.is_empty() || ours.iter().any(|one| theirs.contains(one))
        };
        meet(&self.users, &other.users) && meet(&self.groups, &other.groups)
    }
}

/// The tenants a caller may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tenants {
    All,
    These(Vec<ContextId>),
}

impl Tenants {
    /// Whether a tenant is among them.
    pub fn include(&self, tenant: &ContextId) -> bool {
        match self {
            Self::All => true,
            Self::These(these) => these.contains(tenant),
        }
    }
}

/// Reads every caller.
pub(super) fn job_callers(root: &Section) -> Named<JobCaller> {
    let read = |(name, section): (String, Section)| {
        let caller = job_caller(&name, &section).map(Arc::new);
        (name, caller)
    };
    let entries: BTreeMap<_, _> =
        root.named("job_caller", TABLE.keys).into_iter().map(read).collect();
    refuse_same_token(root, &entries);
    Named { what: "job_caller", entries }
}

fn job_caller(name: &str, section: &Section) -> Option<JobCaller> {
    let proof = proof(name, section);
    let tenants = section.read("tenants", tenants);
    let paths = section.read("paths", |value| value.distinct(canonical_path));
    if paths.as_ref().is_some_and(Vec::is_empty) {
        let place = section.place("paths");
        section.reading.problem(&place, "is empty: nothing could be called", "name a path");
        return None;
    }
    Some(JobCaller { name: name.to_owned(), proof: proof?, tenants: tenants?, paths: paths? })
}

fn proof(name: &str, section: &Section) -> Option<Proof> {
    const WAYS: [&str; 5] = ["password", "token", "certificate_name", "loopback", LOCAL_USER];
    let is_given =
        |way: &&str| section.has(way) || (*way == LOCAL_USER && section.has("unix_group"));
    let given: Vec<&str> = WAYS.into_iter().filter(is_given).collect();
    let instead = "write one of password, token, certificate_name, loopback = true and unix_user";
    let way = match given.as_slice() {
        [way] => *way,
        [] => {
            section.reading.problem(&section.header, "says nowhere how it proves itself", instead);
            return None;
        }
        [_, second, ..] => {
            let wrong = format!("is beside {}: a caller proves itself in one way", given[0]);
            section.reading.problem(&section.place(second), wrong, instead);
            return None;
        }
    };
    match way {
        "password" => section
            .optional("password", caller_secret)
            .map(|password| Proof::Password(basic_credentials(name, &password))),
        "token" => section.optional("token", caller_secret).map(Proof::Token),
        "loopback" => section.optional("loopback", loopback),
        LOCAL_USER => local_users(section).map(Proof::LocalUser),
        _ => section.optional("certificate_name", certificate_name).map(Proof::CertificateName),
    }
}

/// A name never holds a colon, so that this is unequivocal.
fn basic_credentials(name: &str, password: &Secret) -> Secret {
    let both = Zeroizing::new([name, ":", password.reveal()].concat());
    Secret::new(BASE64_STANDARD.encode(both.as_bytes()))
}

fn loopback(value: &Value) -> Option<Proof> {
    match value.boolean()? {
        true => Some(Proof::Loopback),
        false => value.refuse("is false, which proves nothing", "leave it out"),
    }
}

/// Users, groups, or users within groups.
fn local_users(section: &Section) -> Option<LocalUsers> {
    let read = |name, convert: fn(&Value) -> Option<u32>| match section.has(name) {
        true => section.optional(name, |value| one_or_more(value, convert)),
        false => Some(Vec::new()),
    };
    let users = read(LOCAL_USER, local_user);
    let groups = read("unix_group", local_group);
    Some(LocalUsers { users: users?, groups: groups? })
}

fn one_or_more(value: &Value, convert: fn(&Value) -> Option<u32>) -> Option<Vec<u32>> {
    if !value.raw.is_array() {
        return convert(value).map(|one| vec![one]);
    }
    let all = value.distinct(convert)?;
    if all.is_empty() {
        return value.refuse("is empty, which proves nothing", value.key.hint());
    }
    Some(all)
}

fn local_user(value: &Value) -> Option<u32> {
    let user = user(value)?;
    if user == OVERFLOW {
        let wrong = "is how the system shows every user it cannot name here, in containers too";
        return value.refuse(wrong, "let the job run as a user of its own");
    }
    Some(user)
}

fn local_group(value: &Value) -> Option<u32> {
    let group = group(value)?;
    if group == OVERFLOW {
        let wrong = "is how the system shows every group it cannot name here, in containers too";
        return value.refuse(wrong, "let the job run in a group of its own");
    }
    Some(group)
}

/// What a client certificate may stand for.
fn certificate_name(value: &Value) -> Option<String> {
    let text = value.line(253)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if text.bytes().all(fits) && !text.starts_with('.') && !text.ends_with('.') {
        return Some(text.to_ascii_lowercase());
    }
    value.refuse("is not a DNS name", value.key.hint())
}

/// A secret that cannot be guessed: 16 characters at least, all of which can travel in a header.
fn caller_secret(value: &Value) -> Option<Secret> {
    let secret = secret(value, "put a secret of the caller there: openssl rand -base64 32")?;
    let text = secret.reveal();
    let fits =
        (16..=1024).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    match fits {
        true => Some(secret),
        false => value.refuse(
            "is not 16 to 1,024 visible ASCII characters",
            "make one with openssl rand -base64 32",
        ),
    }
}

fn tenants(value: &Value) -> Option<Tenants> {
    let all = |item: &Value| item.raw.as_str() == Some("*");
    let mut everybody = false;
    let these = value.distinct(|item| {
        if all(item) {
            everybody = true;
            return Some(None);
        }
        tenant(item).map(Some)
    })?;
    let these: Vec<ContextId> = these.into_iter().flatten().collect();
    match (everybody, these.is_empty()) {
        (true, true) => Some(Tenants::All),
        (false, false) => Some(Tenants::These(these)),
        (true, false) => value.refuse("has \"*\" beside others", "write [\"*\"] alone for all"),
        (false, true) => {
            value.refuse("is empty: nothing could be called", "name tenants, or write [\"*\"]")
        }
    }
}

/// A bearer token says who calls, so no two callers have the same.
fn refuse_same_token(root: &Section, entries: &BTreeMap<String, Option<Arc<JobCaller>>>) {
    let tokens: Vec<(&str, &Secret)> = entries
        .values()
        .flatten()
        .filter_map(|caller| match &caller.proof {
            Proof::Token(token) => Some((caller.name.as_str(), token)),
            Proof::CertificateName(_)
            | Proof::LocalUser(_)
            | Proof::Loopback
            | Proof::Password(_) => None,
        })
        .collect();
    for (index, (name, token)) in tokens.iter().enumerate() {
        if let Some((other, _)) = tokens[..index].iter().find(|(_, it)| it.matches(token.reveal()))
        {
            root.reading.problem(
                &root.place("job_caller"),
                format!("{} and {} have the same token", quoted(other), quoted(name)),
                "give each caller its own",
            );
        }
    }
}

const LOCAL_USER: &str = "unix_user";
/// The user, and the group, that stand for those of other user namespaces: see user_namespaces(7).
const OVERFLOW: u32 = 65_534;
