//! What was asked of the emulator and how it ended, for tests and for curious developers.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A bounded list of the latest requests.
#[derive(Default)]
pub struct Journal {
    entries: Mutex<VecDeque<Entry>>,
}

/// One request.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// The emulator's clock when the request came, RFC 3339.
    #[serde(serialize_with = "as_rfc3339")]
    pub when: SystemTime,
    pub method: String,
    pub path: String,
    pub kind: Kind,
    pub client_id: Option<String>,
    /// `ok`, or which refusal.
    pub outcome: String,
    /// Query and form parameters; secrets, codes and tokens are masked.
    pub parameters: Vec<(String, String)>,
}

/// Which part of the emulator a request is for. In JSON: `sign-in`, `web-api` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Authorize,
    Consent,
    Control,
    Crm,
    Discovery,
    Home,
    Jwks,
    Legacy,
    Logout,
    Other,
    Revoke,
    SignIn,
    Tokens,
    WebApi,
}

const MOST_ENTRIES: usize = 5_000;

impl Journal {
    /// Every entry, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.held().iter().cloned().collect()
    }

    /// How many requests of this kind there were.
    pub fn count(&self, kind: Kind) -> usize {
        self.held().iter().filter(|entry| entry.kind == kind).count()
    }

    pub fn clear(&self) {
        self.held().clear();
    }

    pub(super) fn add(&self, entry: Entry) {
        let mut entries = self.held();
        if entries.len() >= MOST_ENTRIES {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    fn held(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kind {
    /// Where a path leads. SuperID runs on a server that ignores case in paths.
    pub(super) fn of(path: &str) -> Self {
        let path = path.to_ascii_lowercase();
        let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match segments.as_slice() {
            [] => Self::Home,
            ["emulator", ..] => Self::Control,
            ["login"] => Self::Legacy,
            ["login", ".well-known", "openid-configuration"] => Self::Discovery,
            ["login", ".well-known", "jwks"] => Self::Jwks,
            ["login", "common", "oauth", "tokens"] => Self::Tokens,
            ["login", "common", "oauth", "revoke"] => Self::Revoke,
            ["login", _, "oauth", "authorize"] => Self::Authorize,
            ["login", "logout"] => Self::Logout,
            ["login", "sign-in"] => Self::SignIn,
            ["login", "consent"] => Self::Consent,
            [_, "api", ..] => Self::WebApi,
            [_, "crm"] => Self::Crm,
            _ => Self::Other,
        }
    }
}

/// A parameter as the journal may show it.
pub(super) fn masked(name: &str, value: &str) -> String {
    const SECRETS: [&str; 9] = [
        "client_secret",
        "code",
        "code_verifier",
        "id_token_hint",
        "jwt",
        "password",
        "refresh_token",
        "request",
        "token",
    ];
    const MOST_CHARACTERS: usize = 300;
    if SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) {
        return format!("*** ({} characters)", value.chars().count());
    }
    value.chars().take(MOST_CHARACTERS).collect()
}

fn as_rfc3339<S: serde::Serializer>(when: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    let text = OffsetDateTime::from(*when).format(&Rfc3339).map_err(serde::ser::Error::custom)?;
    to.serialize_str(&text)
}
