//! A gateway whose certificate is ordered, the authority before it, and an app behind it.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::config::{self, Settings};
use superid_gateway::server::{Options, Running, StartFailed};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::authority::Authority;
use crate::looks;

/// When every test begins.
pub const NOW: u64 = 1_800_000_000;

pub struct Gate {
    pub running: Running,
    pub authority: Authority,
    pub clock: Clock,
    pub plain: SocketAddr,
    pub web: SocketAddr,
    pub folder: Arc<Folder>,
    app: SocketAddr,
    seen: Arc<AtomicUsize>,
    text: String,
}

/// Gone with the last who has it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("superid-gateway-acme-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

impl Gate {
    /// Orders `app.example` by a challenge.
    pub async fn new(challenge: &str) -> Self {
        Self::with(challenge, "", |_| {}).await
    }

    /// The same with more TOML, before an authority that was told something first.
    pub async fn with(challenge: &str, more: &str, tell: impl FnOnce(&Authority)) -> Self {
        let clock = Clock::manual(Timestamp(NOW));
        let authority = Authority::start(&clock).await;
        tell(&authority);
        let seen = Arc::<AtomicUsize>::default();
        let app = app(seen.clone()).await;
        let text = TEXT.replace("$CHALLENGE", challenge) + more;
        let folder = Arc::new(Folder::new());
        Self::begun((authority, clock), (app, seen), folder, text).await
    }

    async fn begun(
        (authority, clock): (Authority, Clock),
        (app, seen): (SocketAddr, Arc<AtomicUsize>),
        folder: Arc<Folder>,
        text: String,
    ) -> Self {
        let open = ["plain", "web", "admin"].map(|name| {
            let socket = TcpListener::bind("127.0.0.1:0").unwrap();
            (name.to_owned(), socket)
        });
        let [plain, web, _] = open.each_ref().map(|(_, socket)| socket.local_addr().unwrap());
        (authority.state().http, authority.state().tls) = (Some(plain), None);
        authority.state().tls = Some(web);
        let settings = settings(&text, &authority, app, &folder);
        let options = Options {
            clock: clock.clone(),
            workers: 1,
            open: open.into_iter().map(|(name, socket)| (name, socket.into())).collect(),
            ..Options::ordinary()
        };
        let running = Running::start(settings, options).await.unwrap();
        Self { running, authority, clock, plain, web, folder, app, seen, text }
    }

    /// Another process on the same folder; this one goes on.
    pub async fn beside(&self) -> Self {
        let world = (self.authority.clone(), self.clock.clone());
        let app = (self.app, self.seen.clone());
        Self::begun(world, app, self.folder.clone(), self.text.clone()).await
    }

    /// The process ends, and another begins.
    pub async fn restarted(self) -> Self {
        let next = (self.authority, self.clock, self.app, self.seen, self.folder, self.text);
        self.running.stop().await;
        let (authority, clock, app, seen, folder, text) = next;
        Self::begun((authority, clock), (app, seen), folder, text).await
    }

    pub fn reload(&mut self, from: &str, to: &str) -> Result<(), StartFailed> {
        assert!(self.text.contains(from), "{from}");
        self.text = self.text.replace(from, to);
        self.running.reload(settings(&self.text, &self.authority, self.app, &self.folder))
    }

    /// Waits until so many certificates were stored, turning the clock a little at a time, and has the
    /// gateway look.
    pub async fn stored(&mut self, count: u64) {
        let stored = self.running.stored();
        self.turning("a certificate is stored", async || *stored.borrow() >= count).await;
        let looked = self.running.look_at_certificates();
        assert!(looked.iter().all(|(_, became)| became.is_ok()), "{looked:?}");
    }

    /// Waits until so many were stored, while the clock stands still.
    pub async fn stored_at_once(&mut self, count: u64) {
        let stored = self.running.stored();
        until("a certificate is stored", async || *stored.borrow() >= count).await;
    }

    /// Waits until something holds, turning the clock a little at a time.
    pub async fn turning(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        until(what, async || {
            if holds().await {
                return true;
            }
            self.clock.advance(1);
            false
        })
        .await;
    }

