//! What is opened before a configuration is in force: the vault, and the links to the shared store.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::clock::Clock;
use crate::config::{self, Redis, SessionStore, Settings};
use crate::crypto::Random;
use crate::redis_link::{LinkFailed, LinkState, LinkWatch, RedisLink};
use crate::session::Journal;
use crate::telemetry::{AuditLog, LinkCounter, LinkCounters, Tracer};
use crate::vault::{Vault, VaultFailed};

use super::ticket_cache::SharedTickets;

/// What outlives a configuration: stores, and where to tell of what happens.
#[derive(Clone, Default)]
pub struct Stores {
    /// Where system user tokens are kept; none where the configuration has no vault.
    pub vault: Option<Vault>,
    pub(super) shared: Option<SharedTickets>,
    /// Where tokens that were used are remembered for all replicas, and posts are kept.
    pub used: Option<RedisLink>,
    /// Where replicas tell each other which sessions are over, and where these are kept, if that is Redis.
    pub sessions: Option<RedisLink>,
    /// Where it is remembered which sessions are over.
    pub journal: Option<Arc<Journal>>,
    /// Where replicas tell each other of refreshed sessions, if their cookies carry them.
    pub refreshed: Option<RedisLink>,
    /// Where it is recorded who did what.
    pub audit: AuditLog,
    /// Who begins traces, where there are any.
    pub tracer: Option<Tracer>,
    links: Vec<Linked>,
}

