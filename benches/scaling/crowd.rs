//! Tenants by the thousand, and an emulated SuperID that says that all of them live at the world's app.

use std::path::Path;

use superid_gateway::emulator::{App, Detail, Emulator, Fault, Options, Seed, StateLie};
use superid_gateway::vault::Entry;
use tokio::runtime::Runtime;

use crate::job::{CLIENT_ID, CLIENT_SECRET, entry_of, request_to};
use crate::partner;
use crate::requests::Requests;

/// Runs on a thread of its own until dropped.
pub struct Crowd {
    _runtime: Runtime,
    emulator: Emulator,
}

impl Crowd {
    /// Writes a job's request to each of the tenants, and what [`entries`] reads of them.
    pub fn start(tenants: usize, upstream: u16, requests: &Path, entries: &Path) -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().expect("a runtime");
        let seed = Seed::crowd(u32::try_from(tenants).expect("not so many"));
        let options = Options { seed: seed.clone(), ..Options::default() };
        let emulator = runtime.block_on(Emulator::start(options)).expect("a free port");
        emulator.journal().keep(Detail::Counts);
        emulator.register(App {
            system_user: true,
            system_user_keys: vec![partner::KEY.1.clone()],
            ..App::new(CLIENT_ID, CLIENT_SECRET, "http://localhost/callback")
        });
        let origin = format!("http://127.0.0.1:{upstream}");
        emulator.faults().set(Fault::StateLie { ctx: None, lie: StateLie::Elsewhere { origin } });
        Requests::write(requests, seed.tenants.iter().map(|tenant| request_to(&tenant.ctx)));
        let line = |tenant: &superid_gateway::emulator::Tenant| {
            let token = emulator.tenants().system_token(CLIENT_ID, &tenant.ctx);
            format!("{} {} {}\n", tenant.ctx, tenant.serial, token.expect("a known tenant"))
        };
        std::fs::write(entries, seed.tenants.iter().map(line).collect::<String>()).unwrap();
        Self { _runtime: runtime, emulator }
    }

    pub fn url(&self) -> &str {
        self.emulator.url()
    }
}

/// What the vault holds of the tenants.
pub fn entries(file: &Path) -> Vec<Entry> {
    let text = std::fs::read_to_string(file).unwrap();
    let entry = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let &[tenant, serial, token] = words.as_slice() else { panic!("{line:?}") };
        entry_of(tenant, serial, token)
    };
    text.lines().map(entry).collect()
}
