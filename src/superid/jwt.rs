//! Compact JWS (RFC 7515 §3.1) as strictly as it can be read, under the algorithms that are allowed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::jwk::ThumbprintHash;

use crate::config::SigningAlgorithm;

use super::failure::ClaimsRefused;
use super::json::{JsonRefused, Object};
use super::jwks::KeySet;
use super::key_hint::KeyHint;

/// Checks a token's form, header and signature, and gives its payload's bytes. Nothing in them
/// has been looked at: issuer, audience and times are the caller's to check.
///
/// # Errors
/// [`ClaimsRefused`] when the form, the header or the signature is not right.
pub fn verify_signature(token: &str, keys: &KeySet) -> Result<Vec<u8>, ClaimsRefused> {
    UnverifiedToken::parse(token)?.signed_by(keys).map(<[u8]>::to_vec)
}

/// A well-formed token whose signature nobody has checked. All it tells is the key it names.
pub(crate) struct UnverifiedToken<'a> {
    algorithm: SigningAlgorithm,
    signed: &'a str,
    signature: &'a str,
    key: KeyHint,
    payload: Vec<u8>,
}

impl<'a> UnverifiedToken<'a> {
    /// One of SuperID's, which signs with RS256.
    pub(crate) fn parse(token: &'a str) -> Result<Self, ClaimsRefused> {
        Self::parse_under(token, &[SigningAlgorithm::Rs256])
    }

    /// One that may be signed with one of these.
    pub(crate) fn parse_under(
        token: &'a str,
        allowed: &[SigningAlgorithm],
    ) -> Result<Self, ClaimsRefused> {
        Self::parse_typed(token, allowed, &["JWT"])
    }

    /// One that ends sessions, which may be typed so (OpenID Connect Back-Channel Logout §2.4).
    pub(crate) fn parse_logout(
        token: &'a str,
        allowed: &[SigningAlgorithm],
    ) -> Result<Self, ClaimsRefused> {
        Self::parse_typed(token, allowed, &["JWT", "logout+jwt"])
    }

    fn parse_typed(
        token: &'a str,
        allowed: &[SigningAlgorithm],
        types: &[&str],
    ) -> Result<Self, ClaimsRefused> {
        if token.len() > LONGEST {
            return Err(ClaimsRefused::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(ClaimsRefused::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(ClaimsRefused::Malformed)?;
        decode(signature)?;
        let (algorithm, key) = key_of(&object(&decode(header)?)?, allowed, types)?;
        Ok(Self { algorithm, signed, signature, key, payload: decode(payload)? })
    }

    pub(crate) fn key(&self) -> &KeyHint {
        &self.key
    }

    /// The payload's bytes, once the key they name has signed them.
    pub(crate) fn signed_by(&self, keys: &KeySet) -> Result<&[u8], ClaimsRefused> {
        let key = keys.find(&self.key).ok_or(ClaimsRefused::KeyUnknown)?;
        let key = key.verifying(self.algorithm).ok_or(ClaimsRefused::KeyUnknown)?;
        let algorithm = match self.algorithm {
            SigningAlgorithm::EdDsa => Algorithm::EdDSA,
            SigningAlgorithm::Es256 => Algorithm::ES256,
            SigningAlgorithm::Ps256 => Algorithm::PS256,
            SigningAlgorithm::Rs256 => Algorithm::RS256,
        };
        let message = self.signed.as_bytes();
        match jsonwebtoken::crypto::verify(self.signature, message, key, algorithm) {
            Ok(true) => Ok(&self.payload),
            Ok(false) | Err(_) => Err(ClaimsRefused::Signature),
        }
    }

    /// The payload as claims, once the key they name has signed them.
    pub(crate) fn claims(&self, keys: &KeySet) -> Result<Object, ClaimsRefused> {
        object(self.signed_by(keys)?)
    }

    /// Which algorithm it says it was signed with.
    pub(crate) fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// SHA-256 of what is signed: the same for every spelling of one signature.
    pub(crate) fn digest(&self) -> [u8; 32] {
        sha256(self.signed.as_bytes())
    }
}

/// The left half of the digest that goes with an algorithm, in base64url: what `at_hash` and `c_hash`
/// are (OpenID Connect Core §3.1.3.6). Ed25519 digests with SHA-512 (RFC 8032 §5.1).
pub(crate) fn left_half(algorithm: SigningAlgorithm, of: &str) -> String {
    let digest = match algorithm {
        SigningAlgorithm::EdDsa => ThumbprintHash::SHA512,
        SigningAlgorithm::Es256 | SigningAlgorithm::Ps256 | SigningAlgorithm::Rs256 => {
            ThumbprintHash::SHA256
        }
    };
    let digest = (DEFAULT_PROVIDER.key_utils.compute_digest)(of.as_bytes(), digest);
    let digest = digest.expect("aws-lc has SHA-2");
    URL_SAFE_NO_PAD.encode(&digest[..digest.len() / 2])
}

/// Plain SHA-256, as `c_hash` and `at_hash` want it.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    (DEFAULT_PROVIDER.key_utils.compute_digest)(bytes, ThumbprintHash::SHA256)
        .ok()
        .and_then(|digest| digest.try_into().ok())
        .expect("SHA-256 gives 32 bytes")
}

/// A part: base64url without padding, line ends or stray bits, and not empty. A fourth part or
/// a fifth (JWE) fails here, because its dot is none of the alphabet.
fn decode(part: &str) -> Result<Vec<u8>, ClaimsRefused> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| ClaimsRefused::Malformed)?;
    if bytes.is_empty() { Err(ClaimsRefused::Malformed) } else { Ok(bytes) }
}

