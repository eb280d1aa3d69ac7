//! `[listener.NAME]`: an address we accept connections on.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::web::Proxies;

use super::certificate::{has_tls, tls};
use super::forward_auth::forward_auth;
use super::forwarded::place;
use super::reading::{Reading, quoted};
use super::section::{Named, Section};
use super::unix_socket::{listen_address, refuse_tls};
use super::value::Value;
use super::{ForwardAuth, Key, ListenAddress, Table, Tls, TlsFiles};

pub(super) const TABLE: Table = Table {
    header: "listener.NAME",
    keys: &[
        Key::defaulted("address", "\"127.0.0.1:8080\""),
        Key::optional("socket_mode", "\"0660\""),
        Key::optional("socket_owner", "\"superid-gateway\""),
        Key::optional("socket_group", "\"www-data\""),
        Key::optional("certificate", "\"certificate.pem\""),
        Key::optional("key", "\"certificate-key.pem\""),
        Key::optional("ocsp", "\"certificate.ocsp\""),
        Key::optional("named_certificate", "\"shop\""),
        Key::defaulted("tls_policy", "\"intermediate\""),
        Key::defaulted("redirect_to_https", "false"),
        Key::optional("proxy_protocol_from", "[\"10.0.0.0/8\"]"),
        Key::defaulted("h2c", "false"),
        Key::optional("forward_auth", "{}"),
    ],
};

/// One listening address, plain or TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    pub name: String,
    pub address: ListenAddress,
    pub tls: Option<Tls>,
    /// Who says, in a PROXY header, whose each connection is; nobody else may connect then.
    pub introduced_by: Option<Proxies>,
    pub serves: Serves,
}

/// What a listener does with those who come to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serves {
    /// It tells proxies whether what they were asked may pass, and does nothing else.
    Checks(Arc<ForwardAuth>),
    /// It serves them.
    Everything,
    /// The same, without TLS, where they may begin with HTTP/2 (RFC 9113 §3.3).
    EverythingAndH2c,
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
    let mut taken: Vec<(ListenAddress, String)> = Vec::new();
    let read: Vec<Option<Listener>> = named
        .into_iter()
        .map(|(name, section)| {
            let listener = listener(name, &section, further)?;
            refuse_taken(&listener, &section, &taken);
            taken.push((listener.address.clone(), listener.name.clone()));
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
    let address = listen_address(section, "web");
    let tls = tls(section, further);
    if let Some(ListenAddress::Unix(_)) = address {
        refuse_tls(section);
    }
    let redirects = section.read("redirect_to_https", |value| value.boolean());
    let h2c = section.read("h2c", |value| value.boolean());
    let checks = forward_auth(section, address.as_ref());
    let serves = match (redirects?, h2c?) {
        _ if section.has("forward_auth") => Serves::Checks(checks??),
        (true, false) => Serves::RedirectsToHttps,
        (false, true) => Serves::EverythingAndH2c,
        (false, false) => Serves::Everything,
        (true, true) => {
            let wrong = "means nothing on a listener that sends everybody on";
            section.reading.problem(&section.place("h2c"), wrong, "leave it out");
            return None;
        }
    };
    for (key, of) in
        [("redirect_to_https", Serves::RedirectsToHttps), ("h2c", Serves::EverythingAndH2c)]
    {
        if serves == of && has_tls(section) {
            section.reading.problem(
                &section.place(key),
                "means nothing on a listener with TLS",
                "leave it out, or write it on a listener without certificate and key",
            );
        }
    }
    let address = address?;
    let introduced_by = introduced_by(section, &address)?;
    Some(Listener { name, address, tls: tls?, introduced_by, serves })
}

/// Reads whose PROXY headers are believed; `None`, reported, where nobody could come.
pub(super) fn introduced_by(section: &Section, address: &ListenAddress) -> Option<Option<Proxies>> {
    let key = "proxy_protocol_from";
    if !section.has(key) {
        return Some(None);
    }
    let places = section.optional(key, |value| {
        let places = value.distinct(place)?;
        match places.is_empty() {
            true => value.refuse("is empty: nobody could connect", value.key.hint()),
            false => Some(places),
        }
    })?;
    if !places.iter().all(|place| address.is_reached_from(place)) {
        let (wrong, instead) = match address {
            ListenAddress::Network(_) => (
                "nobody comes by a unix socket to an address on the network",
                "name the balancer's address",
            ),
            ListenAddress::Unix(_) => {
                ("nobody on the network connects to a unix socket", "write [\"unix\"]")
            }
        };
        section.reading.problem(&section.place(key), wrong, instead);
        return None;
    }
    Some(Some(Proxies::new(places)))
}

fn refuse_taken(listener: &Listener, section: &Section, taken: &[(ListenAddress, String)]) {
    let same = |(address, _): &&(ListenAddress, String)| address.collides(&listener.address);
    if let Some((address, other)) = taken.iter().find(same) {
        let reading: &Reading = section.reading;
        reading.problem(
            &section.place("address"),
            format!("{address} is taken by [listener.{other}]"),
            address.instead(),
        );
    }
}