/// A link, and who counts what it does.
#[derive(Clone)]
struct Linked {
    link: RedisLink,
    watch: Arc<OnceLock<LinkCounter>>,
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoresFailed {
    #[error("[redis]: {0}")]
    Link(#[from] LinkFailed),
    #[error("session.state_dir: {0}")]
    StateDir(#[from] std::io::Error),
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
        let mut stores = Self::default();
        stores.open_vault(settings, clock, random)?;
        if let (Some(redis), Some(vault)) = (&settings.redis, &settings.vault) {
            let linked = Linked::open(TICKETS, redis, random.clone())?;
            let (link, keys) = (linked.link.clone(), vault.keys.clone());
            stores.shared = Some(SharedTickets::new(link, keys, random.clone()));
            stores.links.push(linked);
        }
        stores.open_used(settings, random)?;
        stores.open_sessions(settings, random)?;
        stores.open_journal(settings, clock)?;
        stores.open_refreshed(settings, random)?;
        Ok(stores)
    }

    /// The stores of a new configuration. The links that sessions, tickets and used tokens are shared over stay
    /// as they were opened; the vault's follows the configuration.
    ///
    /// # Errors
    /// [`StoresFailed`]; the stores there were go on.
    pub fn following(
        &self,
        settings: &Settings,
        clock: &Clock,
        random: &Random,
    ) -> Result<Self, StoresFailed> {
        let kept = |wanted: &config::Vault| self.vault.as_ref()?.reopened(wanted, random.clone());
        let mut stores = self.clone();
        match settings.vault.as_ref().and_then(kept) {
            Some(vault) => stores.vault = Some(vault.tended(PRUNED_EVERY)),
            None => stores.open_vault(settings, clock, random)?,
        }
        stores.open_used(settings, random)?;
        stores.open_sessions(settings, random)?;
        stores.open_journal(settings, clock)?;
        stores.open_refreshed(settings, random)?;
        Ok(stores)
    }

    /// How the links to the shared store stand, by name.
    pub fn links(&self) -> Vec<(&'static str, LinkState)> {
        self.links.iter().map(|linked| (linked.link.name(), linked.link.state())).collect()
    }

    /// Has the links' commands counted from now on.
    pub(super) fn count_in(&self, counters: &LinkCounters) {
        for linked in &self.links {
            linked.watch.get_or_init(|| counters.link(linked.link.name()));
        }
    }

    /// The link for used tokens and kept posts, as it was opened or now; none where nobody needs it.
    fn open_used(&mut self, settings: &Settings, random: &Random) -> Result<(), StoresFailed> {
        match &settings.redis {
            Some(redis) if settings.shares_used_tokens() || settings.shares_kept_posts() => {
                if self.used.is_none() {
                    let linked = Linked::open(USED, redis, random.clone())?;
                    self.used = Some(linked.link.clone());
                    self.links.push(linked);
                }
            }
            _ => {
                self.used = None;
                self.links.retain(|linked| linked.link.name() != USED);
            }
        }
        Ok(())
    }

    /// The link for sessions, as it was opened or now; none where nobody signs in.
    fn open_sessions(&mut self, settings: &Settings, random: &Random) -> Result<(), StoresFailed> {
        match &settings.redis {
            Some(redis) if !settings.hosts.is_empty() => {
                if self.sessions.is_none() {
                    let linked = Linked::open(SESSIONS, redis, random.clone())?;
                    self.sessions = Some(linked.link.clone());
                    self.links.push(linked);
                }
            }
            _ => {
                self.sessions = None;
                self.links.retain(|linked| linked.link.name() != SESSIONS);
            }
        }
        Ok(())
    }

    /// The journal, as it was opened where the folder is the same, or now.
    fn open_journal(&mut self, settings: &Settings, clock: &Clock) -> Result<(), StoresFailed> {
        let session = &settings.session;
        let before = self.journal.take();
        let Some(folder) = &session.state_dir else { return Ok(()) };
        let same = before.filter(|journal| journal.folder() == folder);
        self.journal = match same {
            Some(journal) => Some(journal),
            None => Some(Arc::new(Journal::open(folder, session.absolute, clock.now())?)),
        };
        Ok(())
    }

    /// The link for what refreshes brought, as it was opened or now; none where browsers' cookies do not
    /// carry their sessions.
    fn open_refreshed(&mut self, settings: &Settings, random: &Random) -> Result<(), StoresFailed> {
        let of_people = !settings.relying_parties.is_empty() && !settings.hosts.is_empty();
        match &settings.redis {
            Some(redis) if of_people && settings.session.store == SessionStore::Cookie => {
                if self.refreshed.is_none() {
                    let linked = Linked::open(REFRESHED, redis, random.clone())?;
                    self.refreshed = Some(linked.link.clone());
                    self.links.push(linked);
                }
            }
            _ => {
                self.refreshed = None;
                self.links.retain(|linked| linked.link.name() != REFRESHED);
            }
        }
        Ok(())
    }

    fn open_vault(
        &mut self,
        settings: &Settings,
        clock: &Clock,
        random: &Random,
    ) -> Result<(), StoresFailed> {
        self.vault = None;
        self.links.retain(|linked| linked.link.name() != VAULT);
        let Some(wanted) = &settings.vault else { return Ok(()) };
        let mut opened = None;
        let vault = Vault::opened_by(wanted, clock.clone(), random.clone(), |redis, random| {
            let linked = Linked::open(VAULT, redis, random)?;
            Ok(opened.insert(linked).link.clone())
        })?;
        self.links.extend(opened);
        self.vault = Some(vault.tended(PRUNED_EVERY));
        Ok(())
    }
}

impl Linked {
    fn open(name: &'static str, redis: &Redis, random: Random) -> Result<Self, LinkFailed> {
        let watch: Arc<OnceLock<LinkCounter>> = Arc::default();
        let counted = Box::new(Counted(watch.clone()));
        Ok(Self { link: RedisLink::open_watched(name, redis, random, counted)?, watch })
    }
}

struct Counted(Arc<OnceLock<LinkCounter>>);

impl LinkWatch for Counted {
    fn carried_out(&self, took: Duration, failed: Option<&LinkFailed>) {
        if let Some(counter) = self.0.get() {
            counter.carried_out(took, failed.map(LinkFailed::name));
        }
    }
}

const REFRESHED: &str = "refreshed";
const SESSIONS: &str = "sessions";
const TICKETS: &str = "tickets";
const USED: &str = "used_tokens";
const VAULT: &str = "vault";
/// How often dormant entries are looked through.
const PRUNED_EVERY: Duration = Duration::from_secs(3_600);
