//! Everything one emulator knows, shared by its endpoints.

use std::sync::Arc;
use std::time::SystemTime;

use super::apps::{App, Registry};
use super::clock::Clock;
use super::consents::Consents;
use super::entra::Entra;
use super::exchanges::Exchanges;
use super::faults::Faults;
use super::google::Google;
use super::grants::Grants;
use super::journal::Journal;
use super::keys::Keys;
use super::seed::{Membership, Person, Seed, Tenant};
use super::tenancy::Tenancies;
use super::violations::{Offence, Violation, Violations};

pub(super) struct World {
    /// `http://127.0.0.1:PORT`, without a slash at the end; also the issuer.
    pub(super) base: String,
    /// Every origin it listens at, `base` first; tenants live at one each.
    pub(super) hosts: Vec<String>,
    pub(super) clock: Clock,
    pub(super) seed: Seed,
    pub(super) apps: Registry,
    pub(super) consents: Consents,
    pub(super) tenancies: Tenancies,
    pub(super) grants: Grants,
    pub(super) google: Google,
    pub(super) entra: Entra,
    pub(super) keys: Arc<Keys>,
    pub(super) faults: Arc<Faults>,
    pub(super) journal: Journal,
    pub(super) exchanges: Exchanges,
    pub(super) violations: Violations,
}

/// A person in a tenant they have an account in.
#[derive(Clone, Copy)]
pub(super) struct Seat<'a> {
    pub(super) person: &'a Person,
    pub(super) tenant: &'a Tenant,
    pub(super) account: &'a Membership,
}

impl World {
    /// `hosts` begins with the base, and there is at least that.
    pub(super) fn new(hosts: Vec<String>, clock: Clock, seed: Seed, apps: Vec<App>) -> Self {
        let keys = Arc::new(Keys::generate());
        let registry = Registry::default();
        apps.into_iter().for_each(|app| registry.register(app));
        Self {
            base: hosts[0].clone(),
            tenancies: Tenancies::new(&seed, hosts.len()),
            hosts,
            clock,
            seed,
            apps: registry,
            consents: Consents::default(),
            grants: Grants::new(),
            google: Google::new(),
            entra: Entra::new(),
            faults: Arc::new(Faults::new(keys.clone())),
            keys,
            journal: Journal::default(),
            exchanges: Exchanges::default(),
            violations: Violations::default(),
        }
    }

    pub(super) fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// The address of the tenant's installation today, without a slash at the end.
    pub(super) fn root_of(&self, tenant: &Tenant) -> String {
        match self.tenancies.find(&tenant.ctx) {
            Some(tenancy) => tenancy.root(&self.hosts),
            None => format!("{}/{}", self.base, tenant.ctx),
        }
    }

    /// Notes a credential at the wrong place: at `path` of one of the hosts.
    pub(super) fn violated(
        &self,
        offence: Offence,
        host: usize,
        path: &str,
        credential_of: Option<String>,
    ) {
        let (when, host) = (self.now(), self.hosts[host].clone());
        let path = path.to_owned();
        self.violations.add(Violation { when, offence, host, path, credential_of });
    }

    /// The person's account in the tenant, if all three exist.
    pub(super) fn seat(&self, upn: &str, ctx: &str) -> Option<Seat<'_>> {
        let person = self.seed.person(upn)?;
        let tenant = self.seed.tenant(ctx)?;
        Some(Seat { person, tenant, account: person.membership(ctx)? })
    }
}
