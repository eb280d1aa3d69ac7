//! Each kind of store, with two gateways over it and browsers that keep what they are given.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use http::{HeaderMap, HeaderValue, header};
use superid_gateway::clock::Timestamp;
use superid_gateway::config::{self, Bond, Settings};
use superid_gateway::crypto::Random;
use superid_gateway::identity::{ContextId, Credential, Principal};
use superid_gateway::session::{
    Loaded, Records, Revocations, SessionId, SessionState, Sessions, SharedRecords, Source, Store,
};
use superid_gateway::web::{CookieNames, Cookies};

use crate::redis_server::RedisServer;

pub const NOW: Timestamp = Timestamp(1_700_000_000);
pub const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub const OTHER_KEY: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

static BOND: LazyLock<Bond> =
    LazyLock::new(|| settings(&[KEY], "https://app.example").relying_parties[0].bond);

/// A store, as two gateways see it: replicas where it is shared, and else the same process twice.
pub struct Kind {
    pub name: &'static str,
    pub here: Sessions,
    pub there: Sessions,
    pub ended: Arc<Revocations>,
    store: Store,
    pub redis: Option<RedisServer>,
}

/// One browser's cookies.
#[derive(Clone, Default)]
pub struct Browser(HeaderMap);

/// Every kind this machine has.
pub fn each_kind() -> Vec<Kind> {
    let ended = || Arc::new(Revocations::new(1_000, 1_000));
    let one = |name, store: Store| {
        let ended = ended();
        let here = sessions(&[KEY], "https://app.example", (ended.clone(), store.clone()));
        Kind { name, there: here.clone(), here, ended, store, redis: None }
    };
    let memory = Store::Memory(Arc::new(Records::new(1_000)));
    let mut kinds = vec![one("cookie", Store::Cookie), one("memory", memory)];
    kinds.extend(RedisServer::start().map(|redis| {
        let shared = || Store::Redis(Arc::new(SharedRecords::always_asking(redis.link())));
        let kind = one("redis", shared());
        // Another process: it has heard of nothing that was ended here.
        let there = sessions(&[KEY], "https://app.example", (ended(), shared()));
        Kind { there, redis: Some(redis), ..kind }
    }));
    kinds
}

impl Kind {
    /// The same store for another host, or with other keys.
    pub fn with(&self, keys: &[&str], origin: &str) -> Sessions {
        sessions(keys, origin, (self.ended.clone(), self.store.clone()))
    }

    /// The same over another store.
    pub fn over(&self, store: Store) -> Sessions {
        sessions(&[KEY], "https://app.example", (self.ended.clone(), store))
    }
}

/// Sessions in a store, for a process that goes by this set.
pub fn of_set(set: &Arc<Revocations>, store: Store) -> Sessions {
    sessions(&[KEY], "https://app.example", (set.clone(), store))
}

fn sessions(keys: &[&str], origin: &str, kept: (Arc<Revocations>, Store)) -> Sessions {
    let settings = settings(keys, origin);
    let origin = &settings.hosts[0].origin;
    let names = CookieNames::new(&settings.session.cookie_name, origin);
    Sessions::new(&settings.session, &names, origin, kept)
}

impl Browser {
    pub fn cookies(&self) -> Cookies<'_> {
        Cookies::of(&self.0)
    }

    /// Keeps what it is given.
    pub fn keep(&mut self, set: &[HeaderValue]) {
        if set.is_empty() {
            return;
        }
        let pairs: Vec<&str> =
            set.iter().map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect();
        self.0.insert(header::COOKIE, pairs.join("; ").parse().unwrap());
    }

    /// Somebody signs in.
    pub async fn sign_in(sessions: &Sessions, state: &SessionState) -> Self {
        let mut browser = Self::default();
        let made = sessions.make(state, &Random::system(), browser.cookies()).await.unwrap();
        browser.keep(&made.cookies);
        browser
    }

    pub async fn asks(&self, sessions: &Sessions, now: Timestamp) -> Loaded {
        sessions.ask(self.cookies(), now).await
    }

    pub async fn is_signed_in(&self, sessions: &Sessions, now: Timestamp) -> bool {
        matches!(self.asks(sessions, now).await, Loaded::Live(_))
    }
}

/// Astrid, who signed in then.
pub fn astrid(signed_in: Timestamp) -> SessionState {
    let said = |text: &str| Some(text.to_owned());
    SessionState {
        id: SessionId::fresh(&Random::system()),
        relying_party: "main".to_owned(),
        bond: *BOND,
        principal: Principal {
            subject: "astrid.berg@nordlys.example".to_owned(),
            context: ContextId::parse("Cust12345").unwrap(),
            serial: said("1234567890"),
            company: said("Nordlys Kraft AS"),
            email: said("astrid.berg@nordlys.example"),
            initials: said("AB"),
            first_name: None,
            last_name: None,
            associate_id: said("42"),
            administrator: false,
            web_api_url: said("https://sod.superoffice.com/Cust12345/api/"),
            soap_url: None,
            claims: Vec::new(),
        },
        credential: Credential::Nothing,
        source: Source::of("sod"),
        keys: Vec::new(),
        signed_in,
        seen: signed_in,
        refresh: None,
        presented: None,
    }
}

pub fn settings(keys: &[&str], origin: &str) -> Settings {
    let keys: Vec<String> = keys.iter().map(|key| format!("{{ value = {key:?} }}")).collect();
    let text = format!(
        r#"
[host.main]
origin = "{origin}"
[relying_party.main]
environment = "sod"
client_id = "client"
client_secret = {{ value = "secret" }}
[route.app]
upstream = "http://127.0.0.1:3000"
[session]
keys = [{}]
idle = "100s"
absolute = "1000s"
"#,
        keys.join(", ")
    );
    config::load_text(&text, "test.toml", Path::new("."), &|_| None).unwrap().settings
}
