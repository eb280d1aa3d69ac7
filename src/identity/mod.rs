//! Who somebody is, which tenant they belong to, and the credentials they carry.

mod context;
mod facts;
mod principal;
mod tenant_key;
mod tokens;

pub use context::{ContextId, InvalidContextId};
pub use principal::Principal;
pub use tenant_key::TenantKey;
pub use tokens::{
    AccessToken, Credential, RefreshToken, SystemUserToken, Ticket, UnsafeSystemUserToken,
    UnsafeToken, UnusableRefreshToken,
};
