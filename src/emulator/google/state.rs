//! What the provider knows and has handed out.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::pkce::Challenge;
use super::super::response::{Parts, ResponseMode};
use super::super::shelf::Shelf;
use super::client::{GoogleClient, GoogleSettings};
use super::keys::ProviderKeys;

/// The provider: registrations, behaviour, keys, and what is still good.
pub(in crate::emulator) struct Google {
    held: Mutex<Held>,
    pub(super) keys: ProviderKeys,
    /// Requests whose page is shown, by the name the page knows.
    pub(super) requests: Shelf<Asked>,
    /// Pushed parameters by `request_uri`.
    pub(super) pushed: Shelf<Vec<(String, String)>>,
    /// User names by session cookie.
    pub(super) sessions: Shelf<String>,
    pub(super) codes: Shelf<Code>,
    pub(super) access: Shelf<Grant>,
    pub(super) refresh: Shelf<Grant>,
    /// `jti` of client assertions that were used.
    pub(super) assertions: Shelf<()>,
}

#[derive(Default)]
struct Held {
    clients: Vec<GoogleClient>,
    settings: GoogleSettings,
}

/// A checked authorization request.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) scope: String,
    pub(super) challenge: Option<Challenge>,
    pub(super) parts: Parts,
    pub(super) mode: ResponseMode,
    pub(super) offline: bool,
}

#[derive(Clone)]
pub(super) struct Code {
    pub(super) grant: Grant,
    pub(super) redirect_uri: String,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<Challenge>,
    pub(super) offline: bool,
}

/// A person's leave for one client.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) upn: String,
    pub(super) scope: String,
}

/// Keeps a script that registers in a loop from growing the process.
const MOST_CLIENTS: usize = 500;

impl Google {
    pub(in crate::emulator) fn new() -> Self {
        Self {
            held: Mutex::default(),
            keys: ProviderKeys::default(),
            requests: Shelf::new(2_000),
            pushed: Shelf::new(2_000),
            sessions: Shelf::new(2_000),
            codes: Shelf::new(2_000),
            access: Shelf::new(10_000),
            refresh: Shelf::new(10_000),
            assertions: Shelf::new(10_000),
        }
    }

    /// Adds a registration, or replaces the one with the same client id.
    pub(in crate::emulator) fn register(&self, client: GoogleClient) {
        let mut held = self.held();
        held.clients.retain(|known| known.client_id != client.client_id);
        if held.clients.len() >= MOST_CLIENTS {
            held.clients.remove(0);
        }
        held.clients.push(client);
    }

    pub(in crate::emulator) fn set(&self, settings: GoogleSettings) {
        self.held().settings = settings;
    }

    pub(super) fn settings(&self) -> GoogleSettings {
        self.held().settings
    }

    pub(super) fn client(&self, id: &str) -> Option<GoogleClient> {
        self.held().clients.iter().find(|client| client.client_id == id).cloned()
    }

    pub(super) fn clients(&self) -> Vec<GoogleClient> {
        self.held().clients.clone()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
