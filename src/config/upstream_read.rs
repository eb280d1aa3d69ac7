//! Reads `[upstream.NAME]`, and the URL of a server wherever one stands.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::crypto::{Authorities, ClientIdentity, Secret};
use crate::web::ProxyVersion;

use super::certificate::existing_file;
use super::reading::{Place, quoted};
use super::secret_source::{read_small, warn_when_open};
use super::section::{Named, Section};
use super::upstream::TABLE;
use super::url_path::{canonical_path, host_and_port, plain_url};
use super::value::Value;
use super::{
    Balance, Ejection, HashBy, HealthCheck, Key, Server, ServerPlace, Servers, UpstreamProtocol,
    UpstreamScheme, UpstreamTls,
};

/// The keys of a server's inline table.
const SERVER: &[Key] =
    &[Key::required("url", "\"http://10.0.0.1:3000\""), Key::defaulted("weight", "1")];

/// Reads every upstream; a broken one, reported, is known by its name alone.
/// Says of each where its table stands.
pub(super) fn upstreams(root: &Section) -> (Named<Servers>, Vec<Place>) {
    let (mut entries, mut places) = (BTreeMap::new(), Vec::new());
    for (name, section) in root.named("upstream", TABLE.keys) {
        if name == "tenant" {
            let wrong = "\"tenant\" means the web services of a person's own tenant";
            section.reading.problem(&section.header, wrong, "choose another name");
        }
        let read = servers(&name, &section).map(Arc::new);
        if read.is_some() {
            places.push(section.header);
        }
        entries.insert(name, read);
    }
    (Named { what: "upstream", entries }, places)
}

fn servers(name: &str, section: &Section) -> Option<Servers> {
    let each = section.read("servers", |value| {
        let each = value.list(server)?;
        match each.len() {
            0 => value.refuse("is empty: there is nobody to ask", value.key.hint()),
            1..=MOST => Some(each),
            _ => value.refuse("is too long", format!("write {MOST} servers at most")),
        }
    });
    let each = each.filter(|each| refuse_twice(section, each).is_some());
    let protocol = section.read("protocol", |value| {
        value.choice(&[("http/1.1", UpstreamProtocol::Http1), ("http/2", UpstreamProtocol::Http2)])
    });
    let balance = balance(section);
    let health = health(section);
    let ejection = ejection(section);
    let tls = tls(section);
    let introduction = read_or_absent(section, "proxy_protocol", |value| {
        value.choice(&[("v1", ProxyVersion::V1), ("v2", ProxyVersion::V2)])
    });
    let (mut each, protocol) = (each?, protocol?);
    each.iter_mut().for_each(|server| server.protocol = protocol);
    let speaks_tls = each.iter().any(|server| server.scheme == UpstreamScheme::Https);
    for key in ["ca", "certificate", "key", "server_name"] {
        if section.has(key) && !speaks_tls {
            let wrong = "is for https:// alone, and none of the servers speaks it";
            section.reading.problem(&section.place(key), wrong, "leave it out");
        }
    }
    Some(Servers {
        name: Some(name.to_owned()),
        each,
        balance: balance?,
        health: health?,
        ejection: ejection?,
        tls: tls?,
        introduction: introduction?,
    })
}

fn server(value: &Value) -> Option<Server> {
    if value.raw.as_str().is_some() {
        return server_url(value);
    }
    let section = Section::inline(value, SERVER)?;
    let server = section.read("url", server_url);
    let weight = section.read("weight", |value| value.count(1, 100));
    Some(Server { weight: weight?, ..server? })
}

fn refuse_twice(section: &Section, each: &[Server]) -> Option<()> {
    for (at, server) in each.iter().enumerate() {
        let same = |other: &Server| (other.scheme, &other.place) == (server.scheme, &server.place);
        if each[..at].iter().any(same) {
            let wrong = format!("{server} stands in the list twice");
            let instead =
                "leave one of them out; write { url = \"…\", weight = 2 } for a larger share";
            section.reading.problem(&section.place("servers"), wrong, instead);
            return None;
        }
    }
    Some(())
}

fn balance(section: &Section) -> Option<Balance> {
    let by = section.read("hash_by", |value| {
        value.choice(&[("address", HashBy::Address), ("tenant", HashBy::Tenant)])
    });
    let balance = section.read("balance", |value| {
        value.choice(&[
            ("least_in_flight", Balance::LeastInFlight),
            ("round_robin", Balance::RoundRobin),
            ("hash", Balance::Hash(HashBy::Address)),
        ])
    });
    match balance? {
        Balance::Hash(_) => by.map(Balance::Hash),
        other if by == Some(HashBy::Tenant) => {
            let wrong = "means nothing without balance = \"hash\"";
            section.reading.problem(&section.place("hash_by"), wrong, "leave it out");
            by.map(|_| other)
        }
        other => by.map(|_| other),
    }
}

fn health(section: &Section) -> Option<Option<HealthCheck>> {
    let interval = section.read("health_interval", |value| value.duration(1, 3_600));
    let timeout = section.read("health_timeout", |value| value.duration(1, 60));
    let healthy_after = section.read("healthy_after", |value| value.count(1, 100));
    let unhealthy_after = section.read("unhealthy_after", |value| value.count(1, 100));
    let host = section.optional("health_host", host_and_port);
    if !section.has("health_path") {
        for key in
            ["health_host", "health_interval", "health_timeout", "healthy_after", "unhealthy_after"]
        {
            if section.has(key) {
                let wrong = "means nothing without health_path";
                let instead = "add health_path = \"/health\", or leave it out";
                section.reading.problem(&section.place(key), wrong, instead);
            }
        }
        return Some(None);
    }
    let path = section.optional("health_path", canonical_path);
    if section.has("health_host") && host.is_none() {
        return None;
    }
    Some(Some(HealthCheck {
        path: path?,
        host,
        interval: interval?,
        timeout: timeout?,
        healthy_after: healthy_after?,
        unhealthy_after: unhealthy_after?,
    }))
}

