//! What goes with a call to a provider to prove that it is ours.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use form_urlencoded::Serializer;
use http::HeaderValue;
use serde_json::json;

use crate::clock::Timestamp;
use crate::config::{AssertionSigner, ClientAuthentication};
use crate::crypto::Random;
use crate::superid::ErrorCode;

use super::failure::ProviderFailed;

/// Who proves what to whom, and when.
#[derive(Clone, Copy)]
pub(super) struct Proving<'a> {
    pub(super) client_id: &'a str,
    /// Whom an assertion is for, as the configuration says it ([`crate::config::Provider::audience`]).
    pub(super) audience: &'a str,
    pub(super) now: Timestamp,
    pub(super) random: &'a Random,
}

/// A form with these fields and the proof, or the `Authorization` that goes beside it.
///
/// # Errors
/// [`ProviderFailed::Misconfigured`] where it cannot be made.
pub(super) fn proven(
    client: &ClientAuthentication,
    proving: Proving<'_>,
    fields: &[(impl AsRef<str>, impl AsRef<str>)],
) -> Result<(String, Option<HeaderValue>), ProviderFailed> {
    let mut form = Serializer::new(String::new());
    for (name, value) in fields {
        form.append_pair(name.as_ref(), value.as_ref());
    }
    match client {
        ClientAuthentication::Basic(secret) => {
            let authorization = basic(proving.client_id, secret.reveal())?;
            return Ok((form.finish(), Some(authorization)));
        }
        ClientAuthentication::Post(secret) => {
            form.append_pair("client_secret", secret.reveal());
        }
        ClientAuthentication::SignedJwt(signer) => {
            form.append_pair("client_assertion_type", ASSERTION)
                .append_pair("client_assertion", &assertion(signer, proving)?);
        }
        ClientAuthentication::Certificate(_) | ClientAuthentication::Nobody => {}
    }
    form.append_pair("client_id", proving.client_id);
    Ok((form.finish(), None))
}

/// As a form has it.
pub(super) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// RFC 6749 §2.3.1: both parts are form-urlencoded before they are joined.
fn basic(client_id: &str, secret: &str) -> Result<HeaderValue, ProviderFailed> {
    let pair = format!("{}:{}", encoded(client_id), encoded(secret));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)))
        .map_err(|_| misconfigured("unusable_client_secret"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// RFC 7523 §3 and OpenID Connect Core §9: ours, for the provider alone, for a minute, once.
fn assertion(signer: &AssertionSigner, proving: Proving<'_>) -> Result<String, ProviderFailed> {
    let mut header = json!({"alg": signer.key.algorithm(), "typ": "JWT"});
    if let Some(key_id) = &signer.key_id {
        header["kid"] = json!(key_id);
    }
    if let Some(thumbprint) = &signer.thumbprint {
        header["x5t#S256"] = json!(URL_SAFE_NO_PAD.encode(thumbprint));
    }
    let now = proving.now.0;
    let id: [u8; 16] = proving.random.bytes();
    let claims = json!({
        "iss": proving.client_id, "sub": proving.client_id, "aud": proving.audience,
        "jti": URL_SAFE_NO_PAD.encode(id), "iat": now, "nbf": now, "exp": now + LIFE,
    });
    let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = signer.key.sign(message.as_bytes());
    let signature = signature.map_err(|_| misconfigured("unusable_client_key"))?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn misconfigured(error: &str) -> ProviderFailed {
    ProviderFailed::Misconfigured { error: ErrorCode::of(error) }
}

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Seconds an assertion is good for.
const LIFE: u64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_of_a_basic_proof_are_encoded_before_they_are_joined() {
        let header = basic("a:b", "p%s +\u{e9}").unwrap();
        let pair = STANDARD.decode(header.to_str().unwrap().strip_prefix("Basic ").unwrap());
        assert_eq!(pair.unwrap(), b"a%3Ab:p%25s+%2B%C3%A9");
        assert!(header.is_sensitive());
    }
}
