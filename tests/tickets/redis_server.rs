//! A Redis of a test's own, on a socket in a folder of its own.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use superid_gateway::config::{Redis, RedisAddress};
use superid_gateway::crypto::{Random, Secret};
use superid_gateway::redis_link::RedisLink;

/// A running server; killed at the end of the test.
pub struct RedisServer {
    child: Child,
    folder: PathBuf,
    password: Option<&'static str>,
}

impl RedisServer {
    /// Starts one that keeps nothing. `None`, and said aloud, where this machine has no Redis;
    /// in CI that is a failure.
    pub fn start() -> Option<Self> {
        Self::start_with(None)
    }

    pub fn start_with(password: Option<&'static str>) -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("superid-gateway-redis-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let Some(child) = run(&folder, password) else {
            let _empty = std::fs::remove_dir(&folder);
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "no redis-server");
            println!("SKIPPED: there is no redis-server on this machine");
            return None;
        };
        Some(Self { child, folder, password })
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.join("redis.sock")
    }

    pub fn config(&self) -> Redis {
        config(self.socket(), self.password)
    }

    pub fn link(&self) -> RedisLink {
        RedisLink::open(&self.config(), Random::system()).unwrap()
    }

    /// Stops it in the midst of whatever it does, as if its machine hung.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Kills it and starts another in its place.
    pub fn restart(&mut self) {
        self.kill();
        self.child = run(&self.folder, self.password).unwrap();
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// What `redis-cli` answers.
    pub fn ask(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .arg("-s")
            .arg(self.socket())
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn signal(&self, name: &str) {
        let (signal, id) = (format!("-{name}"), self.child.id().to_string());
        assert!(Command::new("kill").args([signal, id]).status().unwrap().success());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

pub fn config(socket: PathBuf, password: Option<&str>) -> Redis {
    Redis {
        address: RedisAddress::Unix(socket),
        database: 0,
        username: None,
        password: password.map(|text| Secret::new(text.to_owned())),
        prefix: "test".to_owned(),
        timeout: Duration::from_secs(1),
    }
}

/// Returns once it takes connections.
fn run(folder: &std::path::Path, password: Option<&str>) -> Option<Child> {
    let mut child = Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
        .arg(folder.join("redis.sock"))
        .arg("--dir")
        .arg(folder)
        .args(password.into_iter().flat_map(|password| ["--requirepass", password]))
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while !lines.next().expect("redis-server says that it is ready").unwrap().contains("eady to ac")
    {
    }
    // Its later words are read, so that it never waits for room to write them.
    std::thread::spawn(move || lines.for_each(drop));
    Some(child)
}
