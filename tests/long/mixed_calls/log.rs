//! The log, ours at every level there is, searched line by line for what must not be in it.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use memchr::memmem;
use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::world::APPS;

/// What was logged so far.
pub struct Log {
    secrets: Vec<String>,
    lines: AtomicU64,
    bytes: AtomicU64,
    found: AtomicU64,
    shown: Mutex<Vec<String>>,
}

impl Log {
    /// Listens to everything this process logs from now on: all of ours, and of the libraries' what
    /// the gateway's own log lets through, from WARN on.
    pub fn listen() -> Arc<Self> {
        let log = Arc::new(Self {
            secrets: secrets(),
            lines: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            found: AtomicU64::new(0),
            shown: Mutex::default(),
        });
        let to = log.clone();
        let format = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_ansi(false)
            .with_writer(move || Line(to.clone()));
        let filter = Targets::new()
            .with_default(LevelFilter::WARN)
            .with_target("superid_gateway", LevelFilter::TRACE);
        tracing_subscriber::registry().with(filter).with(format).init();
        log.prove_that_it_finds();
        log
    }

    /// Lines with a secret in them.
    pub fn found(&self) -> u64 {
        self.found.load(Ordering::Relaxed)
    }

    pub fn told(&self) -> String {
        let (lines, bytes) =
            (self.lines.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        let mut told = format!(
            "log: {lines} lines, {bytes} bytes, compiled in up to {STATIC_MAX_LEVEL}; with secrets: {}",
            self.found()
        );
        for line in self.shown.lock().unwrap().iter() {
            told.push_str("\n  ");
            told.push_str(line);
        }
        told
    }

    /// Each secret, logged by us, must be found: else a clean log would mean nothing.
    fn prove_that_it_finds(&self) {
        for secret in &self.secrets {
            tracing::info!(target: "superid_gateway", "a line with {secret} in it");
        }
        assert_eq!(self.found.swap(0, Ordering::Relaxed), self.secrets.len() as u64);
        self.shown.lock().unwrap().clear();
    }

    fn take(&self, line: &[u8]) {
        self.lines.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(line.len() as u64, Ordering::Relaxed);
        let has = |secret: &String| memmem::find(line, secret.as_bytes()).is_some();
        if self.secrets.iter().any(has) {
            self.found.fetch_add(1, Ordering::Relaxed);
            let mut shown = self.shown.lock().unwrap();
            if shown.len() < SHOWN {
                shown.push(String::from_utf8_lossy(&line[..line.len().min(2_000)]).into_owned());
            }
        }
    }
}

/// One line, which a layer writes at once.
struct Line(Arc<Log>);

impl io::Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.take(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What secrets begin with: tickets, tokens of SuperID's (JWT), system user tokens, client secrets,
/// passwords, Basic credentials of callers (`caller`, in base64), a partner's key.
fn secrets() -> Vec<String> {
    let fixed = ["7T:", "eyJ", "Password-of-", "Y2FsbGVy", "PRIVATE KEY"];
    let of_apps = APPS.iter().flat_map(|app| [format!("{}-", app.title), app.client_secret.into()]);
    fixed.into_iter().map(str::to_owned).chain(of_apps).collect()
}

const SHOWN: usize = 10;
