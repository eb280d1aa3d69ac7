//! Signed XML: SAML assertions, made in canonical form from the start and never parsed.

mod canonical;
mod draft;
mod rsa_sha1;
mod seal;

pub use draft::SamlDraft;
pub use seal::SamlHash;
