//! Credentials that came where they must never go: none of these has an innocent reason.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::journal::as_rfc3339;

/// The latest thousand violations, and a count of all.
#[derive(Default)]
pub struct Violations {
    count: AtomicU64,
    latest: Mutex<VecDeque<Violation>>,
}

/// One credential at the wrong place.
#[derive(Clone, Debug, Serialize)]
pub struct Violation {
    /// The emulator's clock, RFC 3339.
    #[serde(serialize_with = "as_rfc3339")]
    pub when: SystemTime,
    pub offence: Offence,
    /// The origin it came to.
    pub host: String,
    pub path: String,
    /// The tenant the credential is for, where that is known.
    pub credential_of: Option<String>,
}

/// What is wrong about it. In JSON `app_token_astray` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offence {
    /// An app token or a ticket where no web API of that tenant ever was.
    AppTokenAstray,
    /// An app token beside a bearer token.
    AppTokenBesideBearer,
    /// The app token of another app than the credential's.
    AppTokenOfAnother,
    /// A ticket or bearer token of another tenant.
    CredentialOfAnotherTenant,
}

const MOST_VIOLATIONS: usize = 1_000;

impl Violations {
    /// How many there were since the last [`Violations::clear`].
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// The latest, oldest first.
    pub fn latest(&self) -> Vec<Violation> {
        self.held().iter().cloned().collect()
    }

    pub fn clear(&self) {
        self.held().clear();
        self.count.store(0, Ordering::SeqCst);
    }

    pub(super) fn add(&self, violation: Violation) {
        let mut latest = self.held();
        if latest.len() >= MOST_VIOLATIONS {
            latest.pop_front();
        }
        latest.push_back(violation);
        drop(latest);
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    fn held(&self) -> MutexGuard<'_, VecDeque<Violation>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
