//! `reload` and `upgrade`: ask the running gateway to change, and tell how that went.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::config::{self, Loaded};

use super::{Verdict, admin_client, check};

/// What to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// That it reads its configuration again.
    Reload,
    /// That a new process of the same program takes over.
    Upgrade,
}

/// What the admin listener tells at `/changes`.
#[derive(Debug, Deserialize)]
struct Told {
    process: i32,
    number: u64,
    outcome: String,
    reasons: Vec<String>,
}

/// Asks the gateway whose admin listener is at `admin`, or where the configuration has it, and
/// prints what came of it. A configuration with problems is not offered to it.
///
/// # Errors
/// When nobody there answers, or it may not be asked, or `out` cannot be written.
pub fn change(
    change: Change,
    path: &Path,
    admin: Option<SocketAddr>,
    out: &mut dyn Write,
) -> io::Result<Verdict> {
    let Ok(Loaded { settings, .. }) = config::load(path) else {
        let verdict = check(path, out)?;
        writeln!(out, "the running gateway was not asked and goes on as before")?;
        return Ok(verdict);
    };
    let admin = admin.or(settings.admin.address).ok_or_else(|| {
        io::Error::other("the configuration has no admin listener to ask; send the signal yourself")
    })?;
    let before = ask(admin)?;
    signal(before.process, change)?;
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        std::thread::sleep(PAUSE);
        // Between two processes nobody may answer for a moment.
        let Ok(now) = ask(admin) else { continue };
        let replaced = now.process != before.process;
        if replaced || now.number != before.number {
            return tell(change, &now, out);
        }
    }
    Err(io::Error::other("the gateway did not say how it went; its log does"))
}

fn tell(change: Change, told: &Told, out: &mut dyn Write) -> io::Result<Verdict> {
    for reason in &told.reasons {
        writeln!(out, "{reason}")?;
    }
    let process = told.process;
    match (told.outcome.as_str(), change) {
        ("refused", _) => {
            writeln!(out, "process {process} goes on as before")?;
            Ok(Verdict::Problems)
        }
        (_, Change::Reload) => {
            writeln!(out, "process {process} has taken the new configuration")?;
            Ok(Verdict::Fine)
        }
        (_, Change::Upgrade) => {
            writeln!(out, "process {process} has taken over")?;
            Ok(Verdict::Fine)
        }
    }
}

/// Sends the signal, but to nothing else than a program of our name: the admin listener's word is
/// not enough, for anybody on this machine could have its port while the gateway is down.
fn signal(process: i32, change: Change) -> io::Result<()> {
    let program = fs::read_link(format!("/proc/{process}/exe")).map_err(|error| {
        io::Error::other(format!("process {process} may not be asked: {error}"))
    })?;
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    // The file may have been replaced by now.
    if name.trim_end_matches(" (deleted)") != env!("CARGO_PKG_NAME") {
        let text = format!("process {process} is not {}", env!("CARGO_PKG_NAME"));
        return Err(io::Error::other(text));
    }
    let signal = match change {
        Change::Reload => Signal::HUP,
        Change::Upgrade => Signal::USR2,
    };
    let process = Pid::from_raw(process).ok_or(io::ErrorKind::InvalidData)?;
    Ok(kill_process(process, signal)?)
}

fn ask(admin: SocketAddr) -> io::Result<Told> {
    let failed = |error: &dyn std::fmt::Display| {
        io::Error::other(format!("no gateway answers at http://{admin}/changes: {error}"))
    };
    let answer = admin_client::ask(admin, "/changes", ONE_ANSWER);
    serde_json::from_str(&answer.map_err(|error| failed(&error))?.body)
        .map_err(|error| failed(&error))
}

/// A new process has 60 seconds to begin.
const PATIENCE: Duration = Duration::from_secs(70);
const PAUSE: Duration = Duration::from_millis(50);
const ONE_ANSWER: Duration = Duration::from_secs(5);
