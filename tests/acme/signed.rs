//! What clients sign (RFC 8555 §6.2): taken apart, and believed only where the signature holds.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// A request body, before anything of it is believed.
pub struct Signed {
    pub header: Value,
    pub payload: Vec<u8>,
    input: String,
    signature: Vec<u8>,
}

/// A client's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKey {
    point: Vec<u8>,
    /// RFC 7638.
    pub thumbprint: String,
}

impl Signed {
    pub fn read(body: &Value) -> Option<Self> {
        let part = |name: &str| body[name].as_str();
        let (header, payload) = (part("protected")?, part("payload")?);
        Some(Self {
            header: serde_json::from_slice(&decoded(header)?).ok()?,
            payload: decoded(payload)?,
            input: format!("{header}.{payload}"),
            signature: decoded(part("signature")?)?,
        })
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap_or(Value::Null)
    }

    pub fn holds(&self, key: &ClientKey) -> bool {
        let alg = self.header["alg"] == "ES256";
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &key.point);
        alg && key.verify(self.input.as_bytes(), &self.signature).is_ok()
    }

    /// Whether it is signed with the key of an external account (RFC 8555 §7.3.4).
    pub fn holds_by(&self, secret: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let alg = self.header["alg"] == "HS256";
        alg && hmac::verify(&key, self.input.as_bytes(), &self.signature).is_ok()
    }
}

impl ClientKey {
    pub fn read(jwk: &Value) -> Option<Self> {
        let (x, y) = (jwk["x"].as_str()?, jwk["y"].as_str()?);
        if jwk["kty"] != "EC" || jwk["crv"] != "P-256" {
            return None;
        }
        let point = [vec![4], decoded(x)?, decoded(y)?].concat();
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let thumbprint = encoded(digest(&SHA256, canonical.as_bytes()).as_ref());
        Some(Self { point, thumbprint })
    }
}

pub fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
