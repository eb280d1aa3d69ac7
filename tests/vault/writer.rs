//! A process that writes to a vault and says so after each write, until it is told to stop or killed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::world::{KEY, entry, open, wait};

/// What such a process is to do.
#[derive(Clone, Copy, Debug)]
pub struct Orders {
    /// It writes to ten tenants, beginning with this one.
    pub first: u32,
    /// The first version it writes; each write has one more.
    pub version: u32,
    /// It ends by itself after so many writes.
    pub writes: u32,
}

/// A write that was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    pub tenant: u32,
    pub version: u32,
}

pub struct Writer {
    child: Child,
    kept: Receiver<Result<Kept, String>>,
}

impl Writer {
    /// Starts this very program again; `arguments` lead it to [`write_if_asked`].
    pub fn start(arguments: &[&str], file: &Path, orders: Orders) -> Self {
        Self::start_with(Command::new(std::env::current_exe().unwrap()), arguments, file, orders)
    }

    pub fn start_with(mut call: Command, arguments: &[&str], file: &Path, orders: Orders) -> Self {
        let Orders { first, version, writes } = orders;
        let mut child = call
            .args(arguments)
            .env(ASKED, format!("{first} {version} {writes} {}", file.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, kept) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                // Whatever else a test program prints is not for us.
                let Some(at) = line.find("vault-writer ") else { continue };
                let _nobody_listens = tell.send(heard(&line[at + 13..]));
            }
        });
        Self { child, kept }
    }

    /// Its next word: a write, or why it failed; `None` when it has ended.
    pub fn next(&self) -> Option<Result<Kept, String>> {
        match self.kept.recv_timeout(Duration::from_secs(60)) {
            Ok(word) => Some(word),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the writer hangs"),
        }
    }

    /// Kills it at once. What it had still said can be read after that.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it to end after the write it is at, and waits until it has.
    pub fn stop(&mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }

    /// Everything it still had to say.
    pub fn rest(&self) -> Vec<Result<Kept, String>> {
        std::iter::from_fn(|| self.next()).collect()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

/// Is the writing process, if it was started as one, and does not come back then.
pub fn write_if_asked() {
    let Ok(asked) = std::env::var(ASKED) else { return };
    let mut words = asked.splitn(4, ' ');
    let mut number = || words.next().unwrap().parse::<u32>().unwrap();
    let orders = Orders { first: number(), version: number(), writes: number() };
    let done = wait(write(Path::new(words.next().unwrap()), orders));
    if let Err(words) = done {
        say(&format!("failed {words}"));
    }
    std::process::exit(0);
}

async fn write(file: &Path, orders: Orders) -> Result<(), String> {
    let told = Arc::new(AtomicBool::new(false));
    let stop = told.clone();
    std::thread::spawn(move || {
        let _closed = std::io::stdin().read_to_end(&mut Vec::new());
        stop.store(true, Ordering::SeqCst);
    });
    let vault = open(file, &[KEY]).map_err(|error| error.to_string())?;
    for version in orders.version..orders.version + orders.writes {
        if told.load(Ordering::SeqCst) {
            break;
        }
        let tenant = orders.first + version % 10;
        vault.put(entry(tenant, version)).await.map_err(|error| error.to_string())?;
        say(&format!("kept {tenant} {version}"));
    }
    Ok(())
}

fn say(words: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "vault-writer {words}").unwrap();
    out.flush().unwrap();
}

fn heard(words: &str) -> Result<Kept, String> {
    match words.split_once(' ') {
        Some(("kept", numbers)) => {
            let (tenant, version) = numbers.split_once(' ').unwrap();
            Ok(Kept { tenant: tenant.parse().unwrap(), version: version.parse().unwrap() })
        }
        Some((_, why)) => Err(why.to_owned()),
        None => panic!("{words}"),
    }
}

const ASKED: &str = "VAULT_WRITER";
