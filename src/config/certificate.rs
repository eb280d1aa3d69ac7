//! `[certificate.NAME]`, and the TLS of a listener.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use super::acme::{self, AcmeAccount, Ordered};
use super::reading::quoted;
use super::secret_source::{reason, warn_when_open};
use super::section::{Named, Section};
use super::value::Value;
use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "certificate.NAME",
    keys: &[
        Key::optional("certificate", "\"certificate.pem\""),
        Key::optional("key", "\"certificate-key.pem\""),
        Key::optional("ocsp", "\"certificate.ocsp\""),
        Key::optional("acme", "\"letsencrypt\""),
        Key::optional("hosts", "[\"app.example.com\"]"),
        Key::defaulted("challenge", "\"http-01\""),
    ],
};

/// How a listener speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    pub policy: TlsPolicy,
    /// The listener's own first, for those who name nobody or somebody unknown; the others for the
    /// names they stand for (SNI, RFC 6066 §3).
    pub certificates: Vec<TlsFiles>,
}

/// The files of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the chain, leaf first.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
    /// DER: the authority's word that it is not revoked (RFC 6960), shown with the certificate.
    pub ocsp: Option<PathBuf>,
    /// Who gets it, where we do: then both files are one, which may not be there yet.
    pub ordered: Option<Arc<Ordered>>,
}

/// Versions and suites, by Mozilla's names for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsPolicy {
    /// TLS 1.2 with forward secrecy and authenticated encryption alone, and TLS 1.3.
    Intermediate,
    /// TLS 1.3 alone.
    Modern,
}

/// Every certificate that has a table, by name.
pub(super) fn certificates(root: &Section, accounts: &Named<AcmeAccount>) -> Named<TlsFiles> {
    let entries = root.named("certificate", TABLE.keys).into_iter().map(|(name, section)| {
        let read = match section.has("acme") {
            true => acme::ordered(&name, &section, accounts).map(TlsFiles::ordered),
            false => named_files(&section),
        };
        (name, read.map(Arc::new))
    });
    Named { what: "certificate", entries: entries.collect::<BTreeMap<_, _>>() }
}

impl TlsFiles {
    fn ordered(ordered: Ordered) -> Self {
        let file = ordered.file();
        let ordered = Some(Arc::new(ordered));
        Self { certificate: file.clone(), key: file, ocsp: None, ordered }
    }
}

/// A certificate that somebody else keeps fresh.
fn named_files(section: &Section) -> Option<TlsFiles> {
    let (certificate, key, ocsp) = files(section);
    for (name, example) in
        [("certificate", "\"certificate.pem\""), ("key", "\"certificate-key.pem\"")]
    {
        if !section.has(name) {
            let instead = format!("write {name} = {example}, or acme and hosts");
            section.reading.problem(&section.place(name), "is missing", instead);
        }
    }
    for name in ["hosts", "challenge"] {
        if section.has(name) {
            let wrong = "is for a certificate that is ordered, and acme names no account";
            let instead = "write acme = \"letsencrypt\", or leave it out";
            section.reading.problem(&section.place(name), wrong, instead);
        }
    }
    Some(TlsFiles { certificate: certificate?, key: key?, ocsp, ordered: None })
}

fn files(section: &Section) -> (Option<PathBuf>, Option<PathBuf>, Option<PathBuf>) {
    let certificate = section.optional("certificate", existing_file);
    let key = section.optional("key", key_file);
    (certificate, key, section.optional("ocsp", existing_file))
}

/// Whether a listener has a certificate of its own, rightly or not.
pub(super) fn has_tls(section: &Section) -> bool {
    section.has("certificate") || section.has("named_certificate")
}

/// The TLS of a listener: none without a certificate of its own.
pub(super) fn tls(section: &Section, further: &Named<TlsFiles>) -> Option<Option<Tls>> {
    let own = own_files(section, further);
    let policy = section.read("tls_policy", |value| {
        let policies = [("intermediate", TlsPolicy::Intermediate), ("modern", TlsPolicy::Modern)];
        value.choice(&policies)
    });
    let (own, policy) = (own?, policy?);
    if own.is_none() && section.has("ocsp") {
        let wrong = "means nothing without TLS";
        section.reading.problem(&section.place("ocsp"), wrong, "write certificate and key too");
    }
    Some(own.map(|own| {
        let others = further.sound().into_iter().map(|files| (*files).clone());
        let others = others.filter(|files| *files != own);
        let certificates = std::iter::once(own.clone()).chain(others).collect();
        Tls { policy, certificates }
    }))
}

/// The listener's own certificate: a table's, both files, or neither.
fn own_files(section: &Section, further: &Named<TlsFiles>) -> Option<Option<TlsFiles>> {
    let (certificate, key, ocsp) = files(section);
    if section.has("named_certificate") {
        for name in ["certificate", "key", "ocsp"] {
            if section.has(name) {
                let wrong = "means nothing beside named_certificate";
                let instead = "leave one of the two out";
                section.reading.problem(&section.place(name), wrong, instead);
            }
        }
        let named = section.optional("named_certificate", |value| further.find(value));
        return named.map(|files| Some((*files).clone()));
    }
    match (section.has("certificate"), section.has("key")) {
        (true, true) => {
            Some(Some(TlsFiles { certificate: certificate?, key: key?, ocsp, ordered: None }))
        }
        (false, false) => Some(None),
        (true, false) => refuse_half(section, "key", "certificate"),
        (false, true) => refuse_half(section, "certificate", "key"),
    }
}

fn refuse_half<T>(section: &Section, missing: &str, given: &str) -> Option<T> {
    section.reading.problem(
        &section.place(missing),
        format!("is missing beside {given}"),
        format!("write both for TLS, or leave {given} out for plain http"),
    );
    None
}

/// The PEM file of a private key.
fn key_file(value: &Value) -> Option<PathBuf> {
    let path = existing_file(value)?;
    warn_when_open(value, &path);
    Some(path)
}

/// A file that can be opened.
pub(super) fn existing_file(value: &Value) -> Option<PathBuf> {
    let name = value.text()?;
    let path = value.reading.path(name);
    match fs::File::open(&path).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.is_file() => Some(path),
        Ok(_) => value.refuse(format!("{} is not a file", quoted(name)), "name a PEM file"),
        Err(error) => value.refuse(
            format!("{} {}", quoted(name), reason(&error)),
            "name a PEM file; a relative path begins at this file's folder",
        ),
    }
}
