//! A WS-Federation identity provider like Microsoft Entra's: directories, and signed SAML tokens.

mod assertion;
mod endpoints;
mod metadata;
mod people;
mod sign_in;
mod sign_out;
mod state;

pub(in crate::emulator) use endpoints::{answer, control};
pub(in crate::emulator) use state::Entra;
pub use state::{EntraRealm, EntraToken};
