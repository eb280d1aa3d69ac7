//! The real program calls tenants over https, under the authorities its machine believes at the time.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustls::ServerConfig;
use superid_gateway::clock::Clock;
use superid_gateway::config::{self, VaultPlace};
use superid_gateway::crypto::{KeyRing, Random, install_provider};
use superid_gateway::emulator::{self, App, Emulator, Fault, StateLie};
use superid_gateway::identity::SystemUserToken;
use superid_gateway::vault::{Entry, Vault};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::certificates::Authority;
use crate::client::Program;
use crate::partner;
use crate::unix_sockets::Folder;
use crate::world::{APP, NORDLYS, configuration, key, nightly};

/// A tenant's web service that takes every call, and counts connections.
struct Tenant {
    origin: String,
    connections: Arc<AtomicUsize>,
}

impl Tenant {
    async fn vouched_for_by(authority: &Authority) -> Self {
        install_provider();
        let ((certificate, key), _) = authority.issues("localhost");
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let (acceptor, listener) =
            (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let origin = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut asked = Vec::new();
                    while let Ok(1..) = stream.read_buf(&mut asked).await {
                        if asked.ends_with(b"\r\n\r\n") {
                            asked.clear();
                            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                            stream.write_all(answer).await.unwrap();
                        }
                    }
                });
            }
        });
        Self { origin, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// The running program.
struct Service {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    program: Program,
}

impl Service {
    async fn start(folder: &Folder) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_superid-gateway"))
            .args(["run", "--config"])
            .arg(folder.path("gateway.toml"))
            .env("SSL_CERT_FILE", folder.path("roots.pem"))
            .env_remove("SSL_CERT_DIR")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut service = Self { process, lines, program: Program::new("") };
        let line = service.says("job:jobs").await;
        let address = line.split('"').find(|word| word.starts_with("127.0.0.1:")).unwrap();
        service.program = Program::new(&format!("http://{address}"));
        service
    }

    async fn says(&mut self, words: &str) -> String {
        loop {
            let line = timeout(PATIENCE, self.lines.next_line()).await.expect(words);
            let line = line.unwrap().expect(words);
            if line.contains(words) {
                return line;
            }
        }
    }

    async fn reloads(&mut self) {
        let id = Pid::from_raw(i32::try_from(self.process.id().unwrap()).unwrap()).unwrap();
        kill_process(id, Signal::HUP).unwrap();
        self.says("the new configuration is in force").await;
    }

    async fn call(&self) -> (u16, String) {
        let authorization = [("authorization", &*nightly())];
        let answer = self.program.get("/Cust12345/api/v1/Contact/1", &authorization).await;
        (answer.status.as_u16(), answer.error().to_owned())
    }
}

#[tokio::test]
async fn a_reload_believes_whom_the_machine_believes_by_then_and_keeps_connections_otherwise() {
    let (ours, others) = (Authority::new(), Authority::new());
    let tenant = Tenant::vouched_for_by(&ours).await;
    let (superid, folder) = (superid().await, Folder::new("machine-roots"));
    let lie = StateLie::Elsewhere { origin: tenant.origin.clone() };
    superid.faults().set(Fault::StateLie { ctx: None, lie });
    let roots = |pem: &str| fs::write(folder.path("roots.pem"), pem).unwrap();
    let vault = folder.path("vault.db");
    let changes = format!(
        "[environment.emulator]\naddresses = [{:?}]\n[vault]\nplace = \"file\"\npath = {vault:?}",
        tenant.origin
    );
    fs::write(folder.path("gateway.toml"), configuration(&superid, &changes)).unwrap();
    install(&superid, &vault).await;
    roots(&ours.pem);
    let mut service = Service::start(&folder).await;
    let fine = (200, String::new());
    assert_eq!(service.call().await, fine);
    service.reloads().await;
    assert_eq!(service.call().await, fine);
    assert_eq!(tenant.connections(), 1, "nothing has changed");
    roots(&others.pem);
    service.reloads().await;
    assert_eq!(service.call().await, (502, "tenant_unreachable".to_owned()));
    roots(&(others.pem + &ours.pem));
    service.reloads().await;
    assert_eq!(service.call().await, fine);
    assert_eq!(tenant.connections(), 2, "one under each set of authorities");
}

async fn superid() -> Emulator {
    let superid = Emulator::start(emulator::Options::default()).await.unwrap();
    superid.register(App {
        system_user: true,
        system_user_keys: vec![partner::KEY.1.clone()],
        ..App::new(APP, "jobs-secret", "http://localhost/auth/callback")
    });
    superid
}

async fn install(superid: &Emulator, file: &Path) {
    let place = VaultPlace::File(file.to_owned());
    let keys = KeyRing::new(&[std::array::from_fn(|at| at as u8)]);
    let settings = config::Vault { place, keys };
    let vault = Vault::open(&settings, Clock::system(), Random::system()).unwrap();
    let entry = Entry {
        key: key(NORDLYS),
        serial: emulator::Seed::default().tenant(NORDLYS).unwrap().serial.clone(),
        web_api_url: None,
        token: SystemUserToken::parse(&superid.tenants().system_token(APP, NORDLYS).unwrap())
            .unwrap(),
        consented_by: "admin@example".to_owned(),
        stored: Clock::system().now(),
        dormant: None,
    };
    vault.put(entry).await.unwrap();
}

const PATIENCE: Duration = Duration::from_secs(30);
