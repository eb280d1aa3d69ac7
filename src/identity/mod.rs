//! Who somebody is, which tenant they belong to, and the credentials they carry.

mod context;
mod principal;
mod tokens;

pub use context::{ContextId, InvalidContextId};
pub use principal::Principal;
pub use tokens::{AccessToken, Credential, Ticket, UnsafeToken};
