//! The load that shows a compiler which ways through the gateway are taken often: `deploy/profile-guided`
//! runs it between its two builds.
//!
//! ```text
//! TRAINING PROGRAM FOLDER
//! ```
//!
//! This process is the clients, the app and SuperID. What is measured elsewhere is here too, and what a
//! gateway does all day besides: TLS, HTTP/2, bodies both ways, connections made anew, sign-ins begun.

#![allow(clippy::print_stdout, reason = "a bench prints how far it is")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

mod app;
#[path = "../instructions/configuration.rs"]
mod configuration;
#[path = "../job_path/job.rs"]
mod job;
mod load;
mod message;
#[path = "../../tests/jobs/partner.rs"]
mod partner;
mod secure;
#[allow(dead_code, reason = "some of it is other benches'")]
#[path = "../setting/mod.rs"]
mod setting;
#[path = "../job_path/superid.rs"]
mod superid;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use configuration::{Configuration, Ports};
use load::Load;
use secure::Certificate;
use superid::SuperId;

fn main() -> ExitCode {
    superid_gateway::crypto::install_provider();
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [program, folder] = arguments.as_slice() else {
        println!("usage: TRAINING PROGRAM FOLDER; see deploy/profile-guided");
        return ExitCode::FAILURE;
    };
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder).expect("a folder to work in");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let app = runtime.block_on(app::start());
    let superid = SuperId::start(app);
    let ports = Ports { people: free_port(), jobs: free_port() };
    let (secure, certificate) = (free_port(), Certificate::write(folder));
    let more = certificate.listener(secure);
    let configuration = Configuration::write(folder, (app, &superid), ports, &more);
    let gateway = Gateway::start(Path::new(program), &configuration.path);
    for port in [ports.people, ports.jobs, secure] {
        wait_for(port);
    }
    let load = Load { ports, secure, certificate, configuration };
    runtime.block_on(load.runs());
    gateway.stop();
    ExitCode::SUCCESS
}

/// The program that learns.
struct Gateway(Child);

impl Gateway {
    fn start(program: &Path, configuration: &Path) -> Self {
        let mut command = Command::new(program);
        command.args(["run", "--config"]).arg(configuration);
        Self(command.stdout(Stdio::null()).spawn().expect("the program starts"))
    }

    /// As an operator ends it: what it has learnt is written at its end.
    fn stop(mut self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).expect("it still runs");
        let ended = self.0.wait().unwrap();
        assert!(ended.success(), "the gateway ended with {ended}");
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _gone_already = self.0.wait();
    }
}

fn free_port() -> u16 {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    socket.local_addr().unwrap().port()
}

fn wait_for(port: u16) {
    let end = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(Instant::now() < end, "the gateway does not listen");
        std::thread::yield_now();
    }
}
