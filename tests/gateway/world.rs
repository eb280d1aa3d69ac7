//! A gateway between an emulated SuperID and an app that keeps notes, and a clock turned by hand.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::config::{self, Flow, Settings};
use superid_gateway::crypto::Random;
use superid_gateway::emulator::{self, App, Emulator};
use superid_gateway::server::{Options, Running, StartFailed};
use superid_gateway::telemetry::{AccessLog, AuditLog, Tracer};
use tokio_rustls::TlsConnector;
use toml::{Table, Value};

use crate::api_client::ApiClient;
use crate::browser::Browser;
use crate::partner;
use crate::recorder::Recorder;
use crate::wire::{Door, Net};

pub const ASTRID: &str = "astrid.berg@nordlys.example";
pub const JONAS: &str = "jonas.lie@nordlys.example";
pub const MIRA: &str = "mira.holm@partner.example";
pub const SIOBHAN: &str = "siobhan@fjordbank.example";
pub const SOREN: &str = "soren.akesson@bakke.example";

/// When every test begins.
pub const NOW: u64 = 1_700_000_000;

pub struct World {
    pub clock: Clock,
    pub superid: Emulator,
    pub app: Recorder,
    /// A token endpoint that says what a test wants, for `token_url = "$LIAR/tokens"`.
    pub liar: Recorder,
    pub gateway: Running,
    pub net: Net,
    pub port: u16,
    pub origin: String,
    changes: String,
}

/// Where a gateway tells of what happens.
#[derive(Default)]
pub struct Told {
    pub access: Option<AccessLog>,
    pub audit: AuditLog,
    pub tracer: Option<Tracer>,
}

impl World {
    /// One relying party, one host, a guarded app, and `/public` open to everybody.
    pub async fn new() -> Self {
        Self::with("").await
    }

    /// The same with a piece of TOML laid over it.
    pub async fn with(changes: &str) -> Self {
        Self::tuned(changes, |_| {}).await
    }

    /// The same with settings below what a file may say, so that nothing takes long.
    pub async fn tuned(changes: &str, tune: impl Fn(&mut Settings)) -> Self {
        Self::built(changes, tune, None, None).await
    }

    pub async fn built(
        changes: &str,
        tune: impl Fn(&mut Settings),
        access: Option<AccessLog>,
        tls: Option<TlsConnector>,
    ) -> Self {
        Self::whole(changes, tune, Told { access, ..Told::default() }, tls).await
    }

    /// The same with TOML laid over it, and an audit log.
    pub async fn audited(changes: &str, audit: AuditLog) -> Self {
        Self::telling(changes, Told { audit, ..Told::default() }).await
    }

    /// The same, with all that it tells of.
    pub async fn telling(changes: &str, told: Told) -> Self {
        Self::whole(changes, |_| {}, told, None).await
    }

    async fn whole(
        changes: &str,
        tune: impl Fn(&mut Settings),
        told: Told,
        tls: Option<TlsConnector>,
    ) -> Self {
        let clock = Clock::manual(Timestamp(NOW));
        let seconds = clock.clone();
        let superid = Emulator::start(emulator::Options {
            clock: Arc::new(move || UNIX_EPOCH + Duration::from_secs(seconds.now().0)),
            ..emulator::Options::default()
        });
        let superid = superid.await.unwrap();
        let (app, liar) = (Recorder::start().await, Recorder::start().await);
        let front = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = front.local_addr().unwrap().port();
        let places = Places { port, superid: superid.url(), app: &app, liar: &liar };
        let mut settings = places.settings(changes);
        tune(&mut settings);
        register(&superid, &settings);
        let origin = settings.hosts[0].origin.to_string();
        let net = Net::default();
        let address = front.local_addr().unwrap();
        lead(&net, &settings, address, tls);
        let gateway = start(settings, &clock, front, told).await;
        let changes = changes.to_owned();
        Self { clock, superid, app, liar, gateway, net, port, origin, changes }
    }

    /// Another process with the same origins takes over, with more TOML laid over.
    pub async fn taken_over(mut self, more: &str) -> Self {
        self.gateway = self.beside(more).await;
        self
    }

    /// The same process, and this one goes on.
    pub async fn beside(&self, more: &str) -> Running {
        let front = TcpListener::bind("127.0.0.1:0").unwrap();
        let places = Places {
            port: self.port,
            superid: self.superid.url(),
            app: &self.app,
            liar: &self.liar,
        };
        let mut table: Table = places.filled(&self.changes).parse().unwrap();
        lay(&mut table, places.filled(more).parse().unwrap());
        let settings = places.settings(&table.to_string());
        register(&self.superid, &settings);
        lead(&self.net, &settings, front.local_addr().unwrap(), None);
        start(settings, &self.clock, front, Told::default()).await
    }

    /// The running gateway follows a configuration with more TOML laid over.
    pub fn reload(&mut self, more: &str) -> Result<(), StartFailed> {
        let places = Places {
            port: self.port,
            superid: self.superid.url(),
            app: &self.app,
            liar: &self.liar,
        };
        let mut table: Table = places.filled(&self.changes).parse().unwrap();
        lay(&mut table, places.filled(more).parse().unwrap());
        self.gateway.reload(places.settings(&table.to_string()))
    }

