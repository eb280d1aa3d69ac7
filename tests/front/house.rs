//! The real gateway before an app that keeps what it gets.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::CertificateDer;
use superid_gateway::config::{self, Settings};
use superid_gateway::server::{Options, Running};
use superid_gateway::telemetry::AccessLog;

use crate::client::Client;
use crate::h2::Talker;
use crate::upstream::Upstream;

pub struct House {
    pub upstream: Upstream,
    pub address: SocketAddr,
    /// Of the listener, where it has one.
    certificate: Option<CertificateDer<'static>>,
    gateway: Running,
}

impl House {
    /// Every path is public, so that the front alone decides.
    pub async fn open() -> Self {
        Self::with(None).await
    }

    /// Behind TLS.
    pub async fn with_tls() -> Self {
        Self::limited("").await
    }

    /// Behind TLS, with these limits beside those of every house.
    pub async fn limited(limits: &str) -> Self {
        Self::secured(limits, None).await
    }

    /// Behind TLS, with a log of its own.
    pub async fn secured(limits: &str, access: Option<AccessLog>) -> Self {
        let made =
            rcgen::generate_simple_self_signed(["localhost", "twin.localhost"].map(str::to_owned))
                .unwrap();
        let number = HOUSES.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("front-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let lines = format!("certificate = {certificate:?}\nkey = {key:?}\n");
        let mut house = Self::built(&lines, limits, access).await;
        std::fs::remove_dir_all(&folder).unwrap();
        house.certificate = Some(made.cert.der().clone());
        house
    }

    /// With a log of its own.
    pub async fn with(access: Option<AccessLog>) -> Self {
        Self::built("", "", access).await
    }

    async fn built(listener: &str, limits: &str, access: Option<AccessLog>) -> Self {
        let upstream = Upstream::start().await;
        let front = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = front.local_addr().unwrap();
        let options = Options {
            workers: 1,
            access,
            open: vec![("web".to_owned(), front.into())],
            ..Options::ordinary()
        };
        let settings = settings(&upstream, listener, limits);
        let gateway = Running::start(settings, options).await.unwrap();
        Self { upstream, address, certificate: None, gateway }
    }

    /// A connection whose TLS agreed on HTTP/2.
    pub async fn talk(&self) -> Talker {
        Talker::connect(self.address, self.certificate()).await
    }

    pub fn certificate(&self) -> &CertificateDer<'static> {
        self.certificate.as_ref().expect("a house with TLS")
    }

    /// What stands behind a name, with its labels, in the metrics.
    pub async fn metric(&self, name: &str) -> u64 {
        let mut client = Client::connect(self.gateway.admin().unwrap()).await;
        client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        let text = client.answer().await.unwrap().body;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name}")).trim().parse().unwrap()
    }

    /// The same; nothing was counted under a name that is not there.
    pub async fn told(&self, name: &str) -> u64 {
        let mut client = Client::connect(self.gateway.admin().unwrap()).await;
        client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        let text = client.answer().await.unwrap().body;
        let line = text.lines().find_map(|line| line.split_once(name));
        line.map_or(0, |(_, count)| count.trim().parse().unwrap())
    }

    /// Waits until the metrics say so.
    pub async fn tells(&self, name: &str, count: u64) {
        let looking = async {
            while self.told(name).await < count {
                tokio::task::yield_now().await;
            }
        };
        let told = tokio::time::timeout(PATIENCE, looking).await;
        told.unwrap_or_else(|_| panic!("{name} never came to {count}"));
    }

    pub async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }
}

fn settings(upstream: &Upstream, listener: &str, limits: &str) -> Settings {
    let text = BASE.replace("$APP", &upstream.address.to_string());
    let text = text.replace("$LISTENER", listener).replace("$LIMITS", limits);
    let loaded = config::load_text(&text, "test.toml", Path::new("."), &|_| None);
    loaded.unwrap_or_else(|problems| panic!("{problems}")).settings
}

/// How long a test waits before it says that something hangs.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
/// Each has a folder of its own.
static HOUSES: AtomicUsize = AtomicUsize::new(0);

const BASE: &str = r#"
[admin]
address = "127.0.0.1:0"

[listener.web]
address = "127.0.0.1:0"
$LISTENER
[host.main]
origin = "http://localhost"

[host.twin]
origin = "https://twin.localhost"
relying_parties = []

[host.foreign]
origin = "https://foreign.example"
relying_parties = []

[relying_party.main]
environment = "sod"
client_id = "client"
client_secret = { value = "secret" }

[route.app]
upstream = "http://$APP"
access = "public"

[session]
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]

[limits]
handshake_timeout = "1s"
header_timeout = "1s"
body_grace = "1s"
$LIMITS"#;
