//! SAML assertions: posted bytes in, a verified assertion out, read from the bytes that were signed.

mod algorithm;
mod assertion;
mod conditions;
mod envelope;
mod moment;
mod posted;
mod refused;
mod rules;
mod signature;
mod signed_info;
mod stated;
mod stated_11;
mod stated_20;
mod tree;
mod verify;

pub use crate::config::{SamlRecipient, Sha1};
pub use assertion::{Assertion, Unaddressed};
pub use posted::LONGEST;
pub use refused::SamlRefused;
pub use rules::{Profile, SamlRules};
pub use verify::{verify_posted, verify_xml};
