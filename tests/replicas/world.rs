//! An emulated SuperID with one tenant that is installed, and a Redis, for gateways to stand between.

use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use superid_gateway::clock::Clock;
use superid_gateway::config::{self, VaultPlace};
use superid_gateway::crypto::{KeyRing, Random};
use superid_gateway::emulator::{self, App, Emulator, Kind};
use superid_gateway::identity::{ContextId, SystemUserToken, TenantKey};
use superid_gateway::vault::{Entry, Vault};

use crate::partner;
use crate::redis_server::RedisServer;

pub struct World {
    pub clock: Clock,
    pub redis: RedisServer,
    pub superid: Emulator,
}

impl World {
    /// `None`, and said aloud, where this machine has no Redis.
    pub async fn on(clock: Clock) -> Option<Self> {
        let redis = RedisServer::start_keeping()?;
        let seconds = clock.clone();
        let superid = Emulator::start(emulator::Options {
            clock: Arc::new(move || UNIX_EPOCH + Duration::from_secs(seconds.now().0)),
            extra_hosts: 1,
            ..emulator::Options::default()
        });
        let superid = superid.await.unwrap();
        superid.register(App {
            system_user: true,
            system_user_keys: vec![partner::KEY.1.clone()],
            ..App::new(APP, "jobs-secret", "http://localhost/auth/callback")
        });
        let world = Self { clock, redis, superid };
        world.install().await;
        Some(world)
    }

    /// Puts the tenant's token into the vault in Redis, as one of the gateways does when the tenant
    /// installs the app.
    async fn install(&self) {
        let place = VaultPlace::Redis(Box::new(self.redis.config()));
        let settings = config::Vault { place, keys: KeyRing::new(&[KEY]) };
        let vault = Vault::open(&settings, self.clock.clone(), Random::system()).unwrap();
        let token = self.superid.tenants().system_token(APP, TENANT).unwrap();
        let entry = Entry {
            key: TenantKey {
                environment: "emulator".into(),
                client_id: APP.into(),
                tenant: ContextId::parse(TENANT).unwrap(),
            },
            serial: emulator::Seed::default().tenant(TENANT).unwrap().serial.clone(),
            web_api_url: None,
            token: SystemUserToken::parse(&token).unwrap(),
            consented_by: "admin@example".to_owned(),
            stored: self.clock.now(),
            dormant: None,
        };
        vault.put(entry).await.unwrap();
    }

    /// A configuration whose job listener is there.
    pub fn configuration(&self, jobs: &str, admin: &str) -> String {
        let hosts = self.superid.hosts();
        let origins: Vec<String> = hosts.iter().map(|host| format!("{host:?}")).collect();
        CONFIGURATION
            .replace("$SUPERID", self.superid.url())
            .replace("$ORIGINS", &origins.join(", "))
            .replace("$KEY", &format!("{:?}", partner::KEY.0))
            .replace("$REDIS", &self.redis.socket().display().to_string())
            .replace("$JOBS", jobs)
            .replace("$ADMIN", admin)
    }

    /// How often SuperID was asked for a ticket.
    pub fn exchanges(&self) -> usize {
        self.superid.journal().count(Kind::SystemUser)
    }

    /// No credential ever came where it must not.
    pub fn assert_nothing_astray(&self) {
        let violations = self.superid.violations();
        assert_eq!(violations.count(), 0, "{:?}", violations.latest());
    }
}

/// Waits for something that comes within twenty seconds.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}: it did not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub const TENANT: &str = "Cust12345";
const APP: &str = "jobs-app";
const KEY: [u8; 32] = [7; 32];
const CONFIGURATION: &str = r#"
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
address = "$JOBS"
tenant_requests = 1000

[job_caller.nightly]
password = { value = "nightly-password-0123456789" }
tenants = ["*"]

[vault]
place = "redis"
keys = [{ value = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=" }]

[redis]
url = "unix://$REDIS"
prefix = "test"

[log]
access = false

[admin]
$ADMIN
"#;
