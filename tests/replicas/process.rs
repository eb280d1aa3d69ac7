//! A gateway as people run it: its program, a configuration file, a process.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::world::{World, until};

/// Runs until it is killed or dropped.
pub struct Process {
    child: Child,
    folder: PathBuf,
    pub jobs: SocketAddr,
    admin: SocketAddr,
}

impl Process {
    /// Starts one for background jobs, and returns once it serves.
    pub async fn start(world: &World) -> Self {
        let [jobs, admin] = Self::places();
        let text = world.configuration(&jobs.to_string(), &format!("address = \"{admin}\""));
        Self::serving(&text, [jobs, admin]).await
    }

    /// Two addresses where nobody listens.
    pub fn places() -> [SocketAddr; 2] {
        let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        held.each_ref().map(|listener| listener.local_addr().unwrap())
    }

    /// Starts one with this configuration, whose listener and admin listener are there.
    pub async fn serving(text: &str, [jobs, admin]: [SocketAddr; 2]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("superid-gateway-replica-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("gateway.toml");
        fs::write(&file, text).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_superid-gateway"))
            .args(["run", "--config"])
            .arg(&file)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut process = Self { child, folder, jobs, admin };
        until("a gateway that serves", async || {
            let ended = process.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended: {ended:?}");
            process.told("/ready").is_some()
        })
        .await;
        process
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// What the admin listener answers.
    pub fn told(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.admin).ok()?;
        let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
    }

    /// The value of a metric, named with its labels; 0 when it is not there.
    pub fn metric(&self, name: &str) -> usize {
        let text = self.told("/metrics").unwrap();
        let line = format!("superid_gateway_{name} ");
        let value = text.lines().find_map(|known| known.strip_prefix(&line));
        value.map_or(0, |value| value.parse().unwrap())
    }

    /// Waits until so many callers in all have found no ticket at hand.
    pub async fn has_waiting(&self, callers: usize) {
        let name = "ticket_lookups_total{answer=\"miss\"}";
        until("callers who wait", async || self.metric(name) >= callers).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _status = self.child.wait();
        let _gone = fs::remove_dir_all(&self.folder);
    }
}
