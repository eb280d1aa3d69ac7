//! A process that has no file descriptor left: it waits, and goes on when there are some again.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::api_client::ApiClient;
use crate::wire::{Door, Net, PATIENCE, until};

const LIMIT: usize = 64;

#[tokio::test]
async fn without_descriptors_it_neither_spins_nor_ends_and_recovers_at_once() {
    let config = format!("superid-gateway-descriptors-{}.toml", std::process::id());
    let config = std::env::temp_dir().join(config);
    std::fs::write(&config, SETTINGS).unwrap();
    let mut gateway = started(&config);
    let mut log = BufReader::new(gateway.stdout.take().unwrap()).lines();
    // Before that it may say that so few descriptors are too few.
    let address: SocketAddr = loop {
        let line = timeout(PATIENCE, log.next_line()).await.expect("a line in time");
        let line = line.unwrap().expect("a line about the listener");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        if let Some(address) = line["address"].as_str() {
            break address.parse().unwrap();
        }
    };
    std::fs::remove_file(config).unwrap();
    let mut crowd = Vec::new();
    for _ in 0..2 * LIMIT {
        crowd.push(TcpStream::connect(address).await.unwrap());
    }
    until("no descriptor is left", async || {
        assert!(gateway.try_wait().unwrap().is_none(), "it ended");
        descriptors(&gateway) >= LIMIT
    })
    .await;
    let before = ticks(&gateway);
    // Time has to pass for somebody to spin in it.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let spent = ticks(&gateway) - before;
    assert!(spent <= 20, "{spent} of some 100 ticks a second");
    assert!(gateway.try_wait().unwrap().is_none(), "it ended");

    let net = Net::default();
    let name = "localhost:8080".to_owned();
    net.lead(&name, Door { address, tls: None });
    drop(crowd);
    let since = Instant::now();
    let answer = ApiClient(net).get(&format!("http://{name}/auth/signed_out")).await;
    assert_eq!(answer.status, 200);
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
}

fn started(config: &Path) -> Child {
    let command = format!("ulimit -n {LIMIT} && exec \"$0\" run --config \"$1\"");
    Command::new("sh")
        .args(["-c", &command, env!("CARGO_BIN_EXE_superid-gateway")])
        .arg(config)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

fn descriptors(child: &Child) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", child.id().unwrap())).unwrap().count()
}

/// Processor time it took so far, in ticks: `utime` and `stime` of proc(5).
fn ticks(child: &Child) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", child.id().unwrap())).unwrap();
    let (_, fields) = text.rsplit_once(") ").unwrap();
    let fields: Vec<&str> = fields.split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

const SETTINGS: &str = r#"
[listener.web]
address = "127.0.0.1:0"
[host.main]
origin = "http://localhost:8080"
[relying_party.main]
environment = "sod"
client_id = "client"
client_secret = { value = "secret" }
[route.app]
upstream = "http://127.0.0.1:9"
[session]
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
[admin]
enabled = false
[log]
access = false
"#;
