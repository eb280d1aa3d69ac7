//! The public halves of our keys as a JSON Web Key Set (RFC 7517 §5).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::{Es256Key, plain_sha256};

/// The set, with every key in it, as JSON.
pub(super) fn key_set(keys: &[Es256Key]) -> String {
    let keys: Vec<serde_json::Value> = keys
        .iter()
        .map(|key| {
            let (x, y) = coordinates(key);
            serde_json::json!({
                "kty": "EC", "crv": "P-256", "x": x, "y": y,
                "kid": thumbprint(key), "alg": "ES256", "use": "sig",
            })
        })
        .collect();
    serde_json::json!({ "keys": keys }).to_string()
}

/// The key's name: its thumbprint (RFC 7638 §3), which two keys never share.
pub(super) fn thumbprint(key: &Es256Key) -> String {
    let (x, y) = coordinates(key);
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(plain_sha256(canonical.as_bytes()))
}

fn coordinates(key: &Es256Key) -> (String, String) {
    let (x, y) = key.public();
    (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y))
}
