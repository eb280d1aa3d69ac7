//! Signed XML: SAML assertions, made in canonical form from the start and never parsed.

mod canonical;
mod draft;
mod rsa_sha1;
mod seal;

pub(in crate::emulator) use canonical::Node;
pub use draft::SamlDraft;
pub(in crate::emulator) use draft::instant;
pub use seal::SamlHash;
pub(in crate::emulator) use seal::{Seal, enveloped};
