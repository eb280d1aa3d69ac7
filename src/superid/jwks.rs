//! A JSON Web Key Set (RFC 7517), and which of its keys may have signed a token.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;

use crate::config::SigningAlgorithm;
use crate::crypto::RsaPublic;

use super::json::{Json, Object};
use super::key_hint::KeyHint;

/// An issuer's signing keys, at least one: RSA of 2,048 to 8,192 bits, P-256 or Ed25519.
pub struct KeySet(Vec<Key>);

/// Why a document is not taken for a key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetRefused {
    /// Two keys of one name.
    #[error("two keys share one kid")]
    DuplicateKid,
    /// None for the algorithms that are allowed.
    #[error("the key set holds no key for the signatures that are allowed")]
    NoUsableKey,
    /// Something else.
    #[error("the document is not a JSON Web Key Set")]
    NotAKeySet,
    /// More than anybody could need.
    #[error("the key set is larger than 64 kB or has more than 32 keys")]
    TooLarge,
}

impl KeySet {
    /// Reads a key set of SuperID's. Keys for other purposes, or unsafe ones, are left out.
    ///
    /// # Errors
    /// [`KeySetRefused`] when no key is left, or the document is not one or not clear.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeySetRefused> {
        Self::parse_for(bytes, SUPERIDS)
    }

    /// As [`KeySet::parse`], for these algorithms in place of SuperID's RS256.
    ///
    /// # Errors
    /// As there.
    pub fn parse_for(bytes: &[u8], allowed: &[SigningAlgorithm]) -> Result<Self, KeySetRefused> {
        if bytes.len() > LARGEST {
            return Err(KeySetRefused::TooLarge);
        }
        let document = Object::parse(bytes).map_err(|_| KeySetRefused::NotAKeySet)?;
        let Some(Json::Array(listed)) = document.get("keys") else {
            return Err(KeySetRefused::NotAKeySet);
        };
        if listed.len() > MOST_KEYS {
            return Err(KeySetRefused::TooLarge);
        }
        let keys: Vec<Key> = listed.iter().filter_map(|key| Key::read(key, allowed)).collect();
        if keys.is_empty() {
            return Err(KeySetRefused::NoUsableKey);
        }
        if keys.iter().enumerate().any(|(at, key)| keys[..at].iter().any(|one| one.same_kid(key))) {
            return Err(KeySetRefused::DuplicateKid);
        }
        Ok(Self(keys))
    }

    /// How many keys it holds.
    #[allow(clippy::len_without_is_empty, reason = "a key set is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Every RSA key, for what names none that would be believed.
    pub(super) fn all(&self) -> Vec<RsaPublic> {
        self.0.iter().filter_map(|key| key.rsa.clone()).collect()
    }

    /// The key a token names, by `kid`, then by `x5t`; the sole key when it names none. A name
    /// nobody has is nobody's key: no other is tried.
    pub(crate) fn find(&self, hint: &KeyHint) -> Option<&Key> {
        match hint {
            KeyHint::Any => self.0.first(),
            KeyHint::Kid { kid, x5t } => {
                let key = self.0.iter().find(|key| key.has_kid(kid))?;
                let agrees = x5t.is_none() || key.x5t.is_none() || *x5t == key.x5t;
                agrees.then_some(key)
            }
            KeyHint::Unnamed => match self.0.as_slice() {
                [sole] => Some(sole),
                _ => None,
            },
            KeyHint::X5t(x5t) => {
                let mut named = self.0.iter().filter(|key| key.x5t.as_ref() == Some(x5t));
                named.next().filter(|_| named.next().is_none())
            }
        }
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.0.iter().map(|key| &key.kid)).finish()
    }
}

/// One key, and what may be signed with it.
pub(crate) struct Key {
    algorithms: Vec<SigningAlgorithm>,
    /// Whose it is alone, where the set says so: Microsoft's names the directories it signs for.
    issuer: Option<String>,
    kid: Option<String>,
    x5t: Option<String>,
    public: DecodingKey,
    /// The same, where it is an RSA key.
    rsa: Option<RsaPublic>,
}

impl Key {
    /// The key, if it is one that may verify one of these (RFC 7517 §4, RFC 7518 §6.2 and §6.3,
    /// RFC 8037 §2).
    fn read(json: &Json, allowed: &[SigningAlgorithm]) -> Option<Self> {
        let Json::Object(key) = json else { return None };
        let named = |member, value| !key.has(member) || key.text(member) == Some(value);
        if !named("use", "sig") || !verifies(key.get("key_ops")) {
            return None;
        }
        let (kinds, public, rsa) = public(key)?;
        let fits = |one: &&SigningAlgorithm| kinds.contains(one) && named("alg", one.name());
        let algorithms: Vec<_> = allowed.iter().filter(fits).copied().collect();
        let text = |member| key.text(member).map(str::to_owned);
        (!algorithms.is_empty()).then(|| Self {
            algorithms,
            issuer: text("issuer"),
            kid: text("kid"),
            x5t: text("x5t"),
            public,
            rsa,
        })
    }

    /// What verifies signatures of this algorithm; `None` where the key is for others.
    pub(crate) fn verifying(&self, algorithm: SigningAlgorithm) -> Option<&DecodingKey> {
        self.algorithms.contains(&algorithm).then_some(&self.public)
    }

    /// Whose it is alone, where the set says so.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    fn has_kid(&self, kid: &str) -> bool {
        self.kid.as_deref().is_some_and(|ours| same_name(ours, kid))
    }

    fn same_kid(&self, other: &Self) -> bool {
        other.kid.as_deref().is_some_and(|kid| self.has_kid(kid))
    }
}

