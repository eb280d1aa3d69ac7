//! Which tenant, of which app, in which environment: what system users are kept by.

use std::fmt;
use std::sync::Arc;

use super::ContextId;

/// One installation of one registered app. Client ids and tenants of two environments may be the
/// same, so all three name it together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantKey {
    /// The environment's name: `sod`, `stage`, `online` or a custom one's.
    pub environment: Arc<str>,
    /// The client id of the relying party.
    pub client_id: Arc<str>,
    pub tenant: ContextId,
}

impl fmt::Display for TenantKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}/{}", self.environment, self.client_id, self.tenant)
    }
}
