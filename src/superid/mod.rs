//! SuperID's back channel, and the decision whether claims are true.

mod addresses;
mod asked;
mod claims;
mod counted;
mod exchange;
mod failure;
mod fetched;
mod json;
mod jwks;
mod jwt;
mod key_hint;
mod key_store;
mod legacy;
mod legacy_saml;
#[cfg(test)]
mod minting;
mod refreshed;
#[cfg(test)]
mod repeatable;
mod revocation;
mod serials;
mod signed_token;
mod soap;
mod soap_call;
#[allow(clippy::module_inception, reason = "the file holds what the folder is for")]
mod superid;
mod system_user;
mod tenant_change;
mod tenant_state;
mod ticket;
mod ticket_refused;
mod times;
mod token_endpoint;
mod verify;

pub use crate::back_channel::CallFailed;
pub use claims::VerifiedClaims;
pub(crate) use claims::{is_address, spellings};
pub(crate) use counted::Counted;
pub use failure::{AnswerGarbled, ClaimsRefused, ErrorCode, Outage, SignInFailed};
pub(crate) use fetched::Fetched;
pub(crate) use json::{Json, Object};
pub use jwks::{KeySet, KeySetRefused};
pub use jwt::verify_signature;
pub(crate) use jwt::{UnverifiedToken, left_half};
pub(crate) use key_store::KeyStore;
pub use legacy::{LegacyRules, verify_legacy_token};
pub use refreshed::{RefreshFailed, Refreshable, Refreshed};
pub use revocation::NotRevoked;
pub use signed_token::SignedSystemToken;
pub use soap_call::{NotSoap, SoapCall, SoapHeader};
pub use superid::{FrontToken, SignedIn, SuperId};
pub use system_user::BoughtTicket;
pub use tenant_change::{NoticeRefused, TenantChange, TenantNotice};
pub use tenant_state::{Condition, StateFailed, TenantAddresses, TenantState, Unusable};
pub use ticket_refused::{CleanText, TicketRefused};
pub(crate) use times::{IssuedAt, Times};
pub use token_endpoint::CodeGrant;
pub(crate) use token_endpoint::seconds;
pub(crate) use verify::is_sole_audience;
pub use verify::{Hashed, IdTokenRules, Nonce, verify_id_token};
