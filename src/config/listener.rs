//! `[listener.NAME]`: an address we accept connections on.

use std::net::SocketAddr;

use super::certificate::{has_tls, tls};
use super::reading::{Reading, quoted};
use super::section::{Named, Section};
use super::value::Value;
use super::{Key, Table, Tls, TlsFiles};

pub(super) const TABLE: Table = Table {
    header: "listener.NAME",
    keys: &[
        Key::defaulted("address", "\"127.0.0.1:8080\""),
        Key::optional("certificate", "\"certificate.pem\""),
        Key::optional("key", "\"certificate-key.pem\""),
        Key::optional("ocsp", "\"certificate.ocsp\""),
        Key::optional("named_certificate", "\"shop\""),
        Key::defaulted("tls_policy", "\"intermediate\""),
        Key::defaulted("redirect_to_https", "false"),
    ],
};

/// One listening address, plain or TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    pub name: String,
    pub address: SocketAddr,
    pub tls: Option<Tls>,
    pub serves: Serves,
}

/// What a listener does with those who come to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    /// It serves them.
    Everything,
    /// It sends them on to the same address by https.
    RedirectsToHttps,
}

/// Reads every listener; one called `web` when the file names none, and none where nobody but jobs
/// is served.
pub(super) fn listeners(root: &Section, further: &Named<TlsFiles>) -> Option<Vec<Listener>> {
    let named = root.named("listener", TABLE.keys);
    if named.is_empty() && root.has("job_listener") && !root.has("host") {
        return Some(Vec::new());
    }
    if named.is_empty() {
        let absent = root.absent("listener", TABLE.keys);
        return Some(vec![listener("web".to_owned(), &absent, further)?]);
    }
    let mut taken: Vec<(SocketAddr, String)> = Vec::new();
    let read: Vec<Option<Listener>> = named
        .into_iter()
        .map(|(name, section)| {
            let listener = listener(name, &section, further)?;
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

fn listener(name: String, section: &Section, further: &Named<TlsFiles>) -> Option<Listener> {
    let address = section.read("address", socket_address);
    let tls = tls(section, further);
    let redirects = section.read("redirect_to_https", |value| value.boolean());
    let serves = match redirects? {
        true => Serves::RedirectsToHttps,
        false => Serves::Everything,
    };
    if serves == Serves::RedirectsToHttps && has_tls(section) {
        section.reading.problem(
            &section.place("redirect_to_https"),
            "means nothing on a listener with TLS",
            "leave it out, or write it on a listener without certificate and key",
        );
    }
    Some(Listener { name, address: address?, tls: tls?, serves })
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
