//! A newer program takes over from the one that serves.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::SystemTime;

use command_fds::{CommandFdExt as _, FdMapping};
use rustix::process::{Pid, Signal, kill_process_group};
use superid_gateway::clock::Clock;
use superid_gateway::emulator::{self, App, Emulator};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::UnixDatagram;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::api_client::ApiClient;
use crate::browser::Browser;
use crate::recorder::{Recorder, Reply};
use crate::wire::{Door, Net, Nobodys, PATIENCE, Stream, read_answer};
use crate::world::{ASTRID, JONAS};

/// A running program, started as a service manager does that opened its sockets.
pub struct Service {
    pub first: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub folder: PathBuf,
    /// What is said to the service manager.
    pub manager: UnixDatagram,
    admin: SocketAddr,
    origin: String,
    net: Net,
    app: Recorder,
    _superid: Emulator,
    /// Of the first process and all that take over.
    group: Pid,
}

impl Service {
    pub async fn start(name: &str) -> Self {
        Self::start_with(name, "").await
    }

    /// With more lines in `[session]`.
    async fn start_with(name: &str, session: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("superid-gateway-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let manager = UnixDatagram::bind(folder.join("notify")).unwrap();
        let (front, admin) = (bound(), bound());
        let (address, admin_address) = (front.local_addr().unwrap(), admin.local_addr().unwrap());
        let origin = format!("http://localhost:{}", address.port());
        let app = Recorder::start().await;
        let superid = superid(&origin).await;
        let text = CONFIGURATION
            .replace("$FRONT", &address.to_string())
            .replace("$ADMIN", &admin_address.to_string())
            .replace("$ORIGIN", &origin)
            .replace("$SUPERID", superid.url())
            .replace("$APP", &app.url())
            + session;
        std::fs::write(folder.join("gateway.toml"), text).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_superid-gateway"));
        command
            .args(["run", "--config"])
            .arg(folder.join("gateway.toml"))
            .env("NOTIFY_SOCKET", folder.join("notify"))
            .env("LISTEN_FDS", "2")
            .env("LISTEN_FDNAMES", "one.socket:two.socket")
            .stdout(Stdio::piped())
            .process_group(0)
            .fd_mappings(vec![
                FdMapping { parent_fd: front.into(), child_fd: 3 },
                FdMapping { parent_fd: admin.into(), child_fd: 4 },
            ])
            .unwrap();
        let mut first = Command::from(command).kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(first.stdout.take().unwrap()).lines();
        let net = Net::default();
        let authority = origin.strip_prefix("http://").unwrap();
        net.lead(authority, Door { address, tls: None });
        let (group, admin) = (group_of(&first), admin_address);
        let mut service = Self {
            first,
            lines,
            folder,
            manager,
            admin,
            origin,
            net,
            app,
            _superid: superid,
            group,
        };
        service.says("admin listening").await;
        service
    }

    /// Waits for a line of the log.
    async fn says(&mut self, words: &str) -> String {
        loop {
            let line = timeout(PATIENCE, self.lines.next_line()).await.expect(words);
            let line = line.unwrap().expect(words);
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Sends a signal to the first process, by the shell's own `kill`.
    pub async fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.first.id().unwrap());
        assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
    }

    pub async fn upgrade(&mut self) {
        self.signal("USR2").await;
        self.says("the new process serves").await;
    }

    fn api(&self) -> ApiClient {
        ApiClient(self.net.clone())
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// What a command says about it, and its exit code.
    pub async fn told(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_superid-gateway"));
        command.args(arguments).arg("--config").arg(self.folder.join("gateway.toml"));
        let output = command.output().await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(text).unwrap())
    }

    async fn connect(&self) -> Box<dyn Stream> {
        self.net.connect(self.origin.strip_prefix("http://").unwrap()).await
    }

    async fn signed_in(&self, who: &str) -> Browser {
        let mut browser = Browser::new(self.net.clone(), Clock::system());
        assert_eq!(browser.sign_in(&self.url("/orders"), who).await.status, 200);
        browser
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone_already = kill_process_group(self.group, Signal::KILL);
        let _gone_already = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn a_new_process_takes_over_and_what_was_begun_is_finished_by_the_old_one() {
    let mut service = Service::start("taken").await;
    service.app.says(Reply::Held);
    let mut stream = service.connect().await;
    let head = format!("GET /public/slow HTTP/1.1\r\nHost: {}\r\n\r\n", &service.origin[7..]);
    stream.write_all(head.as_bytes()).await.unwrap();
    service.app.hears_more_than(0).await;
    service.upgrade().await;
    service.app.says_with("");
    assert_eq!(service.api().get(&service.url("/public/x")).await.status, 200);
    service.app.open();
    let answer = read_answer(&mut stream, "GET").await.unwrap();
    assert_eq!((answer.status, answer.header("connection")), (200, "close"));
    let line = service.says("stopped;").await;
    assert!(!line.contains("\"finished\":0") && line.contains("\"cut\":0"), "{line}");
    assert_eq!(service.first.wait().await.unwrap().code(), Some(0));
    assert_eq!(service.api().get(&service.url("/public/x")).await.status, 200);
}

#[tokio::test]
async fn an_ended_session_stays_ended_in_the_new_process_whenever_it_was_ended() {
    let mut service = Service::start("ended").await;
    let (mut before, after) = (service.signed_in(ASTRID).await, service.signed_in(JONAS).await);
    let (mut first_copy, mut second_copy) = (before.clone(), after.clone());
    let orders = service.url("/orders");
    before.visit(&service.url("/auth/sign_out")).await;
    let host = service.origin[7..].to_owned();
    let mut kept = service.connect().await;
    let head = format!("GET /public/x HTTP/1.1\r\nHost: {host}\r\n\r\n");
    kept.write_all(head.as_bytes()).await.unwrap();
    read_answer(&mut kept, "GET").await.unwrap();
    service.upgrade().await;
    assert_eq!(first_copy.visit(&orders).await.status, 303, "ended before");
    assert_eq!(second_copy.visit(&orders).await.status, 200, "not ended");
    let cookie = after.jar.value("superid-gateway").unwrap();
    let head = format!(
        "GET /auth/sign_out HTTP/1.1\r\nHost: {host}\r\nCookie: superid-gateway={cookie}\r\n\r\n"
    );
    kept.write_all(head.as_bytes()).await.unwrap();
    let answer = read_answer(&mut kept, "GET").await.unwrap();
    assert_eq!(answer.status, 303, "by the old process");
    assert_eq!(service.first.wait().await.unwrap().code(), Some(0));
    // The new process has been told by now, and hears it as soon as it has a turn.
    let heard = async { while after.clone().visit(&orders).await.status == 200 {} };
    timeout(PATIENCE, heard).await.expect("ended by the old one, late");
}

#[tokio::test]
async fn sessions_in_memory_are_handed_over_and_live_on_in_the_new_process() {
    let mut service = Service::start_with("memory", "store = \"memory\"\n").await;
    let orders = service.url("/orders");
    let (mut signed_out, mut stays) =
        (service.signed_in(ASTRID).await, service.signed_in(JONAS).await);
    let mut copy = signed_out.clone();
    signed_out.visit(&service.url("/auth/sign_out")).await;
    service.upgrade().await;
    assert_eq!(service.first.wait().await.unwrap().code(), Some(0));
    assert_eq!(stays.visit(&orders).await.status, 200);
    assert_eq!(copy.visit(&orders).await.status, 303, "ended before");
    let mut copy = stays.clone();
    stays.visit(&service.url("/auth/sign_out")).await;
    assert_eq!(copy.visit(&orders).await.status, 303);
}

#[tokio::test]
async fn a_process_that_does_not_start_leaves_the_old_one_serving() {
    let mut service = Service::start("not-taken").await;
    let file = service.folder.join("gateway.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, good.replace("upstream", "upstraem")).unwrap();
    service.signal("USR2").await;
    let line = service.says("nobody took over").await;
    assert!(line.contains("exit status: 1"), "{line}");
    assert_eq!(service.api().get(&service.url("/public/x")).await.status, 200);
    let ready = service.api().get(&format!("http://{}/ready", service.admin)).await;
    assert_eq!(ready.status, 200);
    std::fs::write(&file, good).unwrap();
    service.upgrade().await;
    assert_eq!(service.first.wait().await.unwrap().code(), Some(0));
    assert_eq!(service.api().get(&service.url("/public/x")).await.status, 200);
}

#[tokio::test]
async fn the_reload_command_says_whether_the_new_configuration_was_taken_and_why_not() {
    let service = Service::start("reload").await;
    let file = service.folder.join("gateway.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    let open = service.url("/public/x");
    let closed = good.replace("path = \"/public\"", "path = \"/elsewhere\"");
    std::fs::write(&file, &closed).unwrap();
    let (code, text) = service.told(&["reload"]).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("has taken the new configuration"), "{text}");
    assert_eq!(service.api().get(&open).await.status, 401);

    std::fs::write(&file, good.replace("upstream", "upstraem")).unwrap();
    let (code, text) = service.told(&["reload"]).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("did you mean upstream?") && text.contains("was not asked"), "{text}");

    let taken = bound();
    let more = format!("[listener.more]\naddress = \"{}\"", taken.local_addr().unwrap());
    std::fs::write(&file, good.clone() + &more).unwrap();
    let (code, text) = service.told(&["reload"]).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("cannot listen there") && text.contains("goes on as before"), "{text}");
    assert_eq!(service.api().get(&open).await.status, 401, "still the one before");

    std::fs::write(&file, good).unwrap();
    assert_eq!(service.told(&["reload"]).await.0, 0);
    assert_eq!(service.api().get(&open).await.status, 200);

    let gone = Nobodys::new();
    let nobody = gone.address().to_string();
    let (code, text) = service.told(&["reload", "--admin", &nobody]).await;
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("no gateway answers"), "{text}");
}

#[tokio::test]
async fn a_bad_file_and_a_plain_signal_change_nothing_and_the_log_says_so() {
    let mut service = Service::start("hang-up").await;
    let file = service.folder.join("gateway.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, good.replace("upstream", "upstraem")).unwrap();
    service.signal("HUP").await;
    let line = service.says("the old configuration stays in force").await;
    assert!(line.contains("did you mean upstream?"), "{line}");
    assert_eq!(service.api().get(&service.url("/public/x")).await.status, 200);
    let changes = service.api().get(&format!("http://{}/changes", service.admin)).await.json();
    assert_eq!((&changes["number"], &changes["outcome"]), (&1.into(), &"refused".into()));
    assert!(changes["reasons"][0].as_str().unwrap().contains("upstream"), "{changes}");
}

#[tokio::test]
async fn the_upgrade_command_says_whether_a_new_process_serves() {
    let mut service = Service::start("upgrade").await;
    let (code, text) = service.told(&["upgrade"]).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("has taken over"), "{text}");
    assert_eq!(service.first.wait().await.unwrap().code(), Some(0));
    let key = "[listener.web]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"";
    let file = service.folder.join("gateway.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    for name in ["cert.pem", "key.pem"] {
        std::fs::write(service.folder.join(name), "nonsense").unwrap();
    }
    std::fs::write(&file, good.replace("[listener.web]", key)).unwrap();
    let (code, text) = service.told(&["upgrade"]).await;
    assert_eq!(code, 1, "{text}");
    assert_eq!(service.api().get(&service.url("/public/x")).await.status, 200);
}

fn group_of(process: &Child) -> Pid {
    Pid::from_raw(process.id().unwrap().try_into().unwrap()).unwrap()
}

fn bound() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

async fn superid(origin: &str) -> Emulator {
    let options = emulator::Options {
        clock: Arc::new(SystemTime::now),
        apps: vec![App {
            post_logout_uris: vec![format!("{origin}/auth/signed_out")],
            ..App::new("client", "secret", &format!("{origin}/auth/callback"))
        }],
        ..emulator::Options::default()
    };
    Emulator::start(options).await.unwrap()
}

const CONFIGURATION: &str = r#"
[listener.web]
address = "$FRONT"
[admin]
address = "$ADMIN"
[host.main]
origin = "$ORIGIN"
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
client_id = "client"
client_secret = { value = "secret" }
[route.app]
upstream = "$APP"
[route.open]
path = "/public"
upstream = "$APP"
access = "public"
[session]
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
"#;
