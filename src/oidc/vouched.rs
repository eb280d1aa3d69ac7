//! Whom a provider vouches for, as a token says that passed every check.

use std::fmt;

use crate::clock::Timestamp;
use crate::superid::{Json, Object, spellings};

/// A verified id_token's word. Only this module's parent makes one.
#[derive(Clone)]
pub struct Vouched {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) claims: Object,
    pub(super) digest: [u8; 32],
    pub(super) expires: Timestamp,
}

impl Vouched {
    /// The token's own issuer: a directory's, where the provider has many.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `sub`, which names a person together with the issuer.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// `sid`, which names the provider's session (OpenID Connect Front-Channel Logout §3).
    pub fn session(&self) -> Option<&str> {
        self.claims.text("sid").filter(|sid| (1..=255).contains(&sid.len()))
    }

    /// A digest that names this token, for remembering that it was used.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// From when on the token would be refused, leeway included: how long to remember it.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Whether two tokens are about one person of one issuer (OpenID Connect Core §3.3.3.6).
    pub fn is_same_person(&self, other: &Self) -> bool {
        self.issuer == other.issuer && self.subject == other.subject
    }

    /// A claim that can be shown, logged and put in a header.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.claims.get(name)? {
            text @ Json::Text(_) => spellings(text).pop(),
            _ => None,
        }
    }

    /// The values of a claim, in the spelling rules compare.
    pub(super) fn values(&self, name: &str) -> Vec<String> {
        self.claims.get(name).map(spellings).unwrap_or_default()
    }

    /// The address, if the provider says that it was checked: as `true`, not as a word.
    pub(super) fn verified_email(&self) -> Option<String> {
        let verified = self.claims.get("email_verified") == Some(&Json::Bool(true));
        self.text("email").filter(|_| verified)
    }

    /// Takes over what another answer about the same person says besides. What lets people in comes
    /// from the signed token alone, and an address and its being verified from one of both answers.
    pub(super) fn learn(&mut self, more: &Object) {
        let told = self.claims.has("email") || self.claims.has("email_verified");
        for (name, value) in more.members() {
            let of_email = name == "email" || name == "email_verified";
            let passed_over = BELIEVED_OF_TOKENS_ALONE.contains(&name) || (told && of_email);
            if !passed_over {
                self.claims.adopt(name, value);
            }
        }
    }
}

impl fmt::Debug for Vouched {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Vouched({})", self.issuer)
    }
}

const BELIEVED_OF_TOKENS_ALONE: [&str; 15] = [
    "acr",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "c_hash",
    "exp",
    "hd",
    "iat",
    "iss",
    "nonce",
    "sid",
    "sub",
    "tid",
];
