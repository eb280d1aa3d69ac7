//! What the provider knows: realms, browsers, requests under way, and its key.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};

use super::super::keys::SigningKey;
use super::super::shelf::Shelf;

/// A relying party of WS-Federation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EntraRealm {
    /// `wtrealm`, and the audience of the tokens.
    pub wtrealm: String,
    /// Exact addresses that tokens may be posted to; the first is the default.
    pub replies: Vec<String>,
    #[serde(default)]
    pub token: EntraToken,
}

/// Which assertion a realm is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntraToken {
    /// As AD FS sends.
    Saml11,
    /// As Entra sends.
    #[default]
    Saml20,
}

pub(in crate::emulator) struct Entra {
    realms: Mutex<Vec<EntraRealm>>,
    key: OnceLock<Arc<SigningKey>>,
    /// Requests whose page is shown, by the name the page knows.
    pub(super) requests: Shelf<Asked>,
    pub(super) sessions: Shelf<Session>,
}

/// A checked `wsignin1.0` request.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) realm: EntraRealm,
    pub(super) reply: String,
    pub(super) wctx: Option<String>,
    /// The directory in the address; `common` and `organizations` are any.
    pub(super) directory: String,
}

/// A browser that is signed in, and where it has been since.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) upn: String,
    pub(super) visited: Vec<String>,
}

/// Keeps a script that registers in a loop from growing the process.
const MOST_REALMS: usize = 500;

impl Entra {
    pub(in crate::emulator) fn new() -> Self {
        Self {
            realms: Mutex::default(),
            key: OnceLock::new(),
            requests: Shelf::new(2_000),
            sessions: Shelf::new(2_000),
        }
    }

    /// Adds a realm, or replaces the one with the same `wtrealm`.
    pub(in crate::emulator) fn register(&self, realm: EntraRealm) {
        let mut realms = self.held();
        realms.retain(|known| known.wtrealm != realm.wtrealm);
        if realms.len() >= MOST_REALMS {
            realms.remove(0);
        }
        realms.push(realm);
    }

    pub(super) fn realm(&self, wtrealm: &str) -> Option<EntraRealm> {
        self.held().iter().find(|realm| realm.wtrealm == wtrealm).cloned()
    }

    pub(super) fn realms(&self) -> Vec<EntraRealm> {
        self.held().clone()
    }

    /// Made on first use: RSA with 2,048 bits takes a noticeable moment.
    pub(super) fn key(&self) -> Arc<SigningKey> {
        self.key.get_or_init(|| Arc::new(SigningKey::generate())).clone()
    }

    fn held(&self) -> MutexGuard<'_, Vec<EntraRealm>> {
        self.realms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
