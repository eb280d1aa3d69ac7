//! A relying party as its calls to tenants need it, made once for a configuration.

use std::sync::Arc;

use http::HeaderValue;

use crate::config::RelyingParty;
use crate::identity::{ContextId, TenantKey};

/// A relying party, and what is the same in all its calls.
#[derive(Debug)]
pub struct Partner {
    party: Arc<RelyingParty>,
    environment: Arc<str>,
    client_id: Arc<str>,
    app_token: Option<HeaderValue>,
}

impl Partner {
    /// Of a relying party.
    pub fn new(party: &Arc<RelyingParty>) -> Self {
        Self {
            environment: party.authority.name().into(),
            client_id: party.client_id.as_str().into(),
            app_token: party.client_secret.as_ref().and_then(|secret| secret.header("")),
            party: party.clone(),
        }
    }

    /// The relying party itself.
    pub fn party(&self) -> &Arc<RelyingParty> {
        &self.party
    }

    /// What a tenant's system user is kept by.
    pub fn key(&self, tenant: ContextId) -> TenantKey {
        TenantKey {
            environment: self.environment.clone(),
            client_id: self.client_id.clone(),
            tenant,
        }
    }

    /// The client secret as the value of `SO-AppToken` (`superid.md` §6); `None` where no header can
    /// hold it.
    pub fn app_token(&self) -> Option<&HeaderValue> {
        self.app_token.as_ref()
    }
}
