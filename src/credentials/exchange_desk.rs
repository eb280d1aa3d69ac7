//! Where tickets are bought: a system user token from the vault, signed, for a ticket of SuperID's.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;

use crate::config::{RelyingParty, Settings};
use crate::identity::TenantKey;
use crate::superid::{SuperId, TicketRefused};
use crate::telemetry::{AuditLog, Event};

use super::stores::Stores;
use super::ticket_cache::{Bought, BuyFailed, BuyFailure, TicketSource};

/// Buys tickets under the configuration in force; tickets that are held outlive it.
#[derive(Default)]
pub(super) struct ExchangeDesk {
    open: ArcSwapOption<Opened>,
    /// Held by whoever proves a token.
    pub(super) installing: Mutex<()>,
    /// What was recorded of each tenant's token, so that it is recorded once.
    recorded: std::sync::Mutex<HashMap<TenantKey, Recorded>>,
}

/// What was recorded of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recorded {
    Revoked,
    Used,
}

struct Opened {
    parties: Vec<Arc<RelyingParty>>,
    superid: Arc<SuperId>,
    stores: Stores,
}

impl ExchangeDesk {
    /// Goes on under another configuration.
    pub(super) fn open(&self, settings: &Settings, superid: &Arc<SuperId>, stores: &Stores) {
        let parties = settings.relying_parties.clone();
        self.open.store(Some(Arc::new(Opened {
            parties,
            superid: superid.clone(),
            stores: stores.clone(),
        })));
    }

    /// The relying party in force with this client id.
    pub(super) fn relying_party(&self, client_id: &str) -> Option<Arc<RelyingParty>> {
        let open = self.open.load_full()?;
        open.parties.iter().find(|party| party.client_id == client_id).cloned()
    }

    async fn bought(&self, key: &TenantKey) -> Result<Bought, BuyFailed> {
        let failed = |kind, detail: &str| BuyFailed { kind, detail: detail.to_owned() };
        let open = self.open.load_full();
        let open = open.ok_or_else(|| failed(BuyFailure::NotConfigured, "nothing is in force"))?;
        let party = open
            .party(key)
            .ok_or_else(|| failed(BuyFailure::NotConfigured, "its relying party is gone"))?;
        let vault = open
            .stores
            .vault
            .as_ref()
            .ok_or_else(|| failed(BuyFailure::NotConfigured, "there is no [vault]"))?;
        let entry = vault
            .get(key)
            .await
            .map_err(|error| failed(BuyFailure::VaultFailed, &error.to_string()))?
            .filter(|entry| entry.dormant.is_none())
            .ok_or_else(|| failed(BuyFailure::NotInstalled, "the vault has no token of it"))?;
        let bought = open.superid.buy_ticket(party, &key.tenant, &entry.serial, &entry.token).await;
        match &bought {
            Ok(_) => self.record(&open.stores.audit, key, party, Recorded::Used),
            Err(TicketRefused::Revoked) => {
                self.record(&open.stores.audit, key, party, Recorded::Revoked);
            }
            Err(_) => {}
        }
        let bought = bought.map_err(|refused| why(&refused))?;
        Ok(Bought { ticket: bought.ticket, bought: bought.bought })
    }

    /// A new token took the place of the one that was known.
    pub(super) fn renewed(&self, key: &TenantKey) {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn record(&self, audit: &AuditLog, key: &TenantKey, party: &RelyingParty, what: Recorded) {
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if recorded.insert(key.clone(), what) == Some(what) {
            return;
        }
        drop(recorded);
        let (tenant, relying_party) = (key.tenant.as_str(), party.name.as_str());
        audit.record(match what {
            Recorded::Revoked => Event::TokenRevoked { tenant, relying_party },
            Recorded::Used => Event::TokenUsed { tenant, relying_party },
        });
    }
}

impl Opened {
    fn party(&self, key: &TenantKey) -> Option<&RelyingParty> {
        let same = |party: &&Arc<RelyingParty>| {
            *party.client_id == *key.client_id
                && *party.authority.name() == *key.environment
                && party.system_user.is_some()
        };
        self.parties.iter().find(same).map(|party| &**party)
    }
}

impl TicketSource for ExchangeDesk {
    fn buy<'a>(
        &'a self,
        key: &'a TenantKey,
    ) -> Pin<Box<dyn Future<Output = Result<Bought, BuyFailed>> + Send + 'a>> {
        Box::pin(self.bought(key))
    }
}

/// What a refusal of SuperID's is to the cache.
fn why(refused: &TicketRefused) -> BuyFailed {
    let kind = match refused {
        TicketRefused::BadSignature => BuyFailure::BadSignature,
        TicketRefused::BadTime => BuyFailure::BadTime,
        TicketRefused::NotConfigured | TicketRefused::Signing(_) => BuyFailure::NotConfigured,
        TicketRefused::Outage(outage) if outage.was_not_sent() => BuyFailure::Unreachable,
        TicketRefused::Outage(_) => BuyFailure::Outage,
        TicketRefused::Refused(_) => BuyFailure::Refused,
        TicketRefused::Revoked => BuyFailure::Revoked,
        TicketRefused::UnknownTenant => BuyFailure::UnknownTenant,
        TicketRefused::Untrusted(_) => BuyFailure::Untrusted,
    };
    BuyFailed { kind, detail: chain(refused) }
}

/// An error with its sources, which is how operators read it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
