//! The gateway as people run it: its program, a configuration file, a process.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};

use self::program::program;

#[path = "program.rs"]
mod program;

/// Runs until dropped.
pub struct Gateway {
    process: Child,
    folder: PathBuf,
    pub plain: SocketAddr,
    pub tls: SocketAddr,
    admin: SocketAddr,
}

impl Gateway {
    /// Starts it before an app on `app`, every path public; `limits` are lines of that table.
    pub fn start(app: u16, limits: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("long-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let [plain, tls, admin] = free_addresses();
        let text = CONFIGURATION
            .replace("$PLAIN", &plain.to_string())
            .replace("$TLS", &tls.to_string())
            .replace("$ADMIN", &admin.to_string())
            .replace("$APP", &app.to_string());
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
        fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        fs::write(folder.join("gateway.toml"), text + limits).unwrap();
        let process = program()
            .args(["run", "--config"])
            .arg(folder.join("gateway.toml"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let gateway = Self { process, folder, plain, tls, admin };
        while gateway.told("/ready").is_none() {
            std::thread::sleep(Duration::from_millis(20));
        }
        gateway
    }

    /// Its memory in kB, as the system counts it.
    pub fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Seconds of processor it has used.
    pub fn processor(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
        (ticks(11) + ticks(12)) / 100.0
    }

    /// The value of a metric, named with its labels; 0 when it is not there.
    pub fn metric(&self, name: &str) -> u64 {
        let text = self.told("/metrics").unwrap();
        let line = format!("superid_gateway_{name} ");
        let value = text.lines().find_map(|known| known.strip_prefix(&line));
        value.map_or(0, |value| value.parse().unwrap())
    }

    /// The certificate of its TLS listener.
    pub fn certificate(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.folder.join("cert.pem")).unwrap()
    }

    fn told(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.admin).ok()?;
        let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.starts_with("HTTP/1.1 200").then_some(answer)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ended_already = self.process.kill();
        let _status = self.process.wait();
        let _gone = fs::remove_dir_all(&self.folder);
    }
}

/// For clients that trust the gateway's certificate.
pub fn client_tls(certificate: CertificateDer<'static>, protocols: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

fn free_addresses() -> [SocketAddr; 3] {
    let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap())
}

const CONFIGURATION: &str = r#"
[listener.plain]
address = "$PLAIN"
[listener.tls]
address = "$TLS"
certificate = "cert.pem"
key = "key.pem"
[admin]
address = "$ADMIN"
[host.main]
origin = "http://localhost"
relying_parties = []
[route.app]
upstream = "http://127.0.0.1:$APP"
access = "public"
[session]
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
[limits]
"#;
