//! The gateway as this program in another mode, as one worker.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use superid_gateway::config;
use superid_gateway::server::{Options, Running};

use crate::app;

pub struct Gateway {
    child: Child,
    folder: PathBuf,
    pub address: SocketAddr,
    pub certificate: CertificateDer<'static>,
}

impl Gateway {
    /// Starts it before an app over http and one over https, which it starts with its own certificate.
    pub fn start() -> Self {
        superid_gateway::crypto::install_provider();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let folder = std::env::temp_dir().join(format!("floods-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let plain = app::start(None);
        let secure = app::start(Some(app::secured(made.cert.der().clone(), key.into())));
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("gateway")
            .arg(&folder)
            .arg(format!("{plain},{secure}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().parse().unwrap();
        Self { child, folder, address, certificate: made.cert.der().clone() }
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Gateway {
    /// Closing its input tells it to end.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _gone_already = self.child.wait();
        let _gone_already = std::fs::remove_dir_all(&self.folder);
    }
}

/// Says its address, and serves until its input is closed.
pub fn serve(folder: &str, apps: &str) {
    let (plain, secure) = apps.split_once(',').expect("two ports");
    // As the program does: figures are not to be counted in pages of 2 MiB.
    let _refused = rustix::thread::disable_transparent_huge_pages(true);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let text = CONFIGURATION.replace("$PLAIN", plain).replace("$SECURE", secure);
    let loaded = config::load_text(&text, "floods.toml", Path::new(folder), &|_| None);
    let settings = loaded.unwrap_or_else(|problems| panic!("{problems}")).settings;
    let options = Options { workers: 1, ..Options::ordinary() };
    let gateway = runtime.block_on(Running::start(settings, options));
    let gateway = gateway.unwrap_or_else(|error| panic!("{error}"));
    println!("{}", gateway.addresses()[0].1);
    let _starter_gone = std::io::stdin().read_to_end(&mut Vec::new());
}

/// Short times, so that they can be waited for; everything else is the default.
const CONFIGURATION: &str = r#"
[listener.web]
address = "127.0.0.1:0"
certificate = "cert.pem"
key = "key.pem"
[admin]
enabled = false
[host.main]
origin = "https://localhost"
relying_parties = []
[route.app]
upstream = "http://127.0.0.1:$PLAIN"
access = "public"
[route.https]
path = "/https"
upstream = "https"
access = "public"
[upstream.https]
servers = ["https://127.0.0.1:$SECURE"]
ca = "cert.pem"
server_name = "localhost"
[limits]
handshake_timeout = "2s"
header_timeout = "2s"
write_timeout = "3s"
idle_timeout = "5s"
[session]
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
"#;
