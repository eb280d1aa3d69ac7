//! A replica: the program, a configuration, a process that can be killed and started again.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::fleet::{free, scratch};
use crate::program::program;

/// Killed when it is dropped.
pub struct Replica {
    pub port: u16,
    admin: u16,
    folder: PathBuf,
    process: Child,
}

impl Replica {
    /// Starts one; `redis` is what `[redis]` says.
    pub fn start(app: u16, redis: &str) -> Self {
        let (port, admin, folder) = (free(), free(), scratch());
        fs::write(folder.join("gateway.toml"), configuration(port, admin, app, redis)).unwrap();
        let process = started(&folder);
        let replica = Self { port, admin, folder, process };
        replica.awaited();
        replica
    }

    /// Kills it in the midst of whatever it does, and starts it again.
    pub fn restart(&mut self) {
        self.kill();
        self.process = started(&self.folder);
        self.awaited();
    }

    /// What its admin listener says.
    pub fn told(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.admin)).ok()?;
        let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.starts_with("HTTP/1.1 200").then_some(answer)
    }

    fn kill(&mut self) {
        let _ended_already = self.process.kill();
        let _status = self.process.wait();
    }

    fn awaited(&self) {
        let begun = Instant::now();
        while self.told("/ready").is_none() {
            assert!(begun.elapsed() < Duration::from_secs(30), "a replica does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
        let _gone = fs::remove_dir_all(&self.folder);
    }
}

/// What a replica is started with.
pub fn configuration(port: u16, admin: u16, app: u16, redis: &str) -> String {
    CONFIGURATION
        .replace("$PORT", &port.to_string())
        .replace("$ADMIN", &admin.to_string())
        .replace("$APP", &app.to_string())
        .replace("$REDIS", redis)
}

fn started(folder: &std::path::Path) -> Child {
    program()
        .args(["run", "--config"])
        .arg(folder.join("gateway.toml"))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// A session lives for as long as it is used every two minutes: it ends where renewals are lost for
/// longer than Redis is away here.
const CONFIGURATION: &str = r#"
[listener.plain]
address = "127.0.0.1:$PORT"
[admin]
address = "127.0.0.1:$ADMIN"
[log]
access = false
[host.main]
origin = "http://localhost"
[relying_party.main]
environment = "sod"
client_id = "client"
client_secret = { value = "secret" }
[route.app]
upstream = "http://127.0.0.1:$APP"
present = "nothing"
[limits]
max_connections_per_address = 10000
[session]
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
store = "redis"
idle = "2m"
[redis]
$REDIS
"#;
