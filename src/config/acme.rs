//! `[acme.NAME]`: an account at an authority that hands out certificates (RFC 8555).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::{Host, Url};

use super::reading::quoted;
use super::secret_source::secret;
use super::section::{Named, Section};
use super::value::Value;
use super::{Key, Table};
use crate::crypto::Secret;

pub(super) const TABLE: Table = Table {
    header: "acme.NAME",
    keys: &[
        Key::required("directory", "\"https://acme-v02.api.letsencrypt.org/directory\""),
        Key::required("agree_to_terms", "true"),
        Key::defaulted("contact", "[]").such_as("[\"mailto:operations@example.com\"]"),
        Key::defaulted("folder", "\"acme\""),
        Key::optional("external_account_id", "\"kid-1\""),
        Key::optional("external_account_key", "{ file = \"acme-external.key\" }"),
    ],
};

/// An account at an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcmeAccount {
    pub name: String,
    /// https, or http on loopback.
    pub directory: Url,
    /// `mailto:` addresses.
    pub contact: Vec<String>,
    /// Where the account's key and its certificates are kept, with what is remembered of orders.
    pub folder: PathBuf,
    pub binding: Option<ExternalAccount>,
}

/// An account of another kind at the same authority, which ours is bound to (RFC 8555 §7.3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalAccount {
    pub id: String,
    /// The HMAC key in base64url, as authorities hand it out; it decodes.
    pub key: Secret,
}

/// A certificate that is ordered, and renewed in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordered {
    /// The name of its table.
    pub name: String,
    pub account: Arc<AcmeAccount>,
    /// DNS names in lower case, without wildcards.
    pub hosts: Vec<String>,
    pub challenge: AcmeChallenge,
}

/// How the authority is shown that a host is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcmeChallenge {
    /// It asks for a page by plain http (RFC 8555 §8.3).
    Http01,
    /// It shakes hands for `acme-tls/1` (RFC 8737).
    TlsAlpn01,
}

impl AcmeChallenge {
    /// As the protocol and the configuration call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
            Self::TlsAlpn01 => "tls-alpn-01",
        }
    }
}

impl Ordered {
    /// The file with its key and its chain.
    pub fn file(&self) -> PathBuf {
        self.account.folder.join(format!("{}.pem", self.name))
    }
}

/// Every account, by name.
pub(super) fn accounts(root: &Section) -> Named<AcmeAccount> {
    let entries = root.named("acme", TABLE.keys).into_iter().map(|(name, section)| {
        let read = account(name.clone(), &section).map(Arc::new);
        (name, read)
    });
    Named { what: "acme", entries: entries.collect::<BTreeMap<_, _>>() }
}

fn account(name: String, section: &Section) -> Option<AcmeAccount> {
    let directory = section.read("directory", directory);
    let agreed = section.read("agree_to_terms", agreed);
    let contact = section.read("contact", |value| value.distinct(contact));
    let folder = section.read("folder", |value| Some(value.reading.path(&value.line(1_024)?)));
    let binding = binding(section);
    agreed?;
    Some(AcmeAccount {
        name,
        directory: directory?,
        contact: contact?,
        folder: folder?,
        binding: binding?,
    })
}

fn directory(value: &Value) -> Option<Url> {
    let text = value.text()?;
    let instead = "write the https:// address of the authority's directory";
    let Ok(url) = Url::parse(text) else {
        return value.refuse(format!("{} is not a URL", quoted(text)), instead);
    };
    let near = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" if url.has_host() => Some(url),
        "http" if near => Some(url),
        "http" => value.refuse("is plain http, and not on this machine", instead),
        _ => value.refuse(format!("{} is not a URL to call", quoted(text)), instead),
    }
}

fn agreed(value: &Value) -> Option<()> {
    match value.boolean()? {
        true => Some(()),
        false => value.refuse(
            "is false, and without its terms no authority hands out certificates",
            "read them, and write agree_to_terms = true",
        ),
    }
}