fn ejection(section: &Section) -> Option<Ejection> {
    let after = section.read("eject_after", |value| value.count(0, 1_000));
    let time = section.read("eject_time", |value| value.duration(1, 3_600));
    let most_percent = section.read("max_ejected", |value| value.count(0, 100));
    Some(Ejection { after: after?, time: time?, most_percent: most_percent? })
}

fn tls(section: &Section) -> Option<UpstreamTls> {
    let authorities = read_or_absent(section, "ca", believed);
    let server_name = read_or_absent(section, "server_name", |value| {
        let text = value.line(253)?;
        match rustls_pki_types::ServerName::try_from(text.as_str()) {
            Ok(_) => Some(text.to_ascii_lowercase()),
            Err(_) => value.refuse(format!("{} is no name", quoted(&text)), value.key.hint()),
        }
    });
    let chain = read_or_absent(section, "certificate", pem);
    let key = read_or_absent(section, "key", |value| {
        let path = existing_file(value)?;
        warn_when_open(value, &path);
        pem(value).map(Secret::new)
    });
    let shown = match (chain?, key?) {
        (None, None) => None,
        (Some(chain), Some(key)) => match ClientIdentity::from_pem(&chain, &key) {
            Ok(shown) => Some(shown),
            Err(reason) => {
                let wrong = format!("and key do not make a certificate to show: {reason}");
                let instead = "name a PEM chain, leaf first, and its private key";
                section.reading.problem(&section.place("certificate"), wrong, instead);
                return None;
            }
        },
        (Some(_), None) => return half(section, "key", "certificate"),
        (None, Some(_)) => return half(section, "certificate", "key"),
    };
    Some(UpstreamTls { authorities: authorities?, shown, server_name: server_name? })
}

/// Authorities from a PEM file.
pub(super) fn believed(value: &Value) -> Option<Authorities> {
    let text = pem(value)?;
    Authorities::from_pem(&text).map_err(|reason| no_pem::<()>(value, &reason)).ok()
}

fn half<T>(section: &Section, missing: &str, given: &str) -> Option<T> {
    let wrong = format!("is missing beside {given}");
    let instead = format!("write both, or leave {given} out to show no certificate");
    section.reading.problem(&section.place(missing), wrong, instead);
    None
}

/// The text of a PEM file.
pub(super) fn pem(value: &Value) -> Option<String> {
    let path = existing_file(value)?;
    read_small(&path).map_err(|error| no_pem::<()>(value, &error.to_string())).ok()
}

fn no_pem<T>(value: &Value, reason: &str) -> Option<T> {
    value.refuse(format!("cannot be used: {reason}"), "name a PEM file")
}

/// `Some(None)` when the key is not written, `None` when it is wrong.
fn read_or_absent<T>(
    section: &Section,
    name: &str,
    convert: impl FnOnce(&Value) -> Option<T>,
) -> Option<Option<T>> {
    match section.has(name) {
        true => section.optional(name, convert).map(Some),
        false => Some(None),
    }
}

/// One server by its URL: scheme, host and port, or `unix://` and a path.
pub(super) fn server_url(value: &Value) -> Option<Server> {
    let text = value.text()?;
    if let Some(path) = text.strip_prefix("unix://") {
        return socket(value, path);
    }
    let url = plain_url(value, "http")?;
    let scheme = match url.scheme() {
        "http" => UpstreamScheme::Http,
        "https" => UpstreamScheme::Https,
        other => {
            let wrong = format!("{} speaks {other}", quoted(text));
            return value.refuse(wrong, "write an http or https URL, or unix:// and a path");
        }
    };
    if url.path() != "/" {
        let wrong = format!("{} has a path, and paths are forwarded as they come", quoted(text));
        let before = url.origin().ascii_serialization();
        return value.refuse(wrong, format!("write {}", quoted(&before)));
    }
    match (url.host_str(), url.port_or_known_default()) {
        (Some(host), Some(port)) if port != 0 => {
            let host = host.trim_matches(['[', ']']).to_owned();
            let (place, protocol) = (ServerPlace::Net { host, port }, UpstreamProtocol::Http1);
            Some(Server { scheme, protocol, place, weight: 1 })
        }
        _ => value.refuse(format!("{} has no port to call", quoted(text)), value.key.hint()),
    }
}

/// Linux's name for a socket has 107 bytes at most.
fn socket(value: &Value, path: &str) -> Option<Server> {
    if !path.starts_with('/') || path.len() > 107 || path.contains('\0') {
        let wrong = format!("{} is no path of a socket", quoted(path));
        return value.refuse(wrong, "write \"unix:///run/app.sock\", at most 107 bytes of path");
    }
    let place = ServerPlace::Socket(PathBuf::from(path));
    let (scheme, protocol) = (UpstreamScheme::Http, UpstreamProtocol::Http1);
    Some(Server { scheme, protocol, place, weight: 1 })
}

const MOST: usize = 64;
