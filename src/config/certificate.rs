//! `[certificate.NAME]`, and the TLS of a listener.

use std::fs;
use std::path::PathBuf;

use super::reading::quoted;
use super::secret_source::{reason, warn_when_open};
use super::section::Section;
use super::value::Value;
use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "certificate.NAME",
    keys: &[
        Key::required("certificate", "\"certificate.pem\""),
        Key::required("key", "\"certificate-key.pem\""),
        Key::optional("ocsp", "\"certificate.ocsp\""),
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
}

/// Versions and suites, by Mozilla's names for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsPolicy {
    /// TLS 1.2 with forward secrecy and authenticated encryption alone, and TLS 1.3.
    Intermediate,
    /// TLS 1.3 alone.
    Modern,
}

/// Every further certificate, in order of name.
pub(super) fn certificates(root: &Section) -> Option<Vec<TlsFiles>> {
    let tables = root.named("certificate", TABLE.keys);
    let read: Vec<Option<TlsFiles>> = tables
        .iter()
        .map(|(_, section)| {
            let certificate = section.read("certificate", existing_file);
            let key = section.read("key", key_file);
            let ocsp = section.optional("ocsp", existing_file);
            Some(TlsFiles { certificate: certificate?, key: key?, ocsp })
        })
        .collect();
    read.into_iter().collect()
}

/// The TLS of a listener: none without a certificate of its own.
pub(super) fn tls(section: &Section, further: &[TlsFiles]) -> Option<Option<Tls>> {
    let own = own_files(section);
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
        let certificates = [own].into_iter().chain(further.iter().cloned()).collect();
        Tls { policy, certificates }
    }))
}

/// Both files of a listener's own certificate, or neither.
fn own_files(section: &Section) -> Option<Option<TlsFiles>> {
    let certificate = section.optional("certificate", existing_file);
    let key = section.optional("key", key_file);
    let ocsp = section.optional("ocsp", existing_file);
    match (section.has("certificate"), section.has("key")) {
        (true, true) => Some(Some(TlsFiles { certificate: certificate?, key: key?, ocsp })),
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
