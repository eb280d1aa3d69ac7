//! SuperID's back channel, and the decision whether claims are true.

mod addresses;
mod back_channel;
mod claims;
mod failure;
mod json;
mod jwks;
mod jwt;
mod key_hint;
mod key_store;
mod legacy;
#[cfg(test)]
mod minting;
#[cfg(test)]
mod repeatable;
mod serials;
mod signed_token;
#[allow(clippy::module_inception, reason = "the file holds what the folder is for")]
mod superid;
mod times;
mod token_endpoint;
mod verify;

pub use back_channel::CallFailed;
pub use claims::VerifiedClaims;
pub use failure::{AnswerGarbled, ClaimsRefused, ErrorCode, Outage, SignInFailed};
pub use jwks::{KeySet, KeySetRefused};
pub use jwt::verify_signature;
pub use legacy::{LegacyRules, verify_legacy_token};
pub use signed_token::SignedSystemToken;
pub use superid::{SignedIn, SuperId};
pub use token_endpoint::CodeGrant;
pub use verify::{IdTokenRules, verify_id_token};
