//! Somebody signed in, with their session in each of the stores.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;

use http::HeaderMap;
use superid_gateway::config::Settings;
use superid_gateway::crypto::Random;
use superid_gateway::redis_link::RedisLink;
use superid_gateway::session::{
    Kind, Memory, Note, Records, Remembered, Revocations, SharedRecords, Store,
};
use superid_gateway::web::Cookies;

use crate::setting;

/// What a gateway is started with, so that it knows them.
pub struct Kept {
    pub settings: Settings,
    /// Their cookies; empty where they are those that every client sends.
    pub cookie: String,
    pub inherited: Vec<Note>,
    /// Ends with it.
    _redis: Option<Redis>,
}

/// A Redis of this bench's own.
struct Redis(Child);

/// Whether this machine has one.
pub fn has_redis() -> bool {
    Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_ok()
}

impl Kept {
    pub fn with_the_browser(upstream: u16) -> Self {
        let settings = setting::settings(upstream, 1);
        Self { settings, cookie: String::new(), inherited: Vec::new(), _redis: None }
    }

    pub fn in_memory(upstream: u16) -> Self {
        let settings = setting::settings_kept(upstream, 1, ("store = \"memory\"", ""));
        let records = Arc::new(Records::new(1_024));
        let cookie = signed_in(&settings, Store::Memory(records.clone()));
        let remembered = |kind| Arc::new(Remembered::new(64, kind));
        let memory = Memory {
            ended: Arc::new(Revocations::new(64, settings.session.absolute)),
            spent: remembered(Kind::Spent),
            used: remembered(Kind::Used),
            records: Some(records),
        };
        let (heir, _nobody_hears) = channel();
        Self { settings, cookie, inherited: memory.bequeath(&heir), _redis: None }
    }

    pub fn in_redis(upstream: u16) -> Self {
        let socket = std::env::temp_dir().join(format!("round-trip-{}.sock", std::process::id()));
        let process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--unixsocket"])
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn();
        let redis = Redis(process.expect("redis-server starts"));
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            std::thread::yield_now();
        }
        let table = format!("[redis]\nurl = \"unix://{}\"\n", socket.display());
        let settings = setting::settings_kept(upstream, 1, ("store = \"redis\"", &table));
        let shared = settings.redis.as_ref().expect("it is configured");
        let link = RedisLink::open(shared, Random::system()).expect("a thread for it");
        let store = Store::Redis(Arc::new(SharedRecords::new(Some(link))));
        let cookie = signed_in(&settings, store);
        Self { settings, cookie, inherited: Vec::new(), _redis: Some(redis) }
    }
}

fn signed_in(settings: &Settings, store: Store) -> String {
    let sessions = setting::store_in(settings, store);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (random, none) = (Random::system(), HeaderMap::new());
    let session = setting::session();
    let making = sessions.make(&session, &random, Cookies::of(&none));
    let made = runtime.expect("a runtime").block_on(making).expect("a session");
    setting::beside_others(&made.cookies[0])
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}
