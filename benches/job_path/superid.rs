//! An emulated SuperID that says that the tenant lives at the world's app.

use superid_gateway::emulator::{App, Emulator, Fault, Options, StateLie};
use tokio::runtime::Runtime;

use crate::job::{CLIENT_ID, CLIENT_SECRET, TENANT};
use crate::partner;

/// Runs on threads of its own until dropped.
pub struct SuperId {
    _runtime: Runtime,
    emulator: Emulator,
    token: String,
}

impl SuperId {
    pub fn start(upstream: u16) -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().expect("a runtime");
        let emulator = runtime.block_on(Emulator::start(Options::default())).expect("a free port");
        emulator.register(App {
            system_user: true,
            system_user_keys: vec![partner::KEY.1.clone()],
            ..App::new(CLIENT_ID, CLIENT_SECRET, "http://localhost/callback")
        });
        let origin = format!("http://127.0.0.1:{upstream}");
        emulator.faults().set(Fault::StateLie { ctx: None, lie: StateLie::Elsewhere { origin } });
        let token = emulator.tenants().system_token(CLIENT_ID, TENANT).expect("a known tenant");
        Self { _runtime: runtime, emulator, token }
    }

    pub fn url(&self) -> &str {
        self.emulator.url()
    }

    /// The tenant's system user token.
    pub fn token(&self) -> &str {
        &self.token
    }
}
