//! What a service manager hears, and the sockets it opens, with a stand-in for systemd.

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Stdio;

use command_fds::{CommandFdExt as _, FdMapping};
use rustix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::UnixDatagram;
use tokio::process::Command;
use tokio::time::timeout;

use crate::upgrade::Service;
use crate::wire::PATIENCE;

#[tokio::test]
async fn the_manager_hears_of_readiness_of_each_reload_and_of_the_stop() {
    let mut service = Service::start("manager").await;
    assert_eq!(heard(&service.manager, "READY").await, "1");
    let file = service.folder.join("gateway.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    let outcomes = [(good.clone(), "serving"), (good.replace("upstream", "upstraem"), "stays in")];
    for (text, outcome) in outcomes {
        std::fs::write(&file, text).unwrap();
        let before = microseconds();
        service.signal("HUP").await;
        let said = next(&service.manager).await;
        assert_eq!(value(&said, "RELOADING"), Some("1"), "{said}");
        // systemd takes a reload for over that began before it asked.
        let at: i64 = value(&said, "MONOTONIC_USEC").unwrap().parse().unwrap();
        assert!((before..=microseconds()).contains(&at), "{before} {said}");
        let said = next(&service.manager).await;
        assert_eq!(value(&said, "READY"), Some("1"), "{said}");
        assert!(value(&said, "STATUS").unwrap().contains(outcome), "{said}");
    }
    service.signal("TERM").await;
    assert_eq!(heard(&service.manager, "STOPPING").await, "1");
    assert_eq!(service.first.wait().await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn after_an_upgrade_the_manager_watches_the_new_process_and_hears_of_no_stop() {
    let mut service = Service::start("manager-upgrade").await;
    let process = service.first.id().unwrap().to_string();
    assert_eq!(heard(&service.manager, "MAINPID").await, process);
    service.upgrade().await;
    let successor = heard(&service.manager, "MAINPID").await;
    assert_ne!(successor, process);
    assert!(Path::new(&format!("/proc/{successor}")).exists(), "{successor}");
    assert_eq!(service.first.wait().await.unwrap().code(), Some(0));
    let mut more = [0; 1024];
    let silence = service.manager.try_recv(&mut more);
    assert!(silence.is_err(), "the old one says no more: {:?}", silence.map(|n| &more[..n]));
}

#[tokio::test]
async fn a_socket_of_the_manager_serves_the_listener_of_its_name_and_one_too_many_is_told_of() {
    let folder = std::env::temp_dir().join(format!("superid-gateway-fds-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    // As `ListenStream=PORT` opens it: for both families.
    let Ok(web) = TcpListener::bind("[::]:0") else {
        return eprintln!("this machine knows no IPv6");
    };
    let (web_at, other) = (web.local_addr().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let text = CONFIGURATION.replace("$PORT", &web_at.port().to_string());
    std::fs::write(folder.join("gateway.toml"), text).unwrap();
    // `LISTEN_PID` is the process's own, which nobody knows before it is there.
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", "LISTEN_PID=$$ exec \"$@\"", "sh"])
        .args([env!("CARGO_BIN_EXE_superid-gateway"), "run", "--config"])
        .arg(folder.join("gateway.toml"))
        .env("LISTEN_FDS", "2")
        .env("LISTEN_FDNAMES", "other:web")
        .stdout(Stdio::piped())
        .process_group(0)
        .fd_mappings(vec![
            FdMapping { parent_fd: other.into(), child_fd: 3 },
            FdMapping { parent_fd: web.try_clone().unwrap().into(), child_fd: 4 },
        ])
        .unwrap();
    let mut run = Command::from(command).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
    let mut log = String::new();
    while !log.contains("\"listening\"") {
        let line = timeout(PATIENCE, lines.next_line()).await.expect("it listens").unwrap();
        log += &line.unwrap_or_else(|| panic!("it ended: {log}"));
    }
    // Bound by itself it would say 0.0.0.0, and the port would be taken.
    assert!(log.contains(&format!("\"address\":\"{web_at}\"")), "{log}");
    assert!(log.contains("fits no listener") && log.contains("\"name\":\"other\""), "{log}");
    run.kill().await.unwrap();
    let _gone = std::fs::remove_dir_all(&folder);
}

async fn next(manager: &UnixDatagram) -> String {
    let mut bytes = [0; 4096];
    let count = timeout(PATIENCE, manager.recv(&mut bytes)).await.expect("a word").unwrap();
    String::from_utf8(bytes[..count].to_vec()).unwrap()
}

/// The next value that is told under a name.
async fn heard(manager: &UnixDatagram, name: &str) -> String {
    let said = next(manager).await;
    value(&said, name).unwrap_or_else(|| panic!("{name}: {said}")).to_owned()
}

fn value<'s>(said: &'s str, name: &str) -> Option<&'s str> {
    said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

fn microseconds() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
}

const CONFIGURATION: &str = r#"
[listener.web]
address = "0.0.0.0:$PORT"
[admin]
enabled = false
[host.main]
origin = "https://app.example"
[relying_party.main]
environment = "sod"
client_id = "client"
client_secret = { value = "secret" }
[route.app]
upstream = "http://127.0.0.1:3000"
[session]
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
"#;
