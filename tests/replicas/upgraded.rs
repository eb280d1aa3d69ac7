//! A gateway whose program is replaced again and again while its vault is written.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use command_fds::{CommandFdExt as _, FdMapping};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::partner;
use crate::wire::Net;

/// Sign-ins come in at `web`; everything ends with it, the folder with the vault too.
pub struct Upgraded {
    first: Child,
    group: Pid,
    folder: PathBuf,
    admin: SocketAddr,
    exports: usize,
    log: JoinHandle<Logged>,
}

/// What all processes have said.
#[derive(Default)]
pub struct Logged {
    /// Tokens put into the vault.
    pub stored: usize,
    /// Tokens that did not get there, and everything that was worth a warning.
    pub troubles: Vec<String>,
}

impl Upgraded {
    /// Starts the first process, on sockets that stay through all upgrades.
    pub fn start(web: TcpListener, superid: &str) -> Self {
        let name = format!("superid-gateway-upgraded-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let listening = TcpListener::bind("127.0.0.1:0").unwrap();
        let admin = listening.local_addr().unwrap();
        let text = CONFIGURATION
            .replace("$WEB", &web.local_addr().unwrap().to_string())
            .replace("$ADMIN", &admin.to_string())
            .replace("$ORIGIN", &format!("http://localhost:{}", web.local_addr().unwrap().port()))
            .replace("$SUPERID", superid)
            .replace("$KEY", &format!("{:?}", partner::KEY.0));
        std::fs::write(folder.join("gateway.toml"), text).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_superid-gateway"));
        command
            .args(["run", "--config"])
            .arg(folder.join("gateway.toml"))
            .env("LISTEN_FDS", "2")
            .env("LISTEN_FDNAMES", "one.socket:two.socket")
            .stdout(Stdio::piped())
            .process_group(0)
            .fd_mappings(vec![
                FdMapping { parent_fd: web.into(), child_fd: 3 },
                FdMapping { parent_fd: listening.into(), child_fd: 4 },
            ])
            .unwrap();
        let mut first = Command::from(command).kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(first.stdout.take().unwrap()).lines();
        let log = tokio::spawn(async move {
            let (mut lines, mut logged) = (lines, Logged::default());
            while let Ok(Some(line)) = lines.next_line().await {
                logged.note(line);
            }
            logged
        });
        let group = Pid::from_raw(first.id().unwrap().try_into().unwrap()).unwrap();
        Self { first, group, folder, admin, exports: 0, log }
    }

    /// The number of the process that serves; waits for the first one.
    pub async fn process(&self) -> i32 {
        let head = "GET /version HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let answer = Net::default().ask(&self.admin.to_string(), head.as_bytes()).await.unwrap();
        answer.json()["process"].as_i64().unwrap().try_into().unwrap()
    }

    /// Has a new process take over, as an operator does: the command ends when it serves.
    pub async fn upgrade(&self) -> String {
        let (code, text) = self.told(&["upgrade"]).await;
        assert_eq!(code, 0, "{text}");
        text.lines().find(|line| line.contains("has taken over")).expect("a new process").to_owned()
    }

    /// The tokens in the vault by their tenants, as the program's own export has them. Ends with a
    /// panic where an entry does not open.
    pub async fn tokens(&mut self) -> HashMap<String, String> {
        self.exports += 1;
        let file = self.folder.join(format!("export-{}", self.exports));
        let to = file.to_str().unwrap();
        let arguments = ["vault", "export", "--plain", "--yes-print-secrets", "--to", to];
        let (code, text) = self.told(&arguments).await;
        assert_eq!(code, 0, "{text}");
        let text = std::fs::read_to_string(&file).unwrap();
        let entries = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let word = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
        entries.map(|entry| (word(&entry, "tenant"), word(&entry, "token"))).collect()
    }

    /// What a command of the program prints about it, and its exit code.
    pub async fn told(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_superid-gateway"));
        command.args(arguments).arg("--config").arg(self.folder.join("gateway.toml"));
        let output = command.output().await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(text).unwrap())
    }

    /// Stops the last process; what all of them have said.
    pub async fn stop(mut self) -> Logged {
        let last = Pid::from_raw(self.process().await).unwrap();
        rustix::process::kill_process(last, Signal::TERM).unwrap();
        assert_eq!(self.first.wait().await.unwrap().code(), Some(0));
        (&mut self.log).await.unwrap()
    }
}

impl Logged {
    fn note(&mut self, line: String) {
        let told = line.contains("system user token: ");
        self.stored += line.matches("system user token: stored").count();
        let failed = told && line.contains("not stored");
        if failed || ["\"ERROR\"", "\"WARN\"", "panicked"].iter().any(|word| line.contains(word)) {
            self.troubles.push(line);
        }
    }
}

impl Drop for Upgraded {
    fn drop(&mut self) {
        let _gone_already = kill_process_group(self.group, Signal::KILL);
        let _gone_already = std::fs::remove_dir_all(&self.folder);
    }
}

const CONFIGURATION: &str = r#"
[listener.web]
address = "$WEB"
[admin]
address = "$ADMIN"
[host.main]
origin = "$ORIGIN"
app_pages = { install = "/install" }
[environment.emulator]
issuer = "$SUPERID"
authorize_url = "$SUPERID/login/common/oauth/authorize"
tenant_authorize_url = "$SUPERID/login/{ctx}/oauth/authorize"
token_url = "$SUPERID/login/common/oauth/tokens"
jwks_url = "$SUPERID/login/.well-known/jwks"
logout_url = "$SUPERID/login/logout"
legacy_login_url = "$SUPERID/login/"
system_user_url = "$SUPERID/Login/api/PartnerSystemUser/Authenticate"
tenant_state_url = "$SUPERID/api/state/{ctx}"
addresses = ["$SUPERID"]
[relying_party.main]
environment = "emulator"
client_id = "client"
client_secret = { value = "secret" }
[relying_party.main.system_user]
key = { value = $KEY }
[vault]
path = "vault.db"
keys = [{ value = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=" }]
[route.app]
upstream = "http://127.0.0.1:9"
[limits]
max_connections = 1000
sign_ins_per_minute = 100000
[session]
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
absolute = "1h"
"#;
