//! Asks the admin listener, and shows what it says: once, or again and again.

use std::io::{self, IsTerminal as _, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::cli::admin_client::ask;
use crate::cli::{Verdict, check};
use crate::config;
use crate::telemetry::overview::Overview;

use super::page::page;
use super::paint::Paint;

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// The admin listener's own document.
    Json,
    /// A page for a terminal.
    Page,
}

/// Shows how the gateway stands whose admin listener is at `admin`, or where the configuration has it.
/// With `every` it goes on until the process is ended, whether the gateway answers or not.
///
/// # Errors
/// When nobody there answers, or `out` cannot be written.
pub fn status(
    show: Show,
    config: Option<&Path>,
    admin: Option<SocketAddr>,
    every: Option<Duration>,
    out: &mut dyn Write,
) -> io::Result<Verdict> {
    let admin = match (admin, config) {
        (Some(admin), _) => admin,
        (None, None) => USUAL,
        (None, Some(path)) => {
            let Ok(admin) = config::load_listening(path) else { return check(path, out) };
            admin
                .address
                .ok_or_else(|| io::Error::other("the configuration has no admin listener to ask"))?
        }
    };
    match every {
        None => {
            let text = asked(admin)?;
            let shown = shown(show, &text, None)?.0;
            out.write_all(shown.as_bytes())?;
        }
        Some(pause) => watch(show, admin, pause, out)?,
    }
    Ok(Verdict::Fine)
}

/// On a terminal each page takes the place of the one before.
fn watch(show: Show, admin: SocketAddr, pause: Duration, out: &mut dyn Write) -> io::Result<()> {
    let in_place = show == Show::Page && io::stdout().is_terminal();
    let mut before = None;
    loop {
        let text = match asked(admin).and_then(|text| shown(show, &text, before.as_ref())) {
            Ok((text, now)) => {
                before = now.or(before);
                text
            }
            Err(error) => format!("{error}\n"),
        };
        match in_place {
            true => out.write_all(over(&text).as_bytes())?,
            false => out.write_all(text.as_bytes())?,
        }
        out.flush()?;
        thread::sleep(pause);
    }
}

fn asked(admin: SocketAddr) -> io::Result<String> {
    let failed = |why: &dyn std::fmt::Display| {
        io::Error::other(format!("no gateway answers at http://{admin}/status: {why}"))
    };
    let answer = ask(admin, "/status", PATIENCE).map_err(|error| failed(&error))?;
    match answer.status {
        200 => Ok(answer.body),
        other => Err(failed(&format!("status {other}"))),
    }
}

/// What is to be printed of an answer, and what it says where that will be compared.
fn shown(
    show: Show,
    text: &str,
    before: Option<&Overview>,
) -> io::Result<(String, Option<Overview>)> {
    if show == Show::Json {
        return Ok((format!("{}\n", text.trim_end()), None));
    }
    let now: Overview = serde_json::from_str(text)
        .map_err(|error| io::Error::other(format!("what answers is no status: {error}")))?;
    Ok((page(&now, before, Paint::for_stdout()), Some(now)))
}

/// The page over the one before, without a flicker: each line clears what is right of it, and the end
/// what is below. What does not fit on the screen is left out: it would scroll.
fn over(page: &str) -> String {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let rows = size.map(|size| usize::from(size.ws_row)).filter(|rows| *rows > 1);
    let lines = page.lines().take(rows.map_or(usize::MAX, |rows| rows - 1));
    let mut text = "\x1b[H".to_owned();
    for line in lines {
        text.push_str(line);
        text.push_str("\x1b[K\n");
    }
    text + "\x1b[J"
}

/// Where the admin listener is where nobody says otherwise.
const USUAL: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9321);
const PATIENCE: Duration = Duration::from_secs(5);