/// A public key, and all it could verify.
fn public(key: &Object) -> Option<(&'static [SigningAlgorithm], DecodingKey, Option<RsaPublic>)> {
    match (key.text("kty")?, key.text("crv")) {
        ("RSA", _) => {
            let (modulus, exponent) = (number(key.text("n")?)?, number(key.text("e")?)?);
            let rsa = RsaPublic::of_components(&modulus, &exponent)?;
            let public = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
            Some((&[SigningAlgorithm::Rs256, SigningAlgorithm::Ps256], public, Some(rsa)))
        }
        ("EC", Some("P-256")) => {
            let (x, y) = (coordinate(key.text("x")?)?, coordinate(key.text("y")?)?);
            Some((&[SigningAlgorithm::Es256], DecodingKey::from_ec_components(x, y).ok()?, None))
        }
        ("OKP", Some("Ed25519")) => {
            let x = coordinate(key.text("x")?)?;
            Some((&[SigningAlgorithm::EdDsa], DecodingKey::from_ed_components(x).ok()?, None))
        }
        _ => None,
    }
}

/// 32 bytes in base64url.
fn coordinate(text: &str) -> Option<&str> {
    URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == 32).map(|_| text)
}

fn verifies(key_ops: Option<&Json>) -> bool {
    match key_ops {
        Some(Json::Array(uses)) => uses.contains(&Json::Text("verify".to_owned())),
        other => other.is_none(),
    }
}

/// SuperID's kids are thumbprints in hex, which people copy in either case; any other name is
/// compared byte for byte.
fn same_name(one: &str, other: &str) -> bool {
    let thumbprint = one.len() == 40 && one.bytes().all(|byte| byte.is_ascii_hexdigit());
    one == other || (thumbprint && one.eq_ignore_ascii_case(other))
}

/// A big-endian number without leading zeros.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let start = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[start..].to_vec())
}

/// What SuperID signs with (`superid.md` §3.1).
const SUPERIDS: &[SigningAlgorithm] = &[SigningAlgorithm::Rs256];
const LARGEST: usize = 64 * 1024;
const MOST_KEYS: usize = 32;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::superid::minting::KEY;

    fn parse(keys: Value) -> Result<KeySet, KeySetRefused> {
        KeySet::parse(json!({"keys": keys}).to_string().as_bytes())
    }

    fn key_with(change: impl FnOnce(&mut Value)) -> Value {
        let mut key = KEY.jwk();
        change(&mut key);
        key
    }

    #[test]
    fn keys_for_anything_else_are_left_out() {
        for key in [
            key_with(|key| key["use"] = json!("enc")),
            key_with(|key| key["alg"] = json!("PS256")),
            key_with(|key| key["alg"] = json!(null)),
            key_with(|key| key["kty"] = json!("EC")),
            key_with(|key| key["key_ops"] = json!(["encrypt"])),
            key_with(|key| key["e"] = json!("AQ")),
            key_with(|key| key["e"] = json!("AQAA")),
            key_with(|key| key["e"] = json!("AQAAAAAB")),
            key_with(|key| key["n"] = json!("AQAB")),
            key_with(|key| key["n"] = json!("=")),
            json!("key"),
        ] {
            assert_eq!(parse(json!([key])).err(), Some(KeySetRefused::NoUsableKey), "{key}");
            assert_eq!(parse(json!([key, KEY.jwk()])).unwrap().len(), 1, "{key}");
        }
    }

    #[test]
    fn a_sparse_key_is_taken() {
        let bare = key_with(|key| {
            for member in ["use", "alg", "kid", "x5t"] {
                key.as_object_mut().unwrap().remove(member);
            }
        });
        assert_eq!(parse(json!([bare])).unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_key_set_is_garbage() {
        for text in ["", "<html>", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#] {
            assert_eq!(KeySet::parse(text.as_bytes()).err(), Some(KeySetRefused::NotAKeySet));
        }
        assert_eq!(parse(json!([])).err(), Some(KeySetRefused::NoUsableKey));
        let many = vec![json!({}); 33];
        assert_eq!(parse(json!(many)).err(), Some(KeySetRefused::TooLarge));
        assert_eq!(KeySet::parse(&[b' '; 65_537]).err(), Some(KeySetRefused::TooLarge));
    }

    #[test]
    fn two_keys_of_one_name_are_garbage() {
        let lower = key_with(|key| key["kid"] = json!(KEY.kid.to_lowercase()));
        assert_eq!(parse(json!([KEY.jwk(), lower])).err(), Some(KeySetRefused::DuplicateKid));
    }

    #[test]
    fn a_token_that_names_no_key_needs_a_sole_one() {
        let other = key_with(|key| {
            key["kid"] = json!("Other");
            key["x5t"] = json!("other");
        });
        let one = parse(json!([KEY.jwk()])).unwrap();
        let two = parse(json!([KEY.jwk(), other])).unwrap();
        assert!(one.find(&KeyHint::Unnamed).is_some());
        assert!(two.find(&KeyHint::Unnamed).is_none());
        let kid = |kid: &str| KeyHint::Kid { kid: kid.to_owned(), x5t: None };
        assert!(two.find(&kid("Other")).is_some());
        assert!(two.find(&kid("other")).is_none(), "only thumbprints are equal in any case");
        assert!(one.find(&kid("Other")).is_none(), "a sole key is no answer to another's name");
        assert!(two.find(&KeyHint::X5t("other".to_owned())).is_some());
    }
}
