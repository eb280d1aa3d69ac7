//! What is opened before a configuration is in force: the vault, and the link to the shared store.

use crate::clock::Clock;
use crate::config::Settings;
use crate::crypto::Random;
use crate::redis_link::{LinkFailed, RedisLink};
use crate::telemetry::{AuditLog, Tracer};
use crate::vault::{Vault, VaultFailed};

use super::ticket_cache::SharedTickets;

/// What outlives a configuration: stores, and where to tell of what happens.
#[derive(Clone, Default)]
pub struct Stores {
    /// Where system user tokens are kept; none where the configuration has no vault.
    pub vault: Option<Vault>,
    pub(super) shared: Option<SharedTickets>,
    /// Where it is recorded who did what.
    pub audit: AuditLog,
    /// Who begins traces, where there are any.
    pub tracer: Option<Tracer>,
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoresFailed {
    #[error("[redis]: {0}")]
    Link(#[from] LinkFailed),
    #[error("[vault]: {0}")]
    Vault(#[from] VaultFailed),
}

impl Stores {
    /// Opens what a configuration asks for. Blocks for as long as the vault's file takes; nobody
    /// waits for Redis.
    ///
    /// # Errors
    /// [`StoresFailed`] names the store.
    pub fn open(settings: &Settings, clock: &Clock, random: &Random) -> Result<Self, StoresFailed> {
        let open = |vault| Vault::open(vault, clock.clone(), random.clone());
        let vault = settings.vault.as_ref().map(open).transpose()?;
        let shared = match (&settings.redis, &settings.vault) {
            (Some(redis), Some(vault)) => {
                let link = RedisLink::open(redis, random.clone())?;
                Some(SharedTickets::new(link, vault.keys.clone(), random.clone()))
            }
            _ => None,
        };
        Ok(Self { vault, shared, audit: AuditLog::default(), tracer: None })
    }

    /// The stores of a new configuration. The link to the shared store stays as it was opened.
    ///
    /// # Errors
    /// [`StoresFailed`]; the stores there were go on.
    pub fn following(
        &self,
        settings: &Settings,
        clock: &Clock,
        random: &Random,
    ) -> Result<Self, StoresFailed> {
        let vault = match (&settings.vault, &self.vault) {
            (Some(wanted), Some(open)) => Some(open.reopened(wanted, random.clone())?),
            (Some(wanted), None) => Some(Vault::open(wanted, clock.clone(), random.clone())?),
            (None, _) => None,
        };
        Ok(Self { vault, ..self.clone() })
    }
}
