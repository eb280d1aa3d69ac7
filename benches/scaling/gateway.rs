//! The gateway, with so much of what an axis is about.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

use http::HeaderMap;
use superid_gateway::config::Settings;
use superid_gateway::crypto::Random;
use superid_gateway::server::{Options, Running};
use superid_gateway::session::{
    Kind, Memory, Note, Records, Remembered, Revocations, SessionState, Store,
};
use superid_gateway::telemetry::AccessLog;
use superid_gateway::web::Cookies;

use crate::axis::{Axis, PUBLIC};
use crate::child::serve_until_told;
use crate::requests::Requests;
use crate::{crowd, job_gateway, setting};

/// Serves until told to end. `rest`: the file for what clients are to send; for tenants, SuperID's
/// address, the file with their entries, and the partner's key.
pub fn serve(axis: Axis, size: usize, upstream: u16, rest: &[&str]) {
    match (axis.is_of_jobs(size), rest) {
        (true, [superid, entries, key]) => {
            job_gateway::serve(upstream, superid, crowd::entries(Path::new(entries)), key);
        }
        (false, [requests]) => people(axis, size, upstream, Path::new(requests)),
        _ => panic!("{} is not started with {rest:?}", axis.name()),
    }
}

/// As `run` makes it; its access log is written to nowhere, and what is public has none.
fn people(axis: Axis, size: usize, upstream: u16, requests: &Path) {
    let settings = settings(axis, size, upstream);
    let one = setting::session();
    let with_claims = || setting::with_claims(setting::session(), CLAIMS);
    let inherited = match axis {
        Axis::GateCookie => sealed(&settings, (1, &with_claims()), requests),
        Axis::GateMemory => in_memory(&settings, (1, with_claims), requests),
        Axis::Memory => in_memory(&settings, (size, setting::session), requests),
        Axis::Cookies => sealed(&settings, (size, &one), requests),
        _ => sealed(&settings, (1, &one), requests),
    };
    let nowhere = File::options().write(true).open("/dev/null").expect("there is a /dev/null");
    let (access, writer) = AccessLog::to(nowhere);
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = socket.local_addr().expect("a bound address").port();
    let options = Options {
        workers: axis.workers(size),
        access: (!is_public(axis, size)).then_some(access),
        open: vec![("bench".to_owned(), socket.into())],
        inherited,
        ..Options::ordinary()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let running = runtime.block_on(Running::start(settings, options));
    let running = running.unwrap_or_else(|failed| panic!("{failed}"));
    serve_until_told(port);
    runtime.block_on(running.stop());
    drop(writer);
}

fn is_public(axis: Axis, size: usize) -> bool {
    matches!(axis, Axis::GateCookie | Axis::GateMemory) && size == PUBLIC
}

/// No bound of them is met here.
fn settings(axis: Axis, size: usize, upstream: u16) -> Settings {
    let routes = if axis == Axis::Routes { size } else { 1 };
    let in_memory = matches!(axis, Axis::Memory | Axis::GateMemory);
    let line = if in_memory { "store = \"memory\"" } else { "" };
    // Those before it are other apps': the one asked for is the last.
    let asked = match routes {
        1 if is_public(axis, size) => "access = \"public\"".to_owned(),
        1 => "max_requests = 10000".to_owned(),
        _ => {
            format!("[route.asked]\npath = \"/orders\"\nupstream = \"http://127.0.0.1:{upstream}\"")
        }
    };
    let tables = format!(
        "{asked}\n[limits]\nmax_connections_per_address = 10000\nheader_timeout = \"1m\"\n\
         idle_timeout = \"5m\"\nsessions = {}\n",
        2 * MOST_SESSIONS
    );
    setting::settings_kept(upstream, routes.saturating_sub(1).max(1), (line, &tables))
}

/// Writes the requests of so many people whose sessions are in their cookies.
fn sealed(
    settings: &Settings,
    (people, session): (usize, &SessionState),
    requests: &Path,
) -> Vec<Note> {
    let store = setting::store(settings);
    let one = |_| setting::request_with(&setting::cookie_of(&store, session));
    Requests::write(requests, (0..people).map(one));
    Vec::new()
}

/// Writes the requests of so many people, and gives what a gateway must know of them.
fn in_memory(
    settings: &Settings,
    (people, session): (usize, impl Fn() -> SessionState),
    requests: &Path,
) -> Vec<Note> {
    let records = Arc::new(Records::new(2 * MOST_SESSIONS));
    let sessions = setting::store_in(settings, Store::Memory(records.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (runtime, random, none) = (runtime.expect("a runtime"), Random::system(), HeaderMap::new());
    let one = |_| {
        let session = session();
        let making = sessions.make(&session, &random, Cookies::of(&none));
        let made = runtime.block_on(making).expect("a session");
        setting::request_with(&setting::beside_others(&made.cookies[0]))
    };
    Requests::write(requests, (0..people).map(one));
    assert_eq!(records.len(), people, "sessions in memory");
    let remembered = |kind| Arc::new(Remembered::new(64, kind));
    let memory = Memory {
        ended: Arc::new(Revocations::new(64, settings.session.absolute)),
        spent: remembered(Kind::Spent),
        used: remembered(Kind::Used),
        records: Some(records),
    };
    let (heir, _nobody_hears) = channel();
    memory.bequeath(&heir)
}

/// Bytes of claims in a session; rules of a configuration have them kept.
const CLAIMS: usize = 1_200;
const MOST_SESSIONS: usize = 100_000;
