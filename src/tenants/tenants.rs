//! The directory of tenants: one slot each, bounded in number, kept across reloads.

use std::collections::HashMap;
use std::sync::Arc;

use moka::sync::Cache;

use crate::clock::Clock;
use crate::config::{Environment, Settings};
use crate::identity::ContextId;
use crate::superid::SuperId;
use crate::telemetry::Levels;
use crate::telemetry::catalogue::TENANTS;

use super::slot::{Looked, Slot};
use super::{Away, AwayReason, Home};

/// Where every tenant lives, of every environment the configuration uses.
pub struct Tenants {
    clock: Clock,
    directories: HashMap<String, Arc<Directory>>,
    superid: Arc<SuperId>,
}

struct Directory {
    environment: Arc<Environment>,
    slots: Cache<ContextId, Arc<Slot>>,
}

impl Tenants {
    /// A directory that knows nothing yet. What `before` knows of an environment that has not changed
    /// is kept.
    pub fn new(
        settings: &Settings,
        superid: Arc<SuperId>,
        clock: Clock,
        before: Option<&Self>,
    ) -> Self {
        let known = |environment: &Arc<Environment>| {
            let directory = before?.directories.get(&environment.name)?;
            (directory.environment == *environment).then(|| directory.clone())
        };
        let parties = settings.relying_parties.iter();
        let directories = parties
            .map(|party| &party.environment)
            .map(|environment| {
                let directory =
                    known(environment).unwrap_or_else(|| Arc::new(Directory::new(environment)));
                (environment.name.clone(), directory)
            })
            .collect();
        Self { clock, directories, superid }
    }

    /// Where a tenant is: from memory while SuperID said that it holds (one minute at least, eight hours
    /// at most), else from SuperID, asked once for everybody who waits. While SuperID fails, the last
    /// home serves for a day.
    ///
    /// # Errors
    /// [`Away`] when it cannot be called, with the reason.
    pub async fn find(
        &self,
        environment: &Environment,
        tenant: &ContextId,
    ) -> Result<Arc<Home>, Away> {
        let Some(directory) = self.directories.get(&environment.name) else {
            return Err(Away { reason: AwayReason::NotConfigured, retry_after: HOUR });
        };
        directory.slot(tenant).find(&self.superid, &self.clock).await
    }

    /// A call found that the tenant is not at this home (421, or no connection): SuperID is asked before
    /// the next call, unless another home is known by now. At most four doubts a minute have a tenant
    /// asked about; beyond that what is known serves on.
    pub fn forget(&self, home: &Home) {
        if let Some(slot) = self.known_slot(home.environment(), home.tenant()) {
            slot.doubt_home(home, self.clock.now());
        }
    }

    /// A verified notice names this tenant: SuperID is asked before its next call, under the same bound
    /// as [`Tenants::forget`].
    pub fn hint(&self, environment: &Environment, tenant: &ContextId) {
        if let Some(slot) = self.known_slot(&environment.name, tenant) {
            slot.doubt(self.clock.now());
        }
    }

    /// A verified notice names this tenant: SuperID is asked at once, under the same bound as
    /// [`Tenants::forget`]. `None` where it was not asked, or gave no answer that is believed.
    pub async fn look(&self, environment: &Environment, tenant: &ContextId) -> Option<Looked> {
        let directory = self.directories.get(&environment.name)?;
        directory.slot(tenant).look(&self.superid, &self.clock).await
    }

    /// How many tenants there are in each state, as far as they were asked for.
    pub fn tell(&self, levels: &mut Levels) {
        let slots = self.directories.values().flat_map(|directory| directory.slots.iter());
        for (_, slot) in slots {
            levels.count(&TENANTS, &[slot.state()], 1);
        }
    }

    fn known_slot(&self, environment: &str, tenant: &ContextId) -> Option<Arc<Slot>> {
        self.directories.get(environment)?.slots.get(tenant)
    }
}

impl Directory {
    fn new(environment: &Arc<Environment>) -> Self {
        Self { environment: environment.clone(), slots: Cache::new(MOST) }
    }

    fn slot(&self, tenant: &ContextId) -> Arc<Slot> {
        self.slots.get_with_by_ref(tenant, || {
            Arc::new(Slot::new(self.environment.clone(), tenant.clone()))
        })
    }
}

/// Tenants known of one environment; the least used give way.
const MOST: u64 = 20_000;
const HOUR: u64 = 60 * 60;
