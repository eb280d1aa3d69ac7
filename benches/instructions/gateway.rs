//! The release program under valgrind, with one worker, from its start to its end.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::configuration::Ports;
use crate::idle;

/// A running one.
pub struct Gateway {
    process: Child,
    /// Where people and where jobs connect.
    pub ports: Ports,
}

/// Where instructions are counted.
#[derive(Clone, Copy)]
pub enum Counted {
    Everywhere,
    /// In the function of this name and all that it calls, from there: a function that others call too is
    /// counted only for this one. Instructions are told apart.
    Within(&'static str),
}

impl Gateway {
    /// Starts it and waits until it serves. What callgrind counts goes to `counts`.
    pub fn start(program: &Path, configuration: &Path, counts: &Path, counted: Counted) -> Self {
        let mut command = Command::new("valgrind");
        command.arg("--tool=callgrind");
        if let Counted::Within(function) = counted {
            command.arg(format!("--toggle-collect={function}"));
            command.args(["--dump-instr=yes", "--compress-pos=no"]);
        }
        command
            .arg(format!("--callgrind-out-file={}", counts.display()))
            .arg(format!("--log-file={}.log", counts.display()))
            .arg(program)
            .args(["run", "--config"])
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut process = on_one_core(|| command.spawn()).expect("valgrind is installed");
        idle::watch(process.id());
        let lines = lines_of(&mut process);
        let people = port(&lines, "\"bench\"");
        let jobs = port(&lines, "\"job:bench\"");
        drop(lines);
        Self { process, ports: Ports { people, jobs } }
    }

    /// Ends it, as an operator does, and waits until it has.
    pub fn stop(mut self) {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, Signal::TERM).expect("it still runs");
        let ended = self.process.wait().unwrap();
        assert!(ended.success(), "the gateway ended with {ended}");
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _gone_already = self.process.wait();
    }
}

/// What is started inherits the cores it may use, and the gateway has a worker for each.
fn on_one_core<T>(start: impl FnOnce() -> T) -> T {
    let all = sched_getaffinity(None).unwrap();
    let mut one = CpuSet::new();
    one.set((0..CpuSet::MAX_CPU).find(|core| all.is_set(*core)).expect("a core to run on"));
    sched_setaffinity(None, &one).unwrap();
    let started = start();
    sched_setaffinity(None, &all).unwrap();
    started
}

/// Its log, read to the end whether anybody wants it or not.
fn lines_of(process: &mut Child) -> Receiver<String> {
    let output = BufReader::new(process.stdout.take().expect("its output is a pipe"));
    let (said, lines) = channel();
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let _nobody_reads = said.send(line);
        }
    });
    lines
}

/// The port of the listener with this name, as its log says it.
fn port(lines: &Receiver<String>, listener: &str) -> u16 {
    loop {
        let line = lines.recv_timeout(PATIENCE).expect("the gateway says where it listens");
        if line.contains("\"listening\"") && line.contains(listener) {
            let address = line.split('"').find_map(|word| word.strip_prefix("127.0.0.1:"));
            return address.and_then(|port| port.parse().ok()).expect("an address in it");
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(120);
