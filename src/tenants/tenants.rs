//! The directory of tenants: one slot each, bounded in number, kept across reloads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::clock::{Clock, Timestamp};
use crate::config::{Environment, Settings};
use crate::identity::ContextId;
use crate::superid::SuperId;
use crate::telemetry::Levels;
use crate::telemetry::catalogue::TENANTS;

use super::slot::{Looked, Slot};
use super::slots::Slots;
use super::{Away, Home};

/// Where every tenant lives, of every environment the configuration uses.
pub struct Tenants {
    clock: Clock,
    /// One for each environment; there are few.
    directories: Vec<Arc<Directory>>,
    superid: Arc<SuperId>,
}

struct Directory {
    environment: Arc<Environment>,
    slots: Slots,
    /// Whether any of them ever was: mostly none is, and nobody looks for theirs.
    any_closed: Arc<AtomicBool>,
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
        let mut directories: Vec<Arc<Directory>> = Vec::new();
        for environment in settings.relying_parties.iter().filter_map(|party| party.environment()) {
            if directories.iter().any(|directory| directory.environment.name == environment.name) {
                continue;
            }
            let known = before.and_then(|before| before.directory(&environment.name));
            let same = known.filter(|directory| directory.environment == *environment).cloned();
            directories.push(same.unwrap_or_else(|| Arc::new(Directory::new(environment))));
        }
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
        let Some(directory) = self.directory(&environment.name) else {
            return Err(Away::nowhere());
        };
        directory.slot(tenant, self.clock.now()).find(&self.superid, &self.clock).await
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
        let directory = self.directory(&environment.name)?;
        directory.slot(tenant, self.clock.now()).look(&self.superid, &self.clock).await
    }

    /// Why nobody of a tenant is served: it is gone or suspended, as SuperID said when it was last asked about
    /// it. Where that is old, SuperID is asked meanwhile, and for a day at most its last word stands.
    pub fn closed(&self, environment: &Environment, tenant: &ContextId) -> Option<Away> {
        let directory = self.directory(&environment.name)?;
        if !directory.any_closed.load(Ordering::Acquire) {
            return None;
        }
        directory.slots.get(tenant)?.closed(&self.superid, &self.clock)
    }

    /// How many tenants there are in each state, as far as they were asked for.
    pub fn tell(&self, levels: &mut Levels) {
        for state in self.directories.iter().flat_map(|directory| directory.slots.states()) {
            levels.count(&TENANTS, &[state], 1);
        }
    }

    fn known_slot(&self, environment: &str, tenant: &ContextId) -> Option<Arc<Slot>> {
        self.directory(environment)?.slots.get(tenant)
    }

    fn directory(&self, environment: &str) -> Option<&Arc<Directory>> {
        self.directories.iter().find(|directory| directory.environment.name == environment)
    }
}

impl Directory {
    fn new(environment: &Arc<Environment>) -> Self {
        Self {
            environment: environment.clone(),
            slots: Slots::new(MOST),
            any_closed: Arc::default(),
        }
    }

    fn slot(&self, tenant: &ContextId, now: Timestamp) -> Arc<Slot> {
        let make =
            || Slot::new(self.environment.clone(), tenant.clone()).telling(self.any_closed.clone());
        self.slots.get_or_make(tenant, now, make)
    }
}

/// Tenants known of one environment; the least used give way.
const MOST: usize = 20_000;
