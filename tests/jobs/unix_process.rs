//! The real program on a socket in the file system: killed, started again, upgraded.

use std::fs;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::client::Answer;
use crate::partner;
use crate::unix_sockets::{Folder, asked};

/// A running program, and those that take over from it.
struct Service {
    first: Child,
    lines: Lines<BufReader<ChildStdout>>,
    group: Pid,
    socket: PathBuf,
    /// The address of the other listener.
    port: String,
}

impl Service {
    async fn start(folder: &Folder) -> Self {
        fs::write(folder.path("gateway.toml"), CONFIGURATION).unwrap();
        fs::write(folder.path("partner-key.pem"), &partner::KEY.0).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_superid-gateway"));
        command
            .args(["run", "--config"])
            .arg(folder.path("gateway.toml"))
            .stdout(Stdio::piped())
            .process_group(0);
        let mut first = Command::from(command).kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(first.stdout.take().unwrap()).lines();
        let group = Pid::from_raw(i32::try_from(first.id().unwrap()).unwrap()).unwrap();
        let socket = folder.socket();
        let mut service = Self { first, lines, group, socket, port: String::new() };
        let line = service.says("job:more").await;
        service.port = line.split('"').find(|word| word.starts_with("127.0.0.1:")).unwrap().into();
        let path = service.socket.to_str().unwrap().to_owned();
        let line = service.says(&path).await;
        assert!(line.contains("listening") && line.contains("job:jobs"), "{line}");
        service
    }

    /// Waits for a line of the log.
    async fn says(&mut self, words: &str) -> String {
        loop {
            let line = timeout(PATIENCE, self.lines.next_line()).await.expect(words);
            let line = line.unwrap().expect(words);
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Waits for two lines in either order: each is of another process.
    async fn says_both(&mut self, mut words: [&str; 2]) {
        loop {
            let line = timeout(PATIENCE, self.lines.next_line()).await.expect(words[0]);
            let line = line.unwrap().expect(words[0]);
            if line.contains(words[1]) {
                words.swap(0, 1);
            }
            if line.contains(words[0]) {
                self.says(words[1]).await;
                return;
            }
        }
    }

    async fn call(&self) -> Answer {
        let stream = UnixStream::connect(&self.socket).await.unwrap();
        asked(stream, "/Cust12345/api/v1/Contact/1", &[]).await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone_already = kill_process_group(self.group, Signal::KILL);
    }
}

#[tokio::test]
async fn a_killed_program_is_started_again_and_upgraded_on_the_same_path() {
    let folder = Folder::new("process");
    let mut killed = Service::start(&folder).await;
    assert_eq!(killed.call().await.told(), (401, "caller_unknown"));
    let line = killed.says("nobody proved").await;
    let user = rustix::process::getuid().as_raw();
    assert!(line.contains(&format!("\"client\":\"unix:{user}\"")), "{line}");
    killed.first.kill().await.unwrap();
    assert!(folder.socket().exists(), "it had no time to clean up");

    let mut service = Service::start(&folder).await;
    assert_eq!(service.call().await.told(), (401, "caller_unknown"));
    kill_process(service.group, Signal::USR2).unwrap();
    let port = format!("\"{}\"", service.port);
    service.says_both([&port, "the new process serves"]).await;
    assert_eq!(service.call().await.told(), (401, "caller_unknown"));
    assert_eq!(service.first.wait().await.unwrap().code(), Some(0));
    assert_eq!(service.call().await.told(), (401, "caller_unknown"), "with the old one gone");

    // Somebody took the path and went: the socket at hand would be reached by nobody.
    fs::remove_file(&service.socket).unwrap();
    drop(UnixListener::bind(&service.socket).unwrap());
    kill_process_group(service.group, Signal::USR2).unwrap();
    service.says("the new process serves").await;
    assert_eq!(service.call().await.told(), (401, "caller_unknown"), "by a socket of its own");
}

const PATIENCE: Duration = Duration::from_secs(30);

/// Both kinds of job listener: the one on a port nobody knows keeps its port in an upgrade only if
/// its socket is handed over under its name.
const CONFIGURATION: &str = r#"
[relying_party.main]
environment = "sod"
client_id = "jobs-app"
client_secret = { value = "jobs-secret" }

[job_listener.jobs]
address = "unix:jobs.sock"
callers = ["nightly"]

[job_listener.more]
address = "127.0.0.1:0"
callers = ["nightly"]

[job_caller.nightly]
password = { value = "nightly-password-0123456789" }
tenants = ["*"]

[vault]
place = "memory"
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]

[relying_party.main.system_user]
key = { file = "partner-key.pem" }

[admin]
enabled = false
"#;
