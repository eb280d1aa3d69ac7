//! A list of keys that seal: the first of them seals, all of them open.

use std::path::PathBuf;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::crypto::{KeyRing, Secret};

use super::given::ENVIRONMENT;
use super::secret_source::{secret, secret_file};
use super::value::Value;

/// Reads a list of secrets of 32 bytes each. `what` is what they are to seal, with its article.
pub(super) fn key_ring(value: &Value, what: &str) -> Option<KeyRing> {
    let keys = value.distinct(key)?;
    if keys.is_empty() {
        return value.refuse(format!("is empty: nothing could seal {what}"), value.key.hint());
    }
    Some(KeyRing::new(&keys))
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

fn key(value: &Value) -> Option<[u8; 32]> {
    let making = making_keys(value.reading.file);
    let secret = secret(value, &making)?;
    let standard = Secret::new(secret.reveal().trim().replace('-', "+").replace('_', "/"));
    let decoded = BASE64.decode(standard.reveal());
    match decoded.map(<[u8; 32]>::try_from) {
        Ok(Ok(key)) => Some(key),
        Ok(Err(bytes)) => value.refuse(
            format!("holds {} bytes, not 32", bytes.len()),
            format!("remove it and {making}"),
        ),
        Err(_) => value.refuse("is not base64", format!("remove it and {making}")),
    }
}

/// With or without padding; the url-safe letters are replaced beforehand.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
