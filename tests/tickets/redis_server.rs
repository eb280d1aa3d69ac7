//! A Redis of a test's own, on a socket in a folder of its own.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use superid_gateway::config::{Redis, RedisAddress};
use superid_gateway::crypto::{Random, Secret};
use superid_gateway::redis_link::RedisLink;

/// A running server; killed at the end of the test.
pub struct RedisServer {
    // In this order they end.
    child: Running,
    folder: Folder,
    options: Vec<String>,
    password: Option<&'static str>,
}

struct Running(Child);

struct Folder(PathBuf);

impl RedisServer {
    /// Starts one that keeps nothing. `None`, and said aloud, where this machine has no Redis;
    /// in CI that is a failure.
    pub fn start() -> Option<Self> {
        Self::start_with(None)
    }

    pub fn start_with(password: Option<&'static str>) -> Option<Self> {
        let options = password.into_iter().flat_map(|password| ["--requirepass", password]);
        let started = Self::start_in(scratch(), options.map(str::to_owned))?;
        Some(Self { password, ..started })
    }

    /// Starts one that has what it acknowledged in its file.
    #[allow(dead_code, reason = "tickets need none of that")]
    pub fn start_keeping() -> Option<Self> {
        let options = ["--appendonly", "yes", "--appendfsync", "always"];
        Self::start_in(scratch(), options.into_iter().map(str::to_owned))
    }

    fn start_in(folder: PathBuf, options: impl Iterator<Item = String>) -> Option<Self> {
        let options: Vec<String> = options.collect();
        let Some(child) = run(&folder, &options) else {
            let _gone = std::fs::remove_dir_all(&folder);
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "no redis-server");
            println!("SKIPPED: there is no redis-server on this machine");
            return None;
        };
        Some(Self { child: Running(child), folder: Folder(folder), options, password: None })
    }

    /// Starts one that speaks TLS too, as `localhost`, and gives its port and its certificate.
    pub fn start_with_tls() -> Option<(Self, u16, PathBuf)> {
        let folder = scratch();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        // Redis takes no port 0 for "any": this one was free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let options = [
            ["--tls-port", &port.to_string()],
            ["--tls-auth-clients", "no"],
            ["--tls-cert-file", certificate.to_str().unwrap()],
            ["--tls-key-file", key.to_str().unwrap()],
        ];
        let server = Self::start_in(folder, options.concat().into_iter().map(str::to_owned))?;
        Some((server, port, certificate))
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.0.join("redis.sock")
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
        self.child = Running(run(&self.folder.0, &self.options).unwrap());
    }

    pub fn kill(&mut self) {
        self.child.0.kill().unwrap();
        self.child.0.wait().unwrap();
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
        let (signal, id) = (format!("-{name}"), self.child.0.id().to_string());
        assert!(Command::new("kill").args([signal, id]).status().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

pub fn config(socket: PathBuf, password: Option<&str>) -> Redis {
    Redis {
        address: RedisAddress::Unix(socket),
        tls: None,
        database: 0,
        username: None,
        password: password.map(|text| Secret::new(text.to_owned())),
        prefix: "test".to_owned(),
        timeout: Duration::from_secs(1),
    }
}

fn scratch() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::SeqCst);
    let name = format!("superid-gateway-redis-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Returns once it takes connections.
fn run(folder: &Path, options: &[String]) -> Option<Child> {
    // Another release, or Valkey, for whoever names it.
    let program = std::env::var_os("REDIS_SERVER").unwrap_or("redis-server".into());
    let mut child = Command::new(program)
        .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
        .arg(folder.join("redis.sock"))
        .arg("--dir")
        .arg(folder)
        .args(options)
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
