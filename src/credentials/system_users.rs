//! The shape of the system users.

use std::sync::Arc;

use crate::config::RelyingParty;
use crate::identity::{ContextId, TenantKey, Ticket};
use crate::tenants::{Away, Home, Tenants};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    No,
    Yes,
}

#[derive(Debug)]
pub struct Held(Ticket);

impl Held {
    pub fn ticket(&self) -> &Ticket {
        &self.0
    }
}

#[derive(Debug)]
pub struct NoTicket;

#[derive(Debug, Default)]
pub struct TicketCache;

impl TicketCache {
    pub fn died(&self, _: &TenantKey, _: &Held) {}

    pub fn forbidden(&self, _: &TenantKey, _: &Held, _: &str) -> Again {
        Again::No
    }
}

#[derive(Default)]
pub struct SystemUsers {
    tenants: Tenants,
    tickets: TicketCache,
}

impl SystemUsers {
    pub fn key(party: &RelyingParty, tenant: &ContextId) -> TenantKey {
        TenantKey {
            environment: party.environment.name.as_str().into(),
            client_id: party.client_id.as_str().into(),
            tenant: tenant.clone(),
        }
    }

    pub async fn home(&self, party: &RelyingParty, tenant: &ContextId) -> Result<Arc<Home>, Away> {
        self.tenants.find(&party.environment, tenant).await
    }

    pub async fn ticket(&self, _: &TenantKey) -> Result<Arc<Held>, NoTicket> {
        Err(NoTicket)
    }

    pub fn tickets(&self) -> &TicketCache {
        &self.tickets
    }

    pub fn tenants(&self) -> &Tenants {
        &self.tenants
    }
}
