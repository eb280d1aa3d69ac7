//! Which tenant, of which app, in which environment: what system users are kept by.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::ContextId;

/// One installation of one registered app. Client ids and tenants of two environments may be the
/// same, so all three name it together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TenantKey {
    /// The environment's name: `sod`, `stage`, `online` or a custom one's.
    pub environment: Arc<str>,
    /// The client id of the relying party.
    pub client_id: Arc<str>,
    pub tenant: ContextId,
}

/// By the tenant and the beginning of the client id: few apps and fewer environments share a tenant.
impl Hash for TenantKey {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let client = self.client_id.as_bytes().first_chunk().copied().unwrap_or_default();
        hasher.write_u64(u64::from_ne_bytes(client) ^ self.tenant.number());
    }
}

impl fmt::Display for TenantKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}/{}", self.environment, self.client_id, self.tenant)
    }
}
