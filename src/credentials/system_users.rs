//! Tenants' system users: where their tenants live, and tickets to call them with.

use std::sync::Arc;

use http::HeaderValue;

use crate::clock::{Clock, Timestamp};
use crate::config::{RelyingParty, Settings};
use crate::crypto::Random;
use crate::identity::{ContextId, TenantKey, Ticket};
use crate::redis_link::LinkState;
use crate::superid::SuperId;
use crate::telemetry::catalogue::{REDIS_UP, TICKETS};
use crate::telemetry::{Levels, Metrics};
use crate::tenants::{Away, Home, Tenants};
use crate::vault::{Telling, Vault};

use super::dead_tickets::DeadTickets;
use super::exchange_desk::ExchangeDesk;
use super::partner::Partner;
use super::stores::Stores;
use super::ticket_cache::{Held, NoTicket, TicketCache};

/// The system users of all tenants; one for each configuration that is in force. Tickets outlive it.
pub struct SystemUsers {
    partners: Vec<Arc<Partner>>,
    tenants: Tenants,
    tickets: Arc<TicketCache>,
    desk: Arc<ExchangeDesk>,
    /// Of people, who have their own.
    dead: Arc<DeadTickets>,
    superid: Arc<SuperId>,
    stores: Stores,
    clock: Clock,
}

impl SystemUsers {
    /// Nothing is fetched yet. What `before` knows, of tickets and of where tenants live, goes on.
    pub fn new(
        settings: &Settings,
        (superid, stores): (&Arc<SuperId>, &Stores),
        (clock, random): (&Clock, &Random),
        metrics: &Metrics,
        before: Option<&Self>,
    ) -> Self {
        let desk = before.map(|before| before.desk.clone()).unwrap_or_default();
        desk.open(settings, superid, stores);
        stores.count_in(metrics.links());
        let tickets = before.map(|before| before.tickets.clone()).unwrap_or_else(|| {
            let counters = metrics.tickets().clone();
            let cache = TicketCache::new(desk.clone(), clock.clone(), random.clone(), counters);
            Arc::new(match &stores.shared {
                Some(shared) => cache.with_shared(shared.clone()),
                None => cache,
            })
        });
        let known = before.map(|before| &before.tenants);
        let partners = settings.relying_parties.iter().map(|party| Arc::new(Partner::new(party)));
        Self {
            partners: partners.collect(),
            tenants: Tenants::new(settings, superid.clone(), clock.clone(), known),
            tickets,
            desk,
            dead: before.map_or_else(Arc::default, |before| before.dead.clone()),
            superid: superid.clone(),
            stores: stores.clone(),
            clock: clock.clone(),
        }
    }

    /// What a tenant's system user of a relying party is kept by.
    pub fn key(party: &RelyingParty, tenant: &ContextId) -> TenantKey {
        TenantKey {
            environment: party.authority.name().into(),
            client_id: party.client_id.as_str().into(),
            tenant: tenant.clone(),
        }
    }

    /// What the calls of a relying party of this configuration have in common.
    pub fn partner(&self, party: &Arc<RelyingParty>) -> Arc<Partner> {
        let known = self.partners.iter().find(|known| Arc::ptr_eq(known.party(), party));
        known.cloned().unwrap_or_else(|| Arc::new(Partner::new(party)))
    }

    /// Whether an app hears of its installations.
    pub fn telling(party: &RelyingParty) -> Telling {
        if party.webhook.is_some() { Telling::App } else { Telling::Nobody }
    }

    /// The relying party in force with this client id.
    pub fn relying_party(&self, client_id: &str) -> Option<Arc<RelyingParty>> {
        self.desk.relying_party(client_id)
    }

    /// Where a tenant lives.
    ///
    /// # Errors
    /// Why it cannot be called now.
    pub async fn home(&self, party: &RelyingParty, tenant: &ContextId) -> Result<Arc<Home>, Away> {
        match party.environment() {
            Some(environment) => self.tenants.find(environment, tenant).await,
            None => Err(Away::nowhere()),
        }
    }

    /// Why nobody of a tenant is served now, as far as SuperID last said: it is gone or suspended. `None` for
    /// every other one, and where nothing is known. Nobody is asked for it.
    pub fn closed(&self, party: &RelyingParty, tenant: &ContextId) -> Option<Away> {
        self.tenants.closed(party.environment()?, tenant)
    }

    /// The tenant answered 401 to a person's ticket, in a session that began then.
    pub fn ticket_refused(&self, authorization: &HeaderValue, began: Timestamp) {
        self.dead.refused(authorization, began, self.clock.now());
    }

    /// Whether a person's ticket is one that its tenant takes no more.
    pub fn is_dead(&self, ticket: &Ticket) -> bool {
        self.dead.has(ticket, self.clock.now())
    }

    /// A living ticket of a tenant's system user.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn ticket(&self, key: &TenantKey) -> Result<Arc<Held>, NoTicket> {
        self.tickets.get(key).await
    }

    /// The tickets that are held.
    pub fn tickets(&self) -> &TicketCache {
        &self.tickets
    }

    /// Where tenants are known to live.
    pub fn tenants(&self) -> &Tenants {
        &self.tenants
    }

    /// Where system user tokens are kept.
    pub fn vault(&self) -> Option<&Vault> {
        self.stores.vault.as_ref()
    }

    /// How the links to the store that replicas share stand, by name.
    pub fn links(&self) -> Vec<(&'static str, LinkState)> {
        self.stores.links()
    }

    /// How tickets and tenants stand.
    pub fn tell(&self, levels: &mut Levels) {
        for state in self.tickets.states() {
            levels.count(&TICKETS, &[state], 1);
        }
        self.tenants.tell(levels);
        for (name, state) in self.links() {
            levels.count(&REDIS_UP, &[name], usize::from(state == LinkState::Up));
        }
    }

    pub(super) fn installing(&self) -> &tokio::sync::Mutex<()> {
        &self.desk.installing
    }

    /// A tenant's token is another one now.
    pub(super) fn renewed(&self, key: &TenantKey) {
        self.desk.renewed(key);
        self.tickets.forget(key);
    }

    pub(super) fn superid(&self) -> &SuperId {
        &self.superid
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
