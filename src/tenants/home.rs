//! The place a tenant lives at: where its credentials may go, and nowhere else.

use std::sync::Arc;

use url::Url;

use crate::clock::Timestamp;
use crate::config::{AllowedAddresses, Environment};
use crate::identity::ContextId;
use crate::superid::TenantAddresses;

/// A tenant's place, as SuperID told it. Only the directory makes one, so that holding it proves that
/// credentials of the tenant may be sent there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    environment: Arc<str>,
    tenant: ContextId,
    addresses: TenantAddresses,
    soap: Url,
    origin: String,
    reach: Reach,
    checked: Timestamp,
}

/// Which machines an address may lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Any: a custom environment listed the origin itself.
    Any,
    /// Those of the public internet ([`super::is_public`]): SuperOffice's.
    Public,
}

impl Home {
    pub(super) fn new(
        environment: &Environment,
        tenant: &ContextId,
        addresses: TenantAddresses,
        checked: Timestamp,
    ) -> Self {
        let mut soap = addresses.root.clone();
        soap.set_path(&format!("{}Remote/", addresses.root.path()));
        let origin = addresses.root.origin().ascii_serialization();
        let reach = match environment.addresses {
            AllowedAddresses::Origins(_) => Reach::Any,
            AllowedAddresses::SuperOffice => Reach::Public,
        };
        let environment = environment.name.as_str().into();
        Self { environment, tenant: tenant.clone(), addresses, soap, origin, reach, checked }
    }

    /// The environment's name.
    pub fn environment(&self) -> &str {
        &self.environment
    }

    pub fn tenant(&self) -> &ContextId {
        &self.tenant
    }

    /// Base of the REST web services, ending in `/`: `https://online3.superoffice.com/Cust12345/api/`.
    pub fn api(&self) -> &Url {
        &self.addresses.api
    }

    /// Base of the SOAP web services, ending in `/`: `https://online3.superoffice.com/Cust12345/Remote/`
    /// (`superid.md` §6).
    pub fn soap(&self) -> &Url {
        &self.soap
    }

    /// Scheme, host and, where it is not the scheme's own, port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Which machines the origin's name may lead to.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// When SuperID said so.
    pub fn checked(&self) -> Timestamp {
        self.checked
    }
}
