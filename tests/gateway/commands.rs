//! The program itself: `demo` walked through both doors, and the commands' exit codes.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Instant;

use superid_gateway::clock::Clock;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::api_client::ApiClient;
use crate::browser::Browser;
use crate::wire::{Door, Net};
use crate::world::{ASTRID, JONAS};

const PROGRAM: &str = env!("CARGO_BIN_EXE_superid-gateway");

/// A folder that goes away.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = format!("superid-gateway-commands-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, text: &str) -> PathBuf {
        let path = self.0.join("gateway.toml");
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

async fn said(arguments: &[&str], config: &Path, more: &[&str]) -> (i32, String) {
    let Output { status, stdout, stderr } = Command::new(PROGRAM)
        .args(arguments)
        .arg("--config")
        .arg(config)
        .args(more)
        .output()
        .await
        .unwrap();
    let text = [stdout, stderr].concat();
    (status.code().unwrap(), String::from_utf8(text).unwrap())
}

/// Sends a signal, by the shell's own `kill`.
async fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id().unwrap());
    assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
}

#[tokio::test]
async fn the_demo_is_ready_soon_opens_both_doors_and_ends_cleanly() {
    let started = Instant::now();
    let mut demo = Command::new(PROGRAM)
        .args(["demo", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().expect("a line of JSON");
    let ready = started.elapsed();
    let places: serde_json::Value = serde_json::from_str(&line).unwrap();
    let place = |name: &str| places[name].as_str().unwrap().to_owned();
    let net = Net::default();
    let gateway = place("gateway");
    let authority = gateway.strip_prefix("http://").unwrap().to_owned();
    let address = authority.replace("localhost", "127.0.0.1").parse().unwrap();
    net.lead(&authority, Door { address, tls: None });
    let api = ApiClient(net.clone());
    assert_eq!(api.get(&format!("{}/ready", place("admin"))).await.status, 200);

    let mut browser = Browser::new(net.clone(), Clock::system());
    let answer = browser.sign_in(&format!("{gateway}/orders/7.json?tab=2"), ASTRID).await;
    assert_eq!(answer.json()["target"], "/orders/7.json?tab=2");
    let caller = answer.json()["caller"].to_string();
    assert!(caller.contains("Bearer 8A:Cust12345.") && caller.contains(ASTRID), "{caller}");

    let mut browser = Browser::new(net.clone(), Clock::system());
    let answer = browser.sign_in(&format!("{gateway}/legacy/a.json"), JONAS).await;
    let caller = answer.json()["caller"].to_string();
    assert!(caller.contains("7T:") && caller.contains("Jonas"), "{caller}");
    assert_eq!(browser.visit(&format!("{gateway}/admin/")).await.status, 303);

    let out = browser.open(&format!("{gateway}/auth/sign_out")).await;
    out.is_page(200);
    assert_eq!(out.url, format!("{gateway}/auth/signed_out"));
    assert_eq!(api.get(&format!("{gateway}/public/x.json")).await.status, 200);
    assert_eq!(api.get(&format!("{gateway}/orders")).await.status, 401);

    signal(&demo, "INT").await;
    let mut stderr = String::new();
    demo.stderr.take().unwrap().read_to_string(&mut stderr).await.unwrap();
    assert_eq!(demo.wait().await.unwrap().code(), Some(0));
    assert_eq!(stderr, "", "nothing to complain about");
    assert!(ready.as_secs() < 10, "{ready:?} even in a debug build on a busy machine");
}

#[tokio::test]
async fn run_serves_logs_and_ends_when_told_to() {
    let folder = Folder::new("run");
    let free = || {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        socket.local_addr().unwrap().port()
    };
    let (port, admin) = (free(), free());
    let config = folder.write(
        &HOLDS
            .replace("https://app.example", &format!("http://localhost:{port}"))
            .replace("0.0.0.0:8443", &format!("127.0.0.1:{port}"))
            .replace("127.0.0.1:9321", &format!("127.0.0.1:{admin}")),
    );
    assert_eq!(said(&["keys"], &config, &[]).await.0, 0);
    let mut run = Command::new(PROGRAM)
        .args(["run", "--config"])
        .arg(&config)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    while tokio::net::TcpStream::connect(("127.0.0.1", admin)).await.is_err() {
        assert!(run.try_wait().unwrap().is_none(), "it ended");
        tokio::task::yield_now().await;
    }
    let net = Net::default();
    let address = ([127, 0, 0, 1], port).into();
    net.lead(&format!("localhost:{port}"), Door { address, tls: None });
    let url = format!("http://localhost:{port}/orders?code=hunter2");
    assert_eq!(ApiClient(net).get(&url).await.status, 401);
    signal(&run, "TERM").await;
    let mut log = String::new();
    run.stdout.take().unwrap().read_to_string(&mut log).await.unwrap();
    run.stderr.take().unwrap().read_to_string(&mut log).await.unwrap();
    assert_eq!(run.wait().await.unwrap().code(), Some(0), "{log}");
    let line = log.lines().find(|line| line.contains("/orders")).expect("a line for the request");
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["status"], 401);
    assert!(!log.contains("hunter2"), "{log}");
}

#[tokio::test]
async fn logs_go_to_files_that_are_opened_anew_when_they_were_moved_away() {
    let folder = Folder::new("log-files");
    let (log, audit) = (folder.0.join("gateway.log"), folder.0.join("audit.log"));
    let config = folder.write(
        &(HOLDS.replace("0.0.0.0:8443", "127.0.0.1:0").replace("127.0.0.1:9321", "127.0.0.1:0")
            + "\n[log]\nformat = \"human\"\nto = \"file\"\npath = \"gateway.log\"\n\
               [audit]\nto = \"file\"\npath = \"audit.log\"\n"),
    );
    assert_eq!(said(&["keys"], &config, &[]).await.0, 0);
    let mut run = Command::new(PROGRAM)
        .args(["run", "--config"])
        .arg(&config)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    until_it_says(&mut run, &audit, "\"action\":\"start\"").await;
    until_it_says(&mut run, &log, " INFO  listening listener=").await;
    for file in [&log, &audit] {
        std::fs::rename(file, file.with_extension("1")).unwrap();
    }
    signal(&run, "USR1").await;
    until_it_says(&mut run, &audit, "\"action\":\"reopen_logs\"").await;
    until_it_says(&mut run, &log, "log files are opened anew").await;
    signal(&run, "TERM").await;
    assert_eq!(run.wait().await.unwrap().code(), Some(0));
    let text = std::fs::read_to_string(&audit).unwrap();
    assert!(text.contains("\"action\":\"stop\"") && !text.contains("\"start\""), "{text}");
    assert!(std::fs::read_to_string(&log).unwrap().contains(" INFO  stopping"));
    let mut rest = String::new();
    run.stdout.take().unwrap().read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "", "nothing goes to standard output then");
}

