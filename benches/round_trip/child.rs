//! This program in another mode, as a process whose CPU time can be read.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{ChildStdout, Command, Stdio};

/// A process that serves on a port until it is dropped.
pub struct Child {
    process: std::process::Child,
    output: BufReader<ChildStdout>,
    pub port: u16,
    /// The cookies its clients send, where it wants others than all.
    pub cookie: Option<String>,
}

/// Seconds a process spent computing.
#[derive(Clone, Copy)]
pub struct CpuTime {
    pub user: f64,
    pub system: f64,
}

impl CpuTime {
    pub fn all(&self) -> f64 {
        self.user + self.system
    }

    pub fn since(self, earlier: Self) -> Self {
        Self { user: self.user - earlier.user, system: self.system - earlier.system }
    }
}

impl Child {
    /// Starts this program with `arguments` and waits for the port it prints.
    pub fn start(arguments: &[&str]) -> Self {
        Self::of(Command::new(this_program()), arguments)
    }

    /// The same, under the command that the environment variable [`WRAPPER`] holds, if it does.
    pub fn start_wrapped(arguments: &[&str]) -> Self {
        let wrapper = std::env::var(WRAPPER).unwrap_or_default();
        let mut words = wrapper.split_whitespace();
        let Some(program) = words.next() else { return Self::start(arguments) };
        let mut command = Command::new(program);
        command.args(words).arg(this_program());
        Self::of(command, arguments)
    }

    /// Gives it an order and waits for its word that this is done.
    pub fn order(&mut self, order: &str) {
        let input = self.process.stdin.as_mut().expect("its input is a pipe");
        writeln!(input, "{order}").expect("it reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        assert_eq!(line.trim(), "done", "{order:?} failed");
    }

    fn of(mut command: Command, arguments: &[&str]) -> Self {
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("this program starts");
        let mut output = BufReader::new(process.stdout.take().expect("its output is a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it says its port");
        let (port, cookie) = match line.trim().split_once(' ') {
            Some((port, cookie)) => (port, Some(cookie.to_owned())),
            None => (line.trim(), None),
        };
        let port = port.parse().unwrap_or_else(|_| panic!("{arguments:?} said {line:?}"));
        Self { process, output, port, cookie }
    }

    /// What all its threads spent until now (proc_pid_stat(5), fields 14 and 15).
    pub fn cpu_time(&self) -> CpuTime {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.process.id()));
        let text = text.expect("the process lives");
        let after_name = text.rsplit(')').next().unwrap_or_default();
        let field = |number: usize| {
            let text = after_name.split_whitespace().nth(number - 3);
            let ticks: f64 = text.and_then(|ticks| ticks.parse().ok()).expect("a number of ticks");
            ticks / TICKS_PER_SECOND
        };
        CpuTime { user: field(14), system: field(15) }
    }
}

impl Drop for Child {
    /// Closing its input tells it to end.
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _gone_already = self.process.wait();
    }
}

/// Says the port, and the cookies where they are its own, to whoever started this process, and returns when they want it to end.
pub fn serve_until_told(port: impl std::fmt::Display) {
    println!("{port}");
    let _starter_gone = std::io::stdin().read_to_end(&mut Vec::new());
}

fn this_program() -> std::path::PathBuf {
    std::env::current_exe().expect("this program has a path")
}

/// A command to run the proxy under: valgrind, say.
const WRAPPER: &str = "PROXY_WRAPPER";
/// Linux says `USER_HZ`, which is 100 wherever this runs.
const TICKS_PER_SECOND: f64 = 100.0;
