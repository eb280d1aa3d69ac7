//! `health`: whether the gateway on this machine serves, for a container's health check.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::config;

use super::Verdict;
use super::admin_client::{Answer, ask, nearest};

/// What to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether the process runs.
    Alive,
    /// Whether it takes requests.
    Ready,
}

/// Where the answer is to be had.
#[derive(Clone, Copy, Debug)]
pub enum Admin<'a> {
    At(SocketAddr),
    /// Where this configuration has it; nothing else in it has to hold.
    In(&'a Path),
}

#[derive(Deserialize)]
struct Told {
    status: String,
}

/// Asks the admin listener, waits no longer than `patience`, and prints one line: what it said, or
/// what is wrong and what to do about it.
///
/// # Errors
/// Only when `out` cannot be written.
pub fn health(
    question: Question,
    admin: Admin<'_>,
    patience: Duration,
    out: &mut dyn Write,
) -> io::Result<Verdict> {
    let asked = address(admin).and_then(|address| well(question, address, patience));
    match asked {
        Ok(told) => writeln!(out, "{told}").map(|()| Verdict::Fine),
        Err(wrong) => writeln!(out, "not healthy: {wrong}").map(|()| Verdict::Problems),
    }
}

fn address(admin: Admin<'_>) -> Result<SocketAddr, String> {
    let address = match admin {
        Admin::At(address) => address,
        Admin::In(path) => {
            let admin = config::load_listening(path).map_err(|problems| problems.to_string())?;
            admin.address.ok_or_else(|| NO_ADMIN.to_owned())?
        }
    };
    match address.port() {
        0 => Err("admin.address leaves the port open; give --address with the one it has".into()),
        _ => Ok(nearest(address)),
    }
}

fn well(question: Question, admin: SocketAddr, patience: Duration) -> Result<String, String> {
    let path = match question {
        Question::Alive => "/health",
        Question::Ready => "/ready",
    };
    let place = format!("http://{admin}{path}");
    let answer =
        ask(admin, path, patience).map_err(|error| unanswered(&place, &error, patience))?;
    let Some(told) = status(&answer) else {
        return Err(format!("{place}: what answers there is no superid-gateway; {ELSEWHERE}"));
    };
    match (answer.status, told.as_str()) {
        (200, told) => Ok(format!("{place}: {told}")),
        (_, "stopping") => Err(format!("{place}: it was told to stop, and ends what it began")),
        (code, told) => Err(format!("{place}: {code} {told}; its log says why")),
    }
}

fn unanswered(place: &str, error: &io::Error, patience: Duration) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => format!(
            "{place}: nobody listens there; if the gateway runs, {ELSEWHERE}; if not, its log says why"
        ),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => format!(
            "{place}: no answer within {} s; the machine is too busy, or the process is stuck",
            patience.as_secs()
        ),
        _ => format!("{place}: {error}; {ELSEWHERE}"),
    }
}

fn status(answer: &Answer) -> Option<String> {
    serde_json::from_str(&answer.body).ok().map(|told: Told| told.status)
}

const NO_ADMIN: &str = "the configuration has switched the admin listener off; without \
     `[admin] enabled = false` it listens on this machine only, and answers here";
const ELSEWHERE: &str = "name its admin listener with --address";
