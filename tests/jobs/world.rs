//! A gateway with a job listener, between an emulated SuperID with tenants and programs that call.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::config;
use superid_gateway::crypto::Random;
use superid_gateway::emulator::{self, App, Emulator};
use superid_gateway::identity::{ContextId, SystemUserToken, TenantKey};
use superid_gateway::server::{Options, Running, StartFailed};
use superid_gateway::vault::Entry;
use toml::{Table, Value};

use crate::client::Program;
use crate::partner;

/// When every test begins.
pub const NOW: u64 = 1_700_000_000;
pub const NORDLYS: &str = "Cust12345";
pub const FJORDBANK: &str = "Cust67890";
pub const APP: &str = "jobs-app";

pub struct World {
    pub clock: Clock,
    pub superid: Emulator,
    pub gateway: Running,
}

impl World {
    /// Tenants at two hosts; the app is installed in Nordlys and Fjordbank.
    pub async fn new() -> Self {
        Self::with("").await
    }

    /// The same with a piece of TOML laid over it.
    pub async fn with(changes: &str) -> Self {
        Self::tried(changes).await.unwrap()
    }

    /// The same, where the gateway may not start.
    pub async fn tried(changes: &str) -> Result<Self, StartFailed> {
        let clock = Clock::manual(Timestamp(NOW));
        let seconds = clock.clone();
        let superid = Emulator::start(emulator::Options {
            clock: Arc::new(move || UNIX_EPOCH + Duration::from_secs(seconds.now().0)),
            extra_hosts: 2,
            ..emulator::Options::default()
        });
        let superid = superid.await.unwrap();
        superid.register(App {
            system_user: true,
            system_user_keys: vec![partner::KEY.1.clone()],
            ..App::new(APP, "jobs-secret", "http://localhost/auth/callback")
        });
        let settings = settings(&superid, changes);
        let gateway = Running::start(settings, options(&clock)).await?;
        let world = Self { clock, superid, gateway };
        world.install(NORDLYS).await;
        world.install(FJORDBANK).await;
        Ok(world)
    }

    /// Lets another gateway take over, with the sockets of this one.
    pub async fn taken_over(self, changes: &str) -> Self {
        let options = Options { open: self.gateway.sockets().unwrap(), ..options(&self.clock) };
        let gateway = Running::start(settings(&self.superid, changes), options).await.unwrap();
        let Self { clock, superid, gateway: before } = self;
        before.hand_over().await;
        let world = Self { clock, superid, gateway };
        world.install(NORDLYS).await;
        world
    }

    /// Puts a new configuration in force: the old one with a piece of TOML laid over it.
    pub fn reload(&mut self, changes: &str) {
        self.gateway.reload(settings(&self.superid, changes)).unwrap();
    }

    /// Puts the system user token of a tenant into the vault, as an installation does.
    pub async fn install(&self, tenant: &str) {
        let users = self.gateway.system_users();
        let token = self.superid.tenants().system_token(APP, tenant).unwrap();
        let seed = emulator::Seed::default();
        let entry = Entry {
            key: key(tenant),
            serial: seed.tenant(tenant).unwrap().serial.clone(),
            web_api_url: None,
            token: SystemUserToken::parse(&token).unwrap(),
            consented_by: "admin@example".to_owned(),
            stored: self.clock.now(),
            dormant: None,
        };
        users.vault().unwrap().put(entry).await.unwrap();
    }

    /// A program that calls the job listener.
    pub fn program(&self) -> Program {
        self.program_at("jobs")
    }

    pub fn program_at(&self, listener: &str) -> Program {
        Program::new(&format!("http://{}", self.address_of(listener)))
    }

    /// Where the job listener is.
    pub fn address(&self) -> SocketAddr {
        self.address_of("jobs")
    }

    fn address_of(&self, listener: &str) -> SocketAddr {
        let name = format!("job:{listener}");
        let addresses = self.gateway.addresses();
        addresses.into_iter().find(|(known, _)| *known == name).unwrap().1
    }

    /// How many tickets SuperID gave for a tenant.
    pub fn exchanges(&self, tenant: &str) -> u64 {
        self.superid.exchanges().granted(APP, tenant)
    }

    /// No credential ever came where it must not.
    pub fn assert_nothing_astray(&self) {
        let violations = self.superid.violations();
        assert_eq!(violations.count(), 0, "{:?}", violations.latest());
    }
}

pub fn key(tenant: &str) -> TenantKey {
    TenantKey {
        environment: "emulator".into(),
        client_id: APP.into(),
        tenant: ContextId::parse(tenant).unwrap(),
    }
}

/// The value of `Authorization` for a name and a password.
pub fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
}

/// The one caller that may call everything.
pub fn nightly() -> String {
    basic("nightly", NIGHTLY_PASSWORD)
}

pub const NIGHTLY_PASSWORD: &str = "nightly-password-0123456789";

fn options(clock: &Clock) -> Options {
    Options { clock: clock.clone(), random: Random::system(), workers: 2, ..Options::ordinary() }
}

fn settings(superid: &Emulator, changes: &str) -> config::Settings {
    let text = configuration(superid, changes);
    let loaded = config::load_text(&text, "test", Path::new("."), &|_| None);
    loaded.unwrap_or_else(|problems| panic!("{problems}")).settings
}

/// The configuration of a gateway before this SuperID, with a piece of TOML laid over it.
pub fn configuration(superid: &Emulator, changes: &str) -> String {
    let origins: Vec<String> = superid.hosts().iter().map(|host| format!("{host:?}")).collect();
    let text = TEXT
        .replace("$SUPERID", superid.url())
        .replace("$ORIGINS", &origins.join(", "))
        .replace("$KEY", &format!("{:?}", partner::KEY.0));
    let mut table: Table = text.parse().unwrap();
    lay(&mut table, changes.parse().unwrap());
    table.to_string()
}

fn lay(below: &mut Table, above: Table) {
    for (name, value) in above {
        match (below.get_mut(&name), value) {
            (Some(Value::Table(under)), Value::Table(over)) => lay(under, over),
            (_, value) => drop(below.insert(name, value)),
        }
    }
}

const TEXT: &str = r#"
[environment.emulator]
issuer = "$SUPERID"
authorize_url = "$SUPERID/login/common/oauth/authorize"
tenant_authorize_url = "$SUPERID/login/{ctx}/oauth/authorize"
token_url = "$SUPERID/login/common/oauth/tokens"
jwks_url = "$SUPERID/login/.well-known/jwks"
logout_url = "$SUPERID/login/logout"
legacy_login_url = "$SUPERID/login/"
system_user_url = "$SUPERID/Login/api/PartnerSystemUser/Authenticate"
system_user_soap_url = "$SUPERID/login/services/PartnerSystemUserService.svc"
tenant_state_url = "$SUPERID/api/state/{ctx}"
addresses = [$ORIGINS]

[relying_party.main]
environment = "emulator"
client_id = "jobs-app"
client_secret = { value = "jobs-secret" }

[relying_party.main.system_user]
key = { value = $KEY }

[job_listener.jobs]
address = "127.0.0.1:0"
hosts = ["jobs.test"]

[job_caller.nightly]
password = { value = "nightly-password-0123456789" }
tenants = ["*"]

[vault]
place = "memory"
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]

[admin]
enabled = false

[log]
access = false
"#;
