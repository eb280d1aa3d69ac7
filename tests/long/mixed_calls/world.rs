//! An emulated SuperID with many tenants and two apps, and a gateway with a job listener for each.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::config;
use superid_gateway::crypto::Random;
use superid_gateway::emulator::{self, Detail, Emulator, Seed};
use superid_gateway::identity::{ContextId, SystemUserToken, TenantKey};
use superid_gateway::server::{Options, Running};
use superid_gateway::vault::Entry;

use crate::partner;
use crate::plan::Plan;

pub struct World {
    pub plan: Plan,
    pub clock: Clock,
    pub superid: Emulator,
    pub gateway: Running,
    pub tenants: Vec<String>,
}

/// One of the two apps. Everything secret of it contains its name, for the log to be searched for.
pub struct App {
    pub name: &'static str,
    pub client_id: &'static str,
    pub client_secret: &'static str,
    /// What its system user tokens begin with.
    pub title: &'static str,
}

pub const APPS: [App; 2] = [
    App {
        name: "north",
        client_id: "5c1f0a9e",
        client_secret: "Secret-of-north",
        title: "SystemTokenOfNorth",
    },
    App {
        name: "south",
        client_id: "7d2e1b8f",
        client_secret: "Secret-of-south",
        title: "SystemTokenOfSouth",
    },
];

impl World {
    pub async fn start(plan: Plan) -> Self {
        let clock = Clock::manual(Timestamp(1_700_000_000));
        let seconds = clock.clone();
        let seed = Seed::crowd(plan.tenants as u32);
        let tenants = seed.tenants.iter().map(|tenant| tenant.ctx.clone()).collect();
        let superid = Emulator::start(emulator::Options {
            clock: Arc::new(move || UNIX_EPOCH + Duration::from_secs(seconds.now().0)),
            extra_hosts: HOSTS,
            seed: seed.clone(),
            ..emulator::Options::default()
        });
        let superid = superid.await.unwrap();
        superid.journal().keep(Detail::Counts);
        for app in &APPS {
            superid.register(emulator::App {
                name: app.title.to_owned(),
                system_user: true,
                system_user_keys: vec![partner::KEY.1.clone()],
                ..emulator::App::new(app.client_id, app.client_secret, "http://localhost/callback")
            });
        }
        let options = Options {
            clock: clock.clone(),
            workers: 2,

            random: Random::system(),
            ..Options::ordinary()
        };
        let settings = settings(&superid, plan);
        let gateway = Running::start(settings, options).await;
        let gateway = gateway.unwrap_or_else(|error| panic!("{error}"));
        let world = Self { plan, clock, superid, gateway, tenants };
        for app in &APPS {
            for tenant in &seed.tenants {
                world.install(app, tenant).await;
            }
        }
        world
    }

    async fn install(&self, app: &App, tenant: &emulator::Tenant) {
        let token = self.superid.tenants().system_token(app.client_id, &tenant.ctx).unwrap();
        let entry = Entry {
            key: TenantKey {
                environment: "emulator".into(),
                client_id: app.client_id.into(),
                tenant: ContextId::parse(&tenant.ctx).unwrap(),
            },
            serial: tenant.serial.clone(),
            web_api_url: None,
            token: SystemUserToken::parse(&token).unwrap(),
            consented_by: "admin@example".to_owned(),
            stored: self.clock.now(),
            dormant: None,
        };
        self.gateway.system_users().vault().unwrap().put(entry).await.unwrap();
    }

    /// Where an app's job listener is.
    pub fn listener(&self, app: &App) -> SocketAddr {
        let name = format!("job:{}", app.name);
        let addresses = self.gateway.addresses();
        addresses.into_iter().find(|(known, _)| *known == name).unwrap().1
    }

    /// Waits until nobody buys tickets any more, so that turning the clock makes no purchase look
    /// older or younger than it is.
    pub async fn settle(&self) {
        let count = || {
            let kinds = [emulator::Kind::SystemUser, emulator::Kind::TenantState];
            kinds.map(|kind| self.superid.journal().count(kind))
        };
        let mut before = count();
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let now = count();
            if now == before {
                return;
            }
            before = now;
        }
    }

    /// Whether a caller may call a tenant: the last two of each app have the first half alone.
    pub fn may_call(&self, caller: usize, tenant: usize) -> bool {
        caller + 2 < self.plan.callers || tenant < self.plan.tenants / 2
    }
}

/// The value of `Authorization` that a caller of an app sends.
pub fn proof(app: &App, caller: usize) -> String {
    let text = format!("{}:{}", caller_name(app, caller), password(app, caller));
    format!("Basic {}", BASE64_STANDARD.encode(text))
}

fn caller_name(app: &App, caller: usize) -> String {
    format!("caller-{}-{caller:02}", app.name)
}

fn password(app: &App, caller: usize) -> String {
    format!("Password-of-{}-{caller:02}", app.name)
}

fn settings(superid: &Emulator, plan: Plan) -> config::Settings {
    let origins: Vec<String> = superid.hosts().iter().map(|host| format!("{host:?}")).collect();
    let mut text =
        ENVIRONMENT.replace("$SUPERID", superid.url()).replace("$ORIGINS", &origins.join(", "));
    for app in &APPS {
        text.push_str(&of_app(app, plan));
    }
    let loaded = config::load_text(&text, "mixed.toml", Path::new("."), &|_| None);
    loaded.unwrap_or_else(|problems| panic!("{problems}")).settings
}

fn of_app(app: &App, plan: Plan) -> String {
    let half: Vec<String> =
        (0..plan.tenants / 2).map(|number| format!("\"Cust{}\"", 100_000 + number)).collect();
    let names: Vec<String> =
        (0..plan.callers).map(|caller| format!("{:?}", caller_name(app, caller))).collect();
    let mut text = OF_APP
        .replace("$NAME", app.name)
        .replace("$CLIENT_ID", app.client_id)
        .replace("$SECRET", app.client_secret)
        .replace("$KEY", &format!("{:?}", partner::KEY.0))
        .replace("$CALLERS", &names.join(", "));
    for caller in 0..plan.callers {
        let tenants = if caller + 2 < plan.callers { "\"*\"" } else { &half.join(", ") };
        text.push_str(&format!(
            "[job_caller.{}]\npassword = {{ value = {:?} }}\ntenants = [{tenants}]\n",
            caller_name(app, caller),
            password(app, caller)
        ));
    }
    text
}

/// So many tenants, the first ones, are called all the time, and have the worst weather.
pub const BUSY: usize = 3;
/// Beside SuperID's own, where no tenant lives.
pub const HOSTS: u16 = 3;
const ENVIRONMENT: &str = r#"
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
[vault]
place = "memory"
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
[admin]
enabled = false
[limits]
max_connections_per_address = 10000
"#;
const OF_APP: &str = r#"
[relying_party.$NAME]
environment = "emulator"
client_id = "$CLIENT_ID"
client_secret = { value = "$SECRET" }
[relying_party.$NAME.system_user]
key = { value = $KEY }
[job_listener.$NAME]
address = "127.0.0.1:0"
relying_party = "$NAME"
callers = [$CALLERS]
"#;
