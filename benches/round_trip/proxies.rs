//! The proxies that are compared, each in a process of its own.

use std::fs::File;
use std::net::TcpListener;

use superid_gateway::server::{Options, Running};
use superid_gateway::telemetry::AccessLog;

use crate::bare;
use crate::child::serve_until_told;
use crate::kept::Kept;

/// Which proxy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// pingora with an empty filter, on the gateway's kind of accept loop: what we compare with.
    Bare,
    /// Ours.
    Gateway,
    /// Ours with sessions in memory.
    Memory,
    /// Ours with sessions in a Redis on this machine.
    Redis,
    /// pingora with an empty filter, on its own server with its defaults.
    Stock,
    /// Ours without its access log; counted, and not compared.
    Unlogged,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Bare, Self::Gateway, Self::Memory, Self::Redis, Self::Stock];

    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Gateway => "gateway",
            Self::Memory => "memory",
            Self::Redis => "redis",
            Self::Stock => "stock",
            Self::Unlogged => "unlogged",
        }
    }

    pub fn parse(name: &str) -> Self {
        let mut every = Self::ALL.into_iter().chain([Self::Unlogged]);
        let kind = every.find(|kind| kind.name() == name);
        kind.unwrap_or_else(|| panic!("{name:?} is no proxy of this bench"))
    }
}

/// Serves until told to end.
pub fn serve(kind: Kind, upstream: u16) {
    match kind {
        Kind::Bare => serve_until_told(bare::on_a_loop_of_our_own(upstream)),
        Kind::Gateway => gateway(Kept::with_the_browser(upstream), Some(nowhere())),
        Kind::Memory => gateway(Kept::in_memory(upstream), Some(nowhere())),
        Kind::Redis => gateway(Kept::in_redis(upstream), Some(nowhere())),
        Kind::Unlogged => gateway(Kept::with_the_browser(upstream), None),
        Kind::Stock => serve_until_told(bare::on_the_stock_server(upstream)),
    }
}

fn nowhere() -> File {
    File::options().write(true).open("/dev/null").expect("there is a /dev/null")
}

/// The gateway as `run` makes it, with one worker; an access log is written to nowhere.
fn gateway(kept: Kept, log: Option<File>) {
    let (access, writer) = log.map(AccessLog::to).unzip();
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = socket.local_addr().expect("a bound address").port();
    let options = Options {
        workers: 1,
        access,
        open: vec![("bench".to_owned(), socket.into())],
        inherited: kept.inherited,
        ..Options::ordinary()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let running = runtime.block_on(Running::start(kept.settings, options));
    let running = running.unwrap_or_else(|failed| panic!("{failed}"));
    serve_until_told(format!("{port} {}", kept.cookie).trim());
    runtime.block_on(running.stop());
    drop(writer);
}
