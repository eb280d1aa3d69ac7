//! `[vault]`: where system user tokens are kept, and what seals them.

use std::path::PathBuf;

use crate::crypto::KeyRing;

use super::key_ring::key_ring;
use super::redis::Redis;
use super::section::Section;
use super::value::Value;
use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "vault",
    keys: &[
        Key::required("keys", "[{ file = \"vault.key\" }]"),
        Key::defaulted("place", "\"file\""),
        Key::defaulted("path", "\"vault.db\""),
    ],
};

/// What keeps tokens across restarts.
#[derive(Clone, Debug)]
pub struct Vault {
    pub place: VaultPlace,
    /// The first key seals, all of them open.
    pub keys: KeyRing,
}

/// Where the entries lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultPlace {
    /// A file of ours.
    File(PathBuf),
    /// The server of `[redis]`, which several machines share.
    Redis(Box<Redis>),
    /// This process alone: they are gone with it.
    Memory,
}

/// Reads the table, where it is written; `redis` is what was read of `[redis]`.
pub(super) fn vault(root: &Section, redis: Option<&Option<Redis>>) -> Option<Vault> {
    let section = root.section("vault", TABLE.keys);
    let keys = section.read("keys", |value| key_ring(value, "a token"));
    let path = section.read("path", file);
    let kind = section.read("place", |value| value.choice(PLACES))?;
    if !matches!(kind, Place::File) && section.has("path") {
        section.reading.problem(
            &section.place("path"),
            format!("names a file, and place = \"{}\" writes none", kind.word()),
            "leave it out, or write place = \"file\"",
        );
        return None;
    }
    let place = match kind {
        Place::File => VaultPlace::File(path?),
        Place::Memory => VaultPlace::Memory,
        Place::Redis => VaultPlace::Redis(Box::new(shared(&section, redis?)?)),
    };
    Some(Vault { place, keys: keys? })
}

fn shared(section: &Section, redis: &Option<Redis>) -> Option<Redis> {
    if redis.is_none() {
        section.reading.problem(
            &section.place("place"),
            "needs a server, and [redis] names none",
            "add [redis] with url = \"rediss://redis.example:6380/0\"",
        );
    }
    redis.clone()
}

#[derive(Clone, Copy)]
enum Place {
    File,
    Memory,
    Redis,
}

const PLACES: &[(&str, Place)] =
    &[("file", Place::File), ("memory", Place::Memory), ("redis", Place::Redis)];

impl Place {
    fn word(self) -> &'static str {
        PLACES[self as usize].0
    }
}

fn file(value: &Value) -> Option<PathBuf> {
    let name = value.line(1_024)?;
    Some(value.reading.path(&name))
}