    /// The value of a metric, named with its labels; 0 when it is not there.
    pub async fn metric(&self, name: &str) -> u64 {
        let admin = self.gateway.admin().unwrap();
        let answer = self.api().get(&format!("http://{admin}/metrics")).await;
        assert_eq!(answer.status, 200);
        let line = format!("superid_gateway_{name} ");
        let value = answer.body.lines().find_map(|known| known.strip_prefix(&line));
        value.map_or(0, |value| value.parse().unwrap())
    }

    /// An address on the first host.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Host and port of the first host.
    pub fn authority(&self) -> &str {
        self.origin.split_once("://").unwrap().1
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.net.clone(), self.clock.clone())
    }

    pub fn api(&self) -> ApiClient {
        ApiClient(self.net.clone())
    }

    /// A browser that has just signed in, and an app that has forgotten that it did.
    pub async fn signed_in(&self, who: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(&self.url("/"), who).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "the app"));
        self.app.clear();
        browser
    }

    pub fn turn_clock(&self, seconds: u64) {
        self.clock.advance(seconds);
    }

    /// How many requests of a kind SuperID saw.
    pub fn asked(&self, kind: emulator::Kind) -> usize {
        self.superid.journal().count(kind)
    }
}

struct Places<'a> {
    port: u16,
    superid: &'a str,
    app: &'a Recorder,
    liar: &'a Recorder,
}

impl Places<'_> {
    fn settings(&self, changes: &str) -> Settings {
        let mut table: Table = self.filled(BASE).parse().unwrap();
        lay(&mut table, self.filled(changes).parse().unwrap());
        let loaded = config::load_text(&table.to_string(), "test.toml", Path::new("."), &|_| None);
        let mut settings = loaded.unwrap_or_else(|problems| panic!("{problems}\n{table}")).settings;
        // The folder that lets sessions last longer than an hour is made where a test wants it.
        settings.session.state_dir.take_if(|_| !changes.contains("state_dir"));
        settings
    }

    fn filled(&self, text: &str) -> String {
        // Made only where it is wanted: a key takes a while.
        let text = match text.contains("$PARTNER") {
            true => text.replace("$PARTNER", &format!("{:?}", partner::KEY.0)),
            false => text.to_owned(),
        };
        text.replace("$PORT", &self.port.to_string())
            .replace("$SUPERID", self.superid)
            .replace("$APP", &self.app.url())
            .replace("$LIAR", &self.liar.url())
    }
}

/// Lays `over` on `under`: tables join, everything else is replaced, `"-"` removes.
pub fn lay(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay(below, above),
            (_, Value::String(gone)) if gone == "-" => drop(under.remove(&key)),
            (_, value) => drop(under.insert(key, value)),
        }
    }
}

async fn start(settings: Settings, clock: &Clock, front: TcpListener, told: Told) -> Running {
    let Told { access, audit, tracer } = told;
    let admin = TcpListener::bind("127.0.0.1:0").unwrap();
    let options = Options {
        clock: clock.clone(),
        random: Random::system(),
        workers: 1,
        access,
        audit,
        tracer,
        open: vec![("web".to_owned(), front.into()), ("admin".to_owned(), admin.into())],
        inherited: Vec::new(),
    };
    Running::start(settings, options).await.unwrap()
}

/// Tells SuperID what `check` says should be registered, and nothing else.
fn register(superid: &Emulator, settings: &Settings) {
    for registration in config::registrations(settings) {
        let parties = &settings.relying_parties;
        let party = parties.iter().find(|party| party.name == registration.relying_party).unwrap();
        let legacy = matches!(party.flow, Flow::Legacy(_));
        let system_user = party.system_user.is_some();
        let keys = system_user.then(|| partner::KEY.1.clone());
        superid.register(App {
            post_logout_uris: registration.post_logout_urls,
            legacy_redirect: registration.redirect_urls.first().cloned().filter(|_| legacy),
            redirect_uris: registration.redirect_urls,
            system_user,
            system_user_keys: keys.into_iter().collect(),
            ..App::new(&registration.client_id, &format!("secret of {}", party.name), "")
        });
    }
}

fn lead(net: &Net, settings: &Settings, address: SocketAddr, tls: Option<TlsConnector>) {
    for host in &settings.hosts {
        let authority = host.origin.authority();
        net.lead(authority, Door { address, tls: tls.clone() });
    }
}

const BASE: &str = r#"
[listener.web]
address = "127.0.0.1:$PORT"

[host.main]
origin = "http://localhost:$PORT"

[environment.emulator]
issuer = "$SUPERID"
authorize_url = "$SUPERID/login/common/oauth/authorize"
tenant_authorize_url = "$SUPERID/login/{ctx}/oauth/authorize"
token_url = "$SUPERID/login/common/oauth/tokens"
jwks_url = "$SUPERID/login/.well-known/jwks"
logout_url = "$SUPERID/login/logout"
legacy_login_url = "$SUPERID/login/"
addresses = ["$SUPERID"]

[relying_party.main]
environment = "emulator"
client_id = "client-of-main"
client_secret = { value = "secret of main" }

[route.app]
upstream = "$APP"

[route.open]
path = "/public"
upstream = "$APP"
access = "public"

[session]
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
state_dir = "nowhere"
"#;