fn object(bytes: &[u8]) -> Result<Object, ClaimsRefused> {
    Object::parse(bytes).map_err(|refused| match refused {
        JsonRefused::Duplicate => ClaimsRefused::DuplicateMember,
        JsonRefused::Malformed => ClaimsRefused::Malformed,
    })
}

fn key_of(
    header: &Object,
    allowed: &[SigningAlgorithm],
    types: &[&str],
) -> Result<(SigningAlgorithm, KeyHint), ClaimsRefused> {
    let stated = |one: &&SigningAlgorithm| header.text("alg") == Some(one.name());
    let algorithm = *allowed.iter().find(stated).ok_or(ClaimsRefused::Algorithm)?;
    let fits = |typ: &str| types.iter().any(|one| one.eq_ignore_ascii_case(typ));
    if header.has("typ") && !header.text("typ").is_some_and(fits) {
        return Err(ClaimsRefused::Type);
    }
    if ["b64", "crit", "zip"].iter().any(|name| header.has(name)) {
        return Err(ClaimsRefused::Critical);
    }
    // A certificate chain (x5c) is not read at all: what it says cannot matter.
    if ["jku", "jwk", "x5u"].iter().any(|name| header.has(name)) {
        return Err(ClaimsRefused::EmbeddedKey);
    }
    let key = match (name(header, "kid")?, name(header, "x5t")?) {
        (Some(kid), x5t) => KeyHint::Kid { kid, x5t },
        (None, Some(x5t)) => KeyHint::X5t(x5t),
        (None, None) => KeyHint::Unnamed,
    };
    Ok((algorithm, key))
}

/// A key's name: absent, or a string; anything else would make us guess.
fn name(header: &Object, member: &str) -> Result<Option<String>, ClaimsRefused> {
    match header.text(member) {
        Some(text) if (1..=255).contains(&text.len()) => Ok(Some(text.to_owned())),
        None if !header.has(member) => Ok(None),
        _ => Err(ClaimsRefused::Malformed),
    }
}