fn contact(value: &Value) -> Option<String> {
    let text = value.line(320)?;
    let mailbox = text.strip_prefix("mailto:").unwrap_or_default();
    let plain = mailbox.is_ascii() && !mailbox.contains([',', '?', ' ']);
    match mailbox.split_once('@') {
        Some((who, at)) if plain && !who.is_empty() && !at.is_empty() => Some(text),
        _ => value.refuse(
            format!("{} is no address to write to", quoted(&text)),
            "write \"mailto:\" and one e-mail address",
        ),
    }
}

/// Both keys or neither.
fn binding(section: &Section) -> Option<Option<ExternalAccount>> {
    let id = section.optional("external_account_id", |value| value.line(1_024));
    let key = section.optional("external_account_key", |value| {
        let key = secret(value, "put the key there that the authority gave you")?;
        match URL_SAFE_NO_PAD.decode(key.reveal().trim_end_matches('=')) {
            Ok(bytes) if bytes.len() >= 16 => Some(key),
            _ => value.refuse(
                "is not a key of 16 bytes or more in base64url",
                "take the HMAC key as the authority wrote it",
            ),
        }
    });
    let missing = match (section.has("external_account_id"), section.has("external_account_key")) {
        (false, false) => return Some(None),
        (true, true) => return Some(Some(ExternalAccount { id: id?, key: key? })),
        (true, false) => "external_account_key",
        (false, true) => "external_account_id",
    };
    let instead = "the authority gives both: write both or neither";
    section.reading.problem(&section.place(missing), "is missing beside the other", instead);
    None
}

/// What a `[certificate.NAME]` says about its order.
pub(super) fn ordered(
    name: &str,
    section: &Section,
    accounts: &Named<AcmeAccount>,
) -> Option<Ordered> {
    for file in ["certificate", "key", "ocsp"] {
        if section.has(file) {
            let wrong = "means nothing beside acme, which gets certificates itself";
            section.reading.problem(&section.place(file), wrong, "leave one of the two out");
        }
    }
    let account = section.optional("acme", |value| accounts.find(value));
    let challenge = section.read("challenge", |value| {
        value.choice(&[
            (AcmeChallenge::Http01.word(), AcmeChallenge::Http01),
            (AcmeChallenge::TlsAlpn01.word(), AcmeChallenge::TlsAlpn01),
        ])
    });
    if !section.has("hosts") {
        let instead = "write hosts = [\"app.example.com\"]";
        section.reading.problem(&section.place("hosts"), "is missing beside acme", instead);
    }
    let hosts = section.optional("hosts", hosts)?;
    Some(Ordered { name: name.to_owned(), account: account?, hosts, challenge: challenge? })
}

fn hosts(value: &Value) -> Option<Vec<String>> {
    let hosts = value.distinct(host)?;
    match hosts.len() {
        0 => value.refuse("names nobody", "write hosts = [\"app.example.com\"]"),
        1..=MOST_HOSTS => Some(hosts),
        count => value.refuse(
            format!("names {count} hosts"),
            format!("write at most {MOST_HOSTS}, and a further [certificate.NAME] for the others"),
        ),
    }
}

/// A DNS name as certificates have it.
fn host(value: &Value) -> Option<String> {
    let text = value.text()?;
    let instead = "write a DNS name such as \"app.example.com\"";
    if text.starts_with("*.") {
        return value.refuse(
            format!("{} is a wildcard, which neither challenge can prove", quoted(text)),
            "name each host, or get the certificate elsewhere and write certificate and key",
        );
    }
    if text.parse::<IpAddr>().is_ok() {
        return value.refuse(format!("{} is an IP address", quoted(text)), instead);
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(fits)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    match text.len() <= 253 && text.split('.').all(label) {
        true => Some(text.to_ascii_lowercase()),
        false => value.refuse(format!("{} is not a DNS name", quoted(text)), instead),
    }
}

/// What the common authorities take.
const MOST_HOSTS: usize = 100;
