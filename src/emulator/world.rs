//! Everything one emulator knows, shared by its endpoints.

use std::sync::Arc;
use std::time::SystemTime;

use super::apps::{App, Registry};
use super::clock::Clock;
use super::faults::Faults;
use super::grants::Grants;
use super::journal::Journal;
use super::keys::Keys;
use super::seed::{Membership, Person, Seed, Tenant};

pub(super) struct World {
    /// `http://127.0.0.1:PORT`, without a slash at the end; also the issuer.
    pub(super) base: String,
    pub(super) clock: Clock,
    pub(super) seed: Seed,
    pub(super) apps: Registry,
    pub(super) grants: Grants,
    pub(super) keys: Arc<Keys>,
    pub(super) faults: Arc<Faults>,
    pub(super) journal: Journal,
}

/// A person in a tenant they have an account in.
#[derive(Clone, Copy)]
pub(super) struct Seat<'a> {
    pub(super) person: &'a Person,
    pub(super) tenant: &'a Tenant,
    pub(super) account: &'a Membership,
}

impl World {
    pub(super) fn new(base: String, clock: Clock, seed: Seed, apps: Vec<App>) -> Self {
        let keys = Arc::new(Keys::generate());
        let registry = Registry::default();
        apps.into_iter().for_each(|app| registry.register(app));
        Self {
            base,
            clock,
            seed,
            apps: registry,
            grants: Grants::new(),
            faults: Arc::new(Faults::new(keys.clone())),
            keys,
            journal: Journal::default(),
        }
    }

    pub(super) fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// The person's account in the tenant, if all three exist.
    pub(super) fn seat(&self, upn: &str, ctx: &str) -> Option<Seat<'_>> {
        let person = self.seed.person(upn)?;
        let tenant = self.seed.tenant(ctx)?;
        Some(Seat { person, tenant, account: person.membership(ctx)? })
    }
}
