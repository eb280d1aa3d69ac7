//! `[forwarded]`: whose word about the client is believed.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::web::{Proxies, ProxyPlace};

use super::reading::quoted;
use super::section::Section;
use super::value::Value;
use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "forwarded",
    keys: &[Key::defaulted("trusted_proxies", "[]").such_as("[\"10.0.0.0/8\", \"192.0.2.1\"]")],
};

/// Proxies in front of us whose `X-Forwarded-For` is read; empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    pub trusted_proxies: Proxies,
}

/// Reads the table.
pub(super) fn forwarded(root: &Section) -> Option<Forwarded> {
    let section = root.section("forwarded", TABLE.keys);
    let trusted_proxies = section.read("trusted_proxies", |value| value.distinct(place))?;
    Some(Forwarded { trusted_proxies: Proxies::new(trusted_proxies) })
}

/// A network, an address, or `"unix"` for programs of this machine at a socket in the file system.
pub(super) fn place(value: &Value) -> Option<ProxyPlace> {
    match value.text()? {
        "unix" => Some(ProxyPlace::Unix),
        _ => network(value).map(ProxyPlace::Network),
    }
}

fn network(value: &Value) -> Option<IpNet> {
    let text = value.text()?;
    let Some(network) = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
    else {
        let instead = "write an IP address, or a network such as \"10.0.0.0/8\"";
        return value.refuse(format!("{} is not a network", quoted(text)), instead);
    };
    if network.prefix_len() == 0 {
        let wrong = format!("{} trusts everybody", quoted(text));
        return value.refuse(wrong, "list the proxies in front of this gateway");
    }
    if network != network.trunc() {
        let wrong = format!("{} has bits beyond its length", quoted(text));
        return value.refuse(wrong, format!("write \"{}\"", network.trunc()));
    }
    Some(network)
}
