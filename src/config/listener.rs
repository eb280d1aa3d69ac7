//! `[listener.NAME]`: an address we accept connections on.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::reading::{Reading, quoted};
use super::secret_source::{reason, warn_when_open};
use super::section::Section;
use super::value::Value;
use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "listener.NAME",
    keys: &[
        Key::defaulted("address", "\"127.0.0.1:8080\""),
        Key::optional("certificate", "\"certificate.pem\""),
        Key::optional("key", "\"certificate-key.pem\""),
    ],
};

/// One listening address, plain or TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    pub name: String,
    pub address: SocketAddr,
    pub tls: Option<TlsFiles>,
}

/// PEM files: the certificate chain, leaf first, and its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Reads every listener; one called `web` when the file names none, and none where nobody but jobs
/// is served.
pub(super) fn listeners(root: &Section) -> Option<Vec<Listener>> {
    let named = root.named("listener", TABLE.keys);
    if named.is_empty() && root.has("job_listener") && !root.has("host") {
        return Some(Vec::new());
    }
    if named.is_empty() {
        let absent = root.absent("listener", TABLE.keys);
        return Some(vec![listener("web".to_owned(), &absent)?]);
    }
    let mut taken: Vec<(SocketAddr, String)> = Vec::new();
    let read: Vec<Option<Listener>> = named
        .into_iter()
        .map(|(name, section)| {
            let listener = listener(name, &section)?;
            refuse_taken(&listener, &section, &taken);
            taken.push((listener.address, listener.name.clone()));
            Some(listener)
        })
        .collect();
    read.into_iter().collect()
}

/// An IP address and a port.
pub(super) fn socket_address(value: &Value) -> Option<SocketAddr> {
    let text = value.text()?;
    match text.parse() {
        Ok(address) => Some(address),
        Err(_) => value.refuse(
            format!("{} is not an address", quoted(text)),
            "write an IP address and a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"",
        ),
    }
}

fn listener(name: String, section: &Section) -> Option<Listener> {
    let address = section.read("address", socket_address);
    let tls = tls_files(section);
    Some(Listener { name, address: address?, tls: tls? })
}

/// Both files of TLS, or neither.
pub(super) fn tls_files(section: &Section) -> Option<Option<TlsFiles>> {
    let certificate = section.optional("certificate", existing_file);
    let key = section.optional("key", |value| {
        let path = existing_file(value)?;
        warn_when_open(value, &path);
        Some(path)
    });
    match (section.has("certificate"), section.has("key")) {
        (true, true) => Some(Some(TlsFiles { certificate: certificate?, key: key? })),
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

fn refuse_taken(listener: &Listener, section: &Section, taken: &[(SocketAddr, String)]) {
    let same =
        |(address, _): &&(SocketAddr, String)| *address == listener.address && address.port() != 0;
    if let Some((address, other)) = taken.iter().find(same) {
        let reading: &Reading = section.reading;
        reading.problem(
            &section.place("address"),
            format!("{address} is taken by [listener.{other}]"),
            "choose another port",
        );
    }
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
