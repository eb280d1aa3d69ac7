//! Where tenants live: asked for once, kept while SuperID says it holds, doubted when a call says
//! otherwise.

mod away;
mod home;
mod public_address;
mod slot;
mod slots;
#[allow(clippy::module_inception, reason = "the file holds what the folder is for")]
mod tenants;

pub use away::{Away, AwayReason};
pub use home::{Home, Reach};
pub use public_address::is_public;
pub use slot::Looked;
pub use tenants::Tenants;