async fn until_it_says(run: &mut Child, file: &Path, text: &str) {
    while !std::fs::read_to_string(file).unwrap_or_default().contains(text) {
        assert!(run.try_wait().unwrap().is_none(), "it ended");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn check_tells_good_from_bad_from_unreadable_by_its_exit_code() {
    let folder = Folder::new("check");
    let config = folder.write(HOLDS);
    let (code, text) = said(&["check"], &config, &[]).await;
    assert_eq!(code, 1, "the key is not there yet: {text}");
    assert!(text.contains("session.key"), "{text}");
    let (code, text) = said(&["keys"], &config, &[]).await;
    assert_eq!(code, 0, "{text}");
    let (code, text) = said(&["check"], &config, &[]).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("redirect URL     https://app.example/auth/callback"), "{text}");
    let (code, _) = said(&["check"], &folder.0.join("nowhere.toml"), &[]).await;
    assert_eq!(code, 2);

    let bad = HOLDS.replace("upstream =", "upstraem =").replace("\"sod\"", "\"sodd\"");
    let config = folder.write(&bad);
    let (code, text) = said(&["check"], &config, &[]).await;
    assert_eq!(code, 1);
    assert!(text.contains("upstraem") && text.contains("sodd"), "every problem at once: {text}");
    let (code, text) = said(&["run"], &config, &[]).await;
    assert_eq!(code, 1, "run checks before it starts: {text}");
    assert!(text.contains("upstraem"), "{text}");
    assert_eq!(said(&["run"], &folder.0.join("nowhere.toml"), &[]).await.0, 2);
}

#[tokio::test]
async fn explain_tells_what_would_happen() {
    let folder = Folder::new("explain");
    let config = folder.write(HOLDS);
    said(&["keys"], &config, &[]).await;
    for (url, word) in [
        ("https://app.example/orders/7", "route     app"),
        ("https://app.example/auth/callback", "the callback of a sign-in"),
        ("https://other.example/", "421"),
        ("https://app.example/a%2fb", "400"),
    ] {
        let (code, text) = said(&["explain"], &config, &["GET", url]).await;
        assert_eq!(code, 0, "{url}: {text}");
        assert!(text.contains(word), "{url}: {text}");
    }
}

#[tokio::test]
async fn an_address_in_use_is_named_and_ends_in_three() {
    let folder = Folder::new("busy");
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let config = folder.write(&HOLDS.replace("0.0.0.0:8443", &address));
    said(&["keys"], &config, &[]).await;
    let (code, text) = said(&["run"], &config, &[]).await;
    assert_eq!(code, 3, "{text}");
    assert!(text.contains(&address), "{text}");
}

#[tokio::test]
async fn without_a_command_there_is_help() {
    let output = Command::new(PROGRAM).output().await.unwrap();
    assert_eq!(output.status.code(), Some(64));
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    for word in ["check", "demo", "explain", "health", "keys", "reload", "run", "status", "upgrade"]
    {
        assert!(text.contains(word), "{text}");
    }
}

const HOLDS: &str = r#"
[listener.web]
address = "0.0.0.0:8443"

[host.main]
origin = "https://app.example"

[relying_party.main]
environment = "sod"
client_id = "client"
client_secret = { value = "secret" }

[route.app]
upstream = "http://127.0.0.1:3000"

[admin]
address = "127.0.0.1:9321"

[session]
keys = [{ file = "session.key" }]
"#;
