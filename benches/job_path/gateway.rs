//! The gateway with a job listener, and the request of a background job.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use superid_gateway::clock::Clock;
use superid_gateway::config::{self, Settings};
use superid_gateway::emulator::Seed;
use superid_gateway::identity::{ContextId, SystemUserToken, TenantKey};
use superid_gateway::server::{Options, Running};
use superid_gateway::telemetry::AccessLog;
use superid_gateway::vault::Entry;

use crate::child::serve_until_told;

pub const TENANT: &str = "Cust12345";
pub const CLIENT_ID: &str = "0123456789abcdef0123456789abcdef";
pub const CLIENT_SECRET: &str = "0123456789abcdef0123456789abcdee";

/// As `run` makes it, with one worker, its access log written to nowhere, and the tenant's system
/// user token in its vault. Serves until told to end.
pub fn serve(upstream: u16, superid: &str, token: &str, key: &str) {
    let nowhere = File::options().write(true).open("/dev/null").expect("there is a /dev/null");
    let (access, writer) = AccessLog::to(nowhere);
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = socket.local_addr().expect("a bound address").port();
    let options = Options {
        workers: 1,
        access: Some(access),
        open: vec![("job:bench".to_owned(), socket.into())],
        ..Options::ordinary()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let running = runtime.block_on(async {
        let running = Running::start(settings(upstream, superid, key), options).await;
        let running = running.unwrap_or_else(|failed| panic!("{failed}"));
        let users = running.system_users();
        let vault = users.vault().expect("the configuration has a vault");
        vault.put(entry(token)).await.expect("memory takes it");
        running
    });
    serve_until_told(port);
    runtime.block_on(running.stop());
    drop(writer);
}

/// What a job sends.
pub fn request() -> Vec<u8> {
    let proof = BASE64_STANDARD.encode(format!("nightly:{PASSWORD}"));
    let text = format!(
        "GET /{TENANT}/api/v1/Contact/7?$select=name,department HTTP/1.1\r\n\
         Host: 127.0.0.1:8090\r\nAuthorization: Basic {proof}\r\n\
         User-Agent: nightly-export/2.4 (.NET 9.0)\r\nAccept: application/json\r\n\
         Accept-Language: nb-NO\r\nSO-Language: nb-NO\r\nSO-TimeZone: W. Europe Standard Time\r\n\r\n"
    );
    text.into_bytes()
}

fn entry(token: &str) -> Entry {
    let serial = Seed::default().tenant(TENANT).expect("a tenant of the cast").serial.clone();
    Entry {
        key: TenantKey {
            environment: "bench".into(),
            client_id: CLIENT_ID.into(),
            tenant: ContextId::parse(TENANT).expect("a context identifier"),
        },
        serial,
        web_api_url: None,
        token: SystemUserToken::parse(token).expect("a system user token"),
        consented_by: "admin@example".to_owned(),
        stored: Clock::system().now(),
        dormant: None,
    }
}

fn settings(upstream: u16, superid: &str, key: &str) -> Settings {
    let text = TEXT
        .replace("$SUPERID", superid)
        .replace("$UPSTREAM", &format!("http://127.0.0.1:{upstream}"))
        .replace("$CLIENT_ID", CLIENT_ID)
        .replace("$CLIENT_SECRET", CLIENT_SECRET)
        .replace("$KEY", &format!("{key:?}"))
        .replace("$PASSWORD", PASSWORD);
    let loaded = config::load_text(&text, "bench.toml", Path::new("."), &|_| None);
    loaded.unwrap_or_else(|problems| panic!("{problems}")).settings
}

const PASSWORD: &str = "kkT5kUGa2q4mYxk4oB0mV1zJt1tWkXg3m1q0v5rT";
const TEXT: &str = r#"
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
addresses = ["$UPSTREAM"]
[relying_party.bench]
environment = "bench"
client_id = "$CLIENT_ID"
client_secret = { value = "$CLIENT_SECRET" }
[relying_party.bench.system_user]
key = { value = $KEY }
[job_listener.bench]
address = "127.0.0.1:0"
[job_caller.nightly]
password = { value = "$PASSWORD" }
tenants = ["*"]
[vault]
place = "memory"
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
[admin]
enabled = false
"#;
