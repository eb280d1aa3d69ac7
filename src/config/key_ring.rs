//! A list of keys that seal: the first of them seals, all of them open.

use std::path::PathBuf;

use crate::crypto::{KeyId, KeyList, KeyRing, name_of};

use super::given::ENVIRONMENT;
use super::reading::quoted;
use super::secret_source::{secret, secret_file};
use super::value::Value;

/// Reads a list of secrets, each a key of 32 bytes or a list of such. `what` is what they are to seal,
/// with its article.
pub(super) fn key_ring(value: &Value, what: &str) -> Option<KeyRing> {
    ring_and_revoked(value, what).map(|(ring, _)| ring)
}

/// The same, with those that the lists say are revoked.
pub(super) fn ring_and_revoked(value: &Value, what: &str) -> Option<(KeyRing, Vec<KeyId>)> {
    let lists = value.distinct(list)?;
    let keys: Vec<[u8; 32]> = lists.iter().flat_map(KeyList::keys).copied().collect();
    if keys.is_empty() {
        return value.refuse(format!("is empty: nothing could seal {what}"), value.key.hint());
    }
    let revoked = lists.iter().flat_map(KeyList::revoked).copied().collect();
    Some((KeyRing::new(&keys), revoked))
}

/// A list of names of keys.
pub(super) fn names(value: &Value) -> Option<Vec<KeyId>> {
    value.distinct(|item| {
        let text = item.text()?;
        let name = name_of(text);
        name.or_else(|| {
            item.refuse(
                format!("{} names no key", quoted(text)),
                "write the eight letters that `superid-gateway keys list` shows",
            )
        })
    })
}

/// The files such a list names, there or not.
pub(super) fn files(value: &Value) -> Option<Vec<PathBuf>> {
    let path = |file: &Value| Some(file.reading.path(file.text()?));
    let files = value.list(|key| secret_file(key, path))?;
    Some(files.into_iter().flatten().collect())
}

/// What makes the keys a configuration asks for.
pub(super) fn making_keys(file: &str) -> String {
    match file {
        ENVIRONMENT => "run `superid-gateway keys` to make it".to_owned(),
        file => format!("run `superid-gateway keys --config {file}` to make it"),
    }
}

fn list(value: &Value) -> Option<KeyList> {
    let making = making_keys(value.reading.file);
    let secret = secret(value, &making)?;
    match KeyList::read(secret.reveal()) {
        Ok(list) => Some(list),
        Err(why) => value.refuse(why.to_string(), format!("remove it and {making}")),
    }
}
