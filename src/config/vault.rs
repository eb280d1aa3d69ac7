//! `[vault]`: where system user tokens are kept, and what seals them.

use std::path::PathBuf;

use crate::crypto::KeyRing;

use super::key_ring::key_ring;
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
    /// This process alone: they are gone with it.
    Memory,
}

/// Reads the table, where it is written.
pub(super) fn vault(root: &Section) -> Option<Vault> {
    let section = root.section("vault", TABLE.keys);
    let keys = section.read("keys", |value| key_ring(value, "a token"));
    let path = section.read("path", file);
    let memory = section
        .read("place", |value| value.choice(&[("file", Place::File), ("memory", Place::Memory)]));
    let place = match memory? {
        Place::File => VaultPlace::File(path?),
        Place::Memory if section.has("path") => {
            section.reading.problem(
                &section.place("path"),
                "names a file, and place = \"memory\" writes none",
                "leave it out, or write place = \"file\"",
            );
            return None;
        }
        Place::Memory => VaultPlace::Memory,
    };
    Some(Vault { place, keys: keys? })
}

#[derive(Clone, Copy)]
enum Place {
    File,
    Memory,
}

fn file(value: &Value) -> Option<PathBuf> {
    let name = value.line(1_024)?;
    Some(value.reading.path(&name))
}