/// SuperID's tokens are under 3 kB; a posted one should not make us hash a book.
const LONGEST: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::superid::minting::{KEY, keys};

    fn refusal(token: &str) -> Option<ClaimsRefused> {
        verify_signature(token, keys()).err()
    }

    #[test]
    fn a_signed_payload_comes_back_as_it_was() {
        let token = KEY.sign(&json!({"alg": "RS256", "kid": KEY.kid}), b"anything");
        assert_eq!(verify_signature(&token, keys()).unwrap(), b"anything");
    }

    #[test]
    fn headers_that_change_the_meaning_are_refused() {
        for (header, expected) in [
            (json!({"alg": "none"}), ClaimsRefused::Algorithm),
            (json!({"alg": "rs256"}), ClaimsRefused::Algorithm),
            (json!({"alg": "HS256"}), ClaimsRefused::Algorithm),
            (json!({"alg": ["RS256"]}), ClaimsRefused::Algorithm),
            (json!({}), ClaimsRefused::Algorithm),
            (json!({"alg": "RS256", "typ": "at+jwt"}), ClaimsRefused::Type),
            (json!({"alg": "RS256", "typ": null}), ClaimsRefused::Type),
            (json!({"alg": "RS256", "crit": ["exp"]}), ClaimsRefused::Critical),
            (json!({"alg": "RS256", "b64": false}), ClaimsRefused::Critical),
            (json!({"alg": "RS256", "zip": "DEF"}), ClaimsRefused::Critical),
            (json!({"alg": "RS256", "jwk": {}}), ClaimsRefused::EmbeddedKey),
            (json!({"alg": "RS256", "jku": "https://x"}), ClaimsRefused::EmbeddedKey),
            (json!({"alg": "RS256", "x5u": "https://x"}), ClaimsRefused::EmbeddedKey),
            (json!({"alg": "RS256", "kid": 1}), ClaimsRefused::Malformed),
            (json!({"alg": "RS256", "kid": "other"}), ClaimsRefused::KeyUnknown),
            (json!({"alg": "RS256", "x5t": "other"}), ClaimsRefused::KeyUnknown),
            (json!({"alg": "RS256", "kid": KEY.kid, "x5t": "other"}), ClaimsRefused::KeyUnknown),
        ] {
            assert_eq!(refusal(&KEY.sign(&header, b"{}")), Some(expected), "{header}");
        }
    }

    #[test]
    fn any_type_spelled_jwt_and_a_chain_nobody_reads_are_taken() {
        for header in [
            json!({"alg": "RS256"}),
            json!({"alg": "RS256", "typ": "jwt"}),
            json!({"alg": "RS256", "typ": "JWT", "x5c": ["AAAA"]}),
            json!({"alg": "RS256", "kid": KEY.kid.to_lowercase()}),
            json!({"alg": "RS256", "x5t": KEY.x5t}),
        ] {
            assert_eq!(refusal(&KEY.sign(&header, b"{}")), None, "{header}");
        }
    }

    #[test]
    fn only_three_clean_parts_are_a_token() {
        let good = KEY.sign(&json!({"alg": "RS256"}), b"{}");
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let (header, payload) = signed.split_once('.').unwrap();
        for token in [
            String::new(),
            ".".repeat(100_000),
            format!("{header}.{payload}"),
            format!("{header}.{payload}."),
            format!("{header}..{signature}"),
            format!(".{payload}.{signature}"),
            format!("{good}."),
            format!("{good}.{signature}"),
            format!("{good}.{signature}.{signature}"),
            format!("{good}="),
            format!(" {good}"),
            format!("{good}\n"),
            format!("{header}.{payload}.{}", signature.replace(['-', '_'], "+")) + "+",
            format!("{good}{}", "A".repeat(16 * 1024)),
        ] {
            assert_eq!(refusal(&token), Some(ClaimsRefused::Malformed), "{token:.60}");
        }
    }

    #[test]
    fn a_duplicate_header_member_is_refused() {
        let header = format!(r#"{{"alg":"RS256","alg":"RS256","kid":"{}"}}"#, KEY.kid);
        let token = KEY.sign_raw(header.as_bytes(), b"{}");
        assert_eq!(refusal(&token), Some(ClaimsRefused::DuplicateMember));
    }

    #[test]
    fn a_changed_signature_or_payload_is_refused() {
        let good = KEY.sign(&json!({"alg": "RS256"}), br#"{"a":1}"#);
        let other = KEY.sign(&json!({"alg": "RS256"}), br#"{"a":2}"#);
        let swapped =
            format!("{}.{}", good.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap().1);
        assert_eq!(refusal(&swapped), Some(ClaimsRefused::Signature));
    }

    #[test]
    fn sha256_is_the_plain_one() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let hex: String = sha256(b"abc").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, abc);
    }

    proptest::proptest! {
        #![proptest_config(crate::superid::repeatable::repeatable(256))]

        #[test]
        fn nothing_a_stranger_makes_up_is_signed(
            header in ".{0,40}", payload in ".{0,40}", signature in "[A-Za-z0-9_-]{0,400}"
        ) {
            let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
            let honest = r#"{"alg":"RS256"}"#;
            for token in [
                format!("{header}.{payload}.{signature}"),
                format!("{}.{}.{signature}", part(&header), part(&payload)),
                format!("{}.{}.{signature}", part(honest), part(&payload)),
            ] {
                proptest::prop_assert!(refusal(&token).is_some());
            }
        }
    }
}
