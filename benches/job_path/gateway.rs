//! The gateway with a job listener.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;

use superid_gateway::config::{self, Settings};
use superid_gateway::server::{Options, Running};
use superid_gateway::telemetry::AccessLog;
use superid_gateway::vault::Entry;

use crate::child::serve_until_told;
use crate::job::{CLIENT_ID, CLIENT_SECRET, PASSWORD};

/// As `run` makes it, with one worker, its access log written to nowhere, and tenants' system user
/// tokens in its vault. Serves until told to end.
pub fn serve(upstream: u16, superid: &str, entries: Vec<Entry>, key: &str) {
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
        for entry in entries {
            vault.put(entry).await.expect("memory takes it");
        }
        running
    });
    serve_until_told(port);
    runtime.block_on(running.stop());
    drop(writer);
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
