//! What the gateway is started with: a host whose people are signed in, and a job listener.

use std::path::{Path, PathBuf};

use superid_gateway::clock::Clock;
use superid_gateway::config::{self, Settings};
use superid_gateway::crypto::Random;
use superid_gateway::session::{SessionState, Source};
use superid_gateway::vault::Vault;
use superid_gateway::web::Cookies;

use crate::job::{CLIENT_ID, CLIENT_SECRET, PASSWORD, entry};
use crate::superid::SuperId;
use crate::{partner, setting};

/// A file, and what the gateway makes of it.
pub struct Configuration {
    pub path: PathBuf,
    settings: Settings,
}

/// Where people and where jobs connect.
#[derive(Clone, Copy)]
pub struct Ports {
    pub people: u16,
    pub jobs: u16,
}

impl Configuration {
    /// Writes it, with these tables besides, and a vault with the tenant's token.
    pub fn write(folder: &Path, (app, superid): (u16, &SuperId), ports: Ports, more: &str) -> Self {
        let text = TEXT
            .replace("$PEOPLE", &format!("127.0.0.1:{}", ports.people))
            .replace("$JOBS", &format!("127.0.0.1:{}", ports.jobs))
            .replace("$HOST", setting::HOST)
            .replace("$SUPERID", superid.url())
            .replace("$APP", &format!("http://127.0.0.1:{app}"))
            .replace("$CLIENT_ID", CLIENT_ID)
            .replace("$CLIENT_SECRET", CLIENT_SECRET)
            .replace("$PASSWORD", PASSWORD)
            .replace("$KEY", &format!("{:?}", partner::KEY.0));
        let path = folder.join("gateway.toml");
        std::fs::write(&path, text + more).unwrap();
        let loaded = config::load(&path);
        let settings = loaded.unwrap_or_else(|problems| panic!("{problems}")).settings;
        fill_vault(&settings, superid.token());
        Self { path, settings }
    }

    /// What the browser of somebody signed in sends, with a cookie that was just sealed: another each
    /// time.
    pub fn request(&self) -> Vec<u8> {
        let state = SessionState {
            bond: self.settings.relying_parties[0].bond,
            source: Source::of("bench"),
            ..setting::session()
        };
        let none = http::HeaderMap::new();
        let sealed =
            setting::store(&self.settings).sealed(&state, &Random::system(), Cookies::of(&none));
        setting::request_with(&setting::beside_others(&sealed.expect("a session that fits")[0]))
    }
}

/// A browser's request for a page, without a session.
pub fn navigation() -> Vec<u8> {
    let mut text = format!("GET {} HTTP/1.1\r\nHost: {}\r\n", setting::TARGET, setting::HOST);
    for (name, value) in setting::HEADERS {
        let value = match name {
            "accept" => "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "sec-fetch-mode" => "navigate",
            "sec-fetch-site" => "none",
            _ => value,
        };
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("cookie: theme=dark; cart=3f7a9c\r\n\r\n");
    text.into_bytes()
}

fn fill_vault(settings: &Settings, token: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let vault = settings.vault.as_ref().expect("it is configured");
    let vault = Vault::open(vault, Clock::system(), Random::system()).expect("a new file");
    runtime.block_on(vault.put(entry(token))).expect("the file takes it");
}

const TEXT: &str = r#"
[listener.bench]
address = "$PEOPLE"
[host.bench]
origin = "https://$HOST"
[environment.bench]
issuer = "$SUPERID"
authorize_url = "$SUPERID/login/common/oauth/authorize"
tenant_authorize_url = "$SUPERID/login/{ctx}/oauth/authorize"
token_url = "$SUPERID/login/common/oauth/tokens"
jwks_url = "$SUPERID/login/.well-known/jwks"
logout_url = "$SUPERID/login/logout"
legacy_login_url = "$SUPERID/login/"
system_user_url = "$SUPERID/Login/api/PartnerSystemUser/Authenticate"
tenant_state_url = "$SUPERID/api/state/{ctx}"
addresses = ["$APP"]
[relying_party.bench]
environment = "bench"
client_id = "$CLIENT_ID"
client_secret = { value = "$CLIENT_SECRET" }
[relying_party.bench.system_user]
key = { value = $KEY }
[session]
keys = [{ value = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=" }]
[route.root]
upstream = "$APP"
[job_listener.bench]
address = "$JOBS"
[job_caller.nightly]
password = { value = "$PASSWORD" }
tenants = ["*"]
[vault]
path = "vault.db"
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
[limits]
header_timeout = "1m"
idle_timeout = "5m"
sign_ins_per_minute = 0
[admin]
enabled = false
"#;
