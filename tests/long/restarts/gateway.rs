//! The program under test, and the processes that took over from it.

use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use rustls::pki_types::CertificateDer;

use crate::plan::Plan;
use crate::program::program;

pub struct Gateway {
    pub ports: [u16; 2],
    pub certificate: CertificateDer<'static>,
    first: Child,
    processes: Vec<u64>,
    admin: SocketAddr,
    folder: PathBuf,
    text: String,
    lines: Receiver<String>,
    drained: Drained,
}

/// What the processes said at their ends.
#[derive(Clone, Copy, Default)]
pub struct Drained {
    processes: u64,
    finished: u64,
    cut: u64,
    closed: u64,
}

impl Gateway {
    pub fn start(app: u16, plan: Plan) -> Self {
        let folder = std::env::temp_dir().join(format!("restarts-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        fs::write(folder.join("chain.pem"), made.cert.pem()).unwrap();
        fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(folder.join("key.pem"), mode).unwrap();
        let ports = [free(), free(), free()];
        let text = CONFIGURATION
            .replace("$PLAIN", &ports[0].to_string())
            .replace("$TLS", &ports[1].to_string())
            .replace("$ADMIN", &ports[2].to_string())
            .replace("$APP", &app.to_string())
            .replace("$GRACE", &plan.grace.as_secs().to_string());
        fs::write(folder.join("gateway.toml"), text.replace("$REQUESTS", "5000")).unwrap();
        let mut first = program()
            .args(["run", "--config"])
            .arg(folder.join("gateway.toml"))
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let output = first.stdout.take().unwrap();
        let (line, lines) = channel();
        std::thread::spawn(move || {
            for one in BufReader::new(output).lines().map_while(Result::ok) {
                let _nobody_reads = line.send(one);
            }
        });
        let admin = ([127, 0, 0, 1], ports[2]).into();
        let certificate = made.cert.der().clone();
        let processes = vec![u64::from(first.id())];
        let drained = Drained::default();
        let ports = [ports[0], ports[1]];
        let mut gateway =
            Self { ports, certificate, first, processes, admin, folder, text, lines, drained };
        gateway.says("admin listening");
        gateway
    }

    /// Another configuration, which the running process takes.
    pub fn reload(&mut self, number: usize) {
        let text = self.text.replace("$REQUESTS", &(5_000 + number).to_string());
        fs::write(self.folder.join("gateway.toml"), text).unwrap();
        self.signal("HUP");
        self.says("the new configuration is in force");
    }

    /// A process more, which takes over.
    pub fn upgrade(&mut self) {
        self.signal("USR2");
        self.says("the new process serves");
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            match self.process() {
                Some(process) if !self.processes.contains(&process) => {
                    return self.processes.push(process);
                }
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        panic!("the new process does not answer");
    }

    /// Stops the last process, and waits for all of them.
    pub fn stop(mut self) -> Drained {
        self.signal("TERM");
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.note(&line);
            if self.drained.processes == self.processes.len() as u64 {
                break;
            }
        }
        self.first.wait().unwrap();
        self.drained
    }

    fn signal(&self, name: &str) {
        let process = self.processes.last().unwrap();
        let kill = format!("kill -{name} {process}");
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    fn says(&mut self, words: &str) {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect(words);
            self.note(&line);
            assert!(!line.contains("nobody took over"), "{line}");
            if line.contains(words) {
                return;
            }
        }
    }

    fn note(&mut self, line: &str) {
        if line.contains("\"ERROR\"") || line.contains("\"WARN\"") {
            println!("{line}");
        }
        if !line.contains("stopped;") {
            return;
        }
        let said: serde_json::Value = serde_json::from_str(line).unwrap();
        let count = |name: &str| said[name].as_u64().unwrap();
        self.drained.processes += 1;
        self.drained.finished += count("finished");
        self.drained.cut += count("cut");
        self.drained.closed += count("closed");
    }

    fn process(&self) -> Option<u64> {
        let mut stream = TcpStream::connect(self.admin).ok()?;
        stream.write_all(b"GET /version HTTP/1.1\r\nHost: a\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        serde_json::from_str::<serde_json::Value>(body).ok()?["process"].as_u64()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // The processes that took over are of the first one's group.
        let group = Pid::from_child(&self.first);
        let _ended_already = kill_process_group(group, Signal::KILL);
        let _gone_already = fs::remove_dir_all(&self.folder);
    }
}

impl fmt::Display for Drained {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processes, finished, cut, closed } = self;
        write!(out, "{processes}; finished {finished}, cut {cut}, closed {closed} while they ended")
    }
}

fn free() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Longer than the whole drain of a process.
const PATIENCE: Duration = Duration::from_secs(90);
const CONFIGURATION: &str = r#"
[listener.plain]
address = "127.0.0.1:$PLAIN"
[listener.tls]
address = "127.0.0.1:$TLS"
certificate = "chain.pem"
key = "key.pem"
[admin]
address = "127.0.0.1:$ADMIN"
[log]
access = false
[host.plain]
origin = "http://localhost"
relying_parties = []
[host.tls]
origin = "https://localhost:8443"
relying_parties = []
[route.app]
upstream = "http://127.0.0.1:$APP"
access = "public"
max_requests = $REQUESTS
[limits]
drain_timeout = "$GRACEs"
max_connections_per_address = 10000
[session]
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
"#;
