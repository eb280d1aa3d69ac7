//! Directories and object ids, made up from the emulator's cast.

use aws_lc_rs::digest::{SHA256, digest};

use super::super::seed::Person;
use super::super::world::World;

/// The directory of accounts that belong to no organisation, as at Microsoft.
const PRIVATE: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// `tid`: one for each e-mail domain; people without an account in any tenant are private ones.
pub(super) fn directory(person: &Person) -> String {
    match person.email.split_once('@') {
        Some((_, domain)) if !person.memberships.is_empty() => guid(&format!("tid {domain}")),
        _ => PRIVATE.to_owned(),
    }
}

/// `oid`.
pub(super) fn object_id(person: &Person) -> String {
    guid(&format!("oid {}", person.upn.to_ascii_lowercase()))
}

/// The issuer of a directory's tokens, with a slash at the end as Microsoft's have.
pub(super) fn issuer(world: &World, directory: &str) -> String {
    format!("{}/entra/{directory}/", world.base)
}

/// Whether the address a request came to lets this directory in.
pub(super) fn lets_in(asked: &str, directory: &str) -> bool {
    match asked.to_ascii_lowercase().as_str() {
        "common" => true,
        "organizations" => directory != PRIVATE,
        "consumers" => directory == PRIVATE,
        asked => asked == directory,
    }
}

fn guid(seed: &str) -> String {
    let hash = digest(&SHA256, seed.as_bytes());
    let hex: String = hash.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}
