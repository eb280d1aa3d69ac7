//! `[admin]`: where health, readiness and version are answered.

use std::net::SocketAddr;

use super::listener::socket_address;
use super::section::Section;
use super::{Key, Listener, Table};

pub(super) const TABLE: Table = Table {
    header: "admin",
    keys: &[Key::defaulted("enabled", "true"), Key::defaulted("address", "\"127.0.0.1:9321\"")],
};

/// The admin listener; `None` when switched off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    pub address: Option<SocketAddr>,
}

/// Reads the table.
pub(super) fn admin(root: &Section) -> Option<Admin> {
    let section = root.section("admin", TABLE.keys);
    let enabled = section.read("enabled", |value| value.boolean());
    let address = section.read("address", socket_address)?;
    if !enabled? {
        return Some(Admin { address: None });
    }
    if !address.ip().is_loopback() {
        section.reading.warn(
            &section.place("address"),
            format!(
                "{address} can be reached from other machines, and it asks nobody who they are"
            ),
            "use a loopback address such as \"127.0.0.1:9321\", or guard the port",
        );
    }
    Some(Admin { address: Some(address) })
}

/// Reports an admin address that a listener has too.
pub(super) fn refuse_taken(root: &Section, admin: &Admin, listeners: &[Listener]) {
    let Some(address) = admin.address.filter(|address| address.port() != 0) else { return };
    if let Some(listener) =
        listeners.iter().find(|listener| listener.address.network() == Some(address))
    {
        let section = root.section("admin", TABLE.keys);
        section.reading.problem(
            &section.place("address"),
            format!("{address} is taken by [listener.{}]", listener.name),
            "choose another port",
        );
    }
}
