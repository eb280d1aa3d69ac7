//! `[admin]`: where health, readiness and version are answered, and who may end sessions there.

use std::net::SocketAddr;

use subtle::ConstantTimeEq as _;

use crate::crypto::{Secret, sha256};

use super::key_ring::making_keys;
use super::listener::socket_address;
use super::secret_source::secret;
use super::section::Section;
use super::value::Value;
use super::{Key, Listener, Table};

pub(super) const TABLE: Table = Table {
    header: "admin",
    keys: &[
        Key::defaulted("enabled", "true"),
        Key::defaulted("address", "\"127.0.0.1:9321\""),
        Key::optional("tokens", "[{ file = \"admin.token\" }]"),
    ],
};

/// The admin listener; `None` when switched off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    pub address: Option<SocketAddr>,
    /// Each of them lets a caller use the admin API; with none it is off.
    pub tokens: Vec<AdminToken>,
}

/// Where it listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdminPlace {
    /// `None` when switched off.
    pub address: Option<SocketAddr>,
}

/// A credential of the admin API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminToken(Secret);

impl AdminToken {
    /// A credential of 32 visible ASCII characters or more; `None` for anything shorter or other.
    pub fn new(secret: Secret) -> Option<Self> {
        let text = secret.reveal();
        let fits = text.len() >= LEAST && text.len() <= MOST;
        (fits && text.bytes().all(|byte| byte.is_ascii_graphic())).then_some(Self(secret))
    }

    /// The credential itself; the name is there to be searched for in reviews.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// Whether somebody brought this one. How long that takes tells nothing of where two differ, or of how
    /// long ours is: what is compared are digests.
    pub fn matches(&self, given: &str) -> bool {
        let digest = |text: &str| sha256(&[b"admin token", text.as_bytes()]);
        digest(self.0.reveal()).ct_eq(&digest(given)).into()
    }

    /// What the audit log calls it: 4 bytes of a digest, in hexadecimal.
    pub fn name(&self) -> String {
        let digest = sha256(&[b"superid-gateway admin token v1", self.0.reveal().as_bytes()]);
        digest[..4].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Reads the table.
pub(super) fn admin(root: &Section) -> Option<Admin> {
    let section = root.section("admin", TABLE.keys);
    let tokens = section.optional("tokens", |value| value.distinct(token)).unwrap_or_default();
    let AdminPlace { address } = listening(root)?;
    if let Some(address) = address.filter(|address| !address.ip().is_loopback()) {
        let danger = match tokens.is_empty() {
            true => "it asks nobody who they are",
            false => "admin.tokens would cross the network in the clear",
        };
        section.reading.warn(
            &section.place("address"),
            format!("{address} can be reached from other machines, and {danger}"),
            "use a loopback address such as \"127.0.0.1:9321\", or guard the port",
        );
    }
    Some(Admin { address, tokens })
}

/// Where the listener is, whatever the credentials are.
pub(super) fn listening(root: &Section) -> Option<AdminPlace> {
    let section = root.section("admin", TABLE.keys);
    let enabled = section.read("enabled", |value| value.boolean());
    let address = section.read("address", socket_address)?;
    Some(AdminPlace { address: enabled?.then_some(address) })
}

fn token(value: &Value) -> Option<AdminToken> {
    let making = making_keys(value.reading.file);
    let secret = secret(value, &making)?;
    AdminToken::new(secret).or_else(|| {
        value.refuse(
            format!("is no credential of {LEAST} to {MOST} visible ASCII characters"),
            format!("remove it and {making}"),
        )
    })
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

/// Characters: with 32 of them nobody guesses one that was made at random.
const LEAST: usize = 32;
const MOST: usize = 512;