    /// A metric of the certificate, by name and further labels.
    pub async fn metric(&self, name: &str, labels: &str) -> Option<f64> {
        let text = self.told("/metrics").await;
        let line = format!("superid_gateway_acme_{name}{{certificate=\"app\"{labels}}} ");
        text.lines().find_map(|known| known.strip_prefix(&line))?.parse().ok()
    }

    /// How the certificate stands, by `/ready`, which stays ready.
    pub async fn standing(&self) -> Value {
        let ready: Value = serde_json::from_str(&self.told("/ready").await).unwrap();
        assert_eq!(ready["status"], "ready");
        ready["certificates"]["app"].clone()
    }

    async fn told(&self, path: &str) -> String {
        let admin = self.running.admin().unwrap();
        let (status, body) = looks::page(admin, "localhost", path).await.unwrap();
        assert_eq!(status, 200);
        body
    }

    /// A connection that believes the authority alone.
    pub async fn trusting(&self) -> Result<TlsStream<TcpStream>, String> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.root()).unwrap();
        let mut config =
            ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let seconds = self.clock.now().0;
        config.time_provider = Arc::new(Seconds(seconds));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let stream = TcpStream::connect(self.web).await.unwrap();
        let name = ServerName::try_from("app.example").unwrap();
        let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        connected.map_err(|error| error.to_string())
    }

    /// Requests that came to the app.
    pub fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    /// The files of the folder, with whoever may read them.
    pub fn files(&self) -> Vec<(String, u32)> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut files: Vec<_> = entries
            .map(|entry| {
                let entry = entry.unwrap();
                let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
                (entry.file_name().into_string().unwrap(), mode)
            })
            .collect();
        files.sort();
        files
    }

    pub fn laid(&self) -> usize {
        fs::read_dir(self.folder.path().join("challenges")).map_or(0, Iterator::count)
    }
}

/// One request on a connection that is kept; its status.
pub async fn ask(stream: &mut TlsStream<TcpStream>) -> Option<u16> {
    let request = b"GET /x HTTP/1.1\r\nHost: app.example\r\n\r\n";
    stream.write_all(request).await.ok()?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"the app") {
        if stream.read_buf(&mut answer).await.ok()? == 0 {
            return None;
        }
    }
    String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
}

/// The serial part of what a connection was shown: all of its leaf.
pub fn leaf(stream: &TlsStream<TcpStream>) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

/// Looks again and again until something holds; says what it waited for where it never does.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("in vain until {what}"));
}

fn settings(text: &str, authority: &Authority, app: SocketAddr, folder: &Folder) -> Settings {
    let text = text
        .replace("$DIRECTORY", &authority.directory())
        .replace("$APP", &app.to_string())
        .replace("$FOLDER", &folder.path().display().to_string());
    let loaded = config::load_text(&text, "test.toml", folder.path(), &|_| None);
    loaded.unwrap_or_else(|problems| panic!("{problems}\n{text}")).settings
}

/// An app that counts who came.
async fn app(seen: Arc<AtomicUsize>) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let seen = seen.clone();
            tokio::spawn(async move {
                let mut heard = Vec::new();
                while stream.read_buf(&mut heard).await.is_ok_and(|count| count > 0) {
                    if heard.ends_with(b"\r\n\r\n") {
                        heard.clear();
                        seen.fetch_add(1, Ordering::SeqCst);
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nthe app";
                        stream.write_all(answer).await.unwrap();
                    }
                }
            });
        }
    });
    address
}

/// The tests' clock, for TLS.
#[derive(Debug)]
struct Seconds(u64);

impl rustls::time_provider::TimeProvider for Seconds {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        Some(rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(self.0)))
    }
}

/// The end of every wait.
const PATIENCE: Duration = Duration::from_secs(30);

const TEXT: &str = r#"
[listener.plain]
address = "127.0.0.1:0"
redirect_to_https = true
[listener.web]
address = "127.0.0.1:0"
named_certificate = "app"
[certificate.app]
acme = "test"
hosts = ["app.example", "www.app.example"]
challenge = "$CHALLENGE"
[host.main]
origin = "https://app.example"
[route.app]
upstream = "http://$APP"
access = "public"
[session]
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
[admin]
address = "127.0.0.1:0"
[acme.test]
directory = "$DIRECTORY"
agree_to_terms = true
contact = ["mailto:operations@example.com"]
folder = "$FOLDER"
"#;
