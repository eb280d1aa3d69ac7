//! What was asked of the emulator and how it ended, for tests and for curious developers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A bounded list of the latest requests, and a count of all of each kind.
#[derive(Default)]
pub struct Journal {
    entries: Mutex<VecDeque<Entry>>,
    counts: [AtomicUsize; Kind::ALL.len()],
    counts_only: AtomicBool,
}

/// How much the journal keeps. In JSON `entries` or `counts`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// Counts alone, for millions of calls.
    Counts,
    /// Counts, and the latest 5,000 requests.
    #[default]
    Entries,
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
/// `SystemUser` is the system users' exchange, by REST and SOAP; `TenantState` the state API;
/// `WebApi` everything of a tenant's, SOAP included; those that begin with `Google` and `Entra` the
/// providers beside SuperID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Authorize,
    Consent,
    Control,
    Crm,
    Discovery,
    EntraMetadata,
    EntraSignIn,
    EntraWsfed,
    GoogleAuthorize,
    GoogleDiscovery,
    GoogleJwks,
    GoogleLogout,
    GooglePar,
    GoogleRevoke,
    GoogleSignIn,
    GoogleTokens,
    GoogleUserinfo,
    Home,
    Jwks,
    Legacy,
    Logout,
    Other,
    Revoke,
    SignIn,
    SystemUser,
    TenantState,
    Tokens,
    WebApi,
}

const MOST_ENTRIES: usize = 5_000;

impl Journal {
    /// Every entry, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.held().iter().cloned().collect()
    }

    /// How many requests of this kind there were since the last [`Journal::clear`].
    pub fn count(&self, kind: Kind) -> usize {
        self.counts[kind as usize].load(Ordering::SeqCst)
    }

    /// Every kind that was asked for, with its count.
    pub fn counts(&self) -> Vec<(Kind, usize)> {
        let all = Kind::ALL.iter().map(|kind| (*kind, self.count(*kind)));
        all.filter(|(_, count)| *count > 0).collect()
    }

    /// Forgets entries and counts.
    pub fn clear(&self) {
        self.held().clear();
        self.counts.iter().for_each(|count| count.store(0, Ordering::SeqCst));
    }

    pub fn detail(&self) -> Detail {
        match self.counts_only.load(Ordering::Relaxed) {
            true => Detail::Counts,
            false => Detail::Entries,
        }
    }

    /// Sets how much is kept from now on; what is there stays.
    pub fn keep(&self, detail: Detail) {
        self.counts_only.store(detail == Detail::Counts, Ordering::Relaxed);
    }

    /// Counts a request, and keeps what `entry` makes of it where entries are wanted.
    pub(super) fn note(&self, kind: Kind, entry: impl FnOnce() -> Entry) {
        if self.detail() == Detail::Entries {
            self.add(entry());
        }
        // Last, so that who waits for the count finds the entry.
        self.counts[kind as usize].fetch_add(1, Ordering::SeqCst);
    }

    fn add(&self, entry: Entry) {
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
    const ALL: [Self; 28] = [
        Self::Authorize,
        Self::Consent,
        Self::Control,
        Self::Crm,
        Self::Discovery,
        Self::EntraMetadata,
        Self::EntraSignIn,
        Self::EntraWsfed,
        Self::GoogleAuthorize,
        Self::GoogleDiscovery,
        Self::GoogleJwks,
        Self::GoogleLogout,
        Self::GooglePar,
        Self::GoogleRevoke,
        Self::GoogleSignIn,
        Self::GoogleTokens,
        Self::GoogleUserinfo,
        Self::Home,
        Self::Jwks,
        Self::Legacy,
        Self::Logout,
        Self::Other,
        Self::Revoke,
        Self::SignIn,
        Self::SystemUser,
        Self::TenantState,
        Self::Tokens,
        Self::WebApi,
    ];

    /// Where a path leads. SuperID runs on a server that ignores case in paths.
    pub(super) fn of(path: &str) -> Self {
        let path = path.to_ascii_lowercase();
        let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match segments.as_slice() {
            [] => Self::Home,
            ["emulator", ..] => Self::Control,
            ["google", path @ ..] => Self::of_google(path),
            ["entra", "sign-in"] => Self::EntraSignIn,
            ["entra", _, "wsfed"] => Self::EntraWsfed,
            ["entra", _, "federationmetadata", ..] => Self::EntraMetadata,
            ["login"] => Self::Legacy,
            ["login", ".well-known", "openid-configuration"] => Self::Discovery,
            ["login", ".well-known", "jwks"] => Self::Jwks,
            ["login", "common", "oauth", "tokens"] => Self::Tokens,
            ["login", "common", "oauth", "revoke"] => Self::Revoke,
            ["login", _, "oauth", "authorize"] => Self::Authorize,
            ["login", "logout"] => Self::Logout,
            ["login", "sign-in"] => Self::SignIn,
            ["login", "consent"] => Self::Consent,
            ["login", "api", "partnersystemuser", "authenticate"]
            | ["login", "services", "partnersystemuserservice.svc"] => Self::SystemUser,
            ["api", "state", _] => Self::TenantState,
            [_, "api" | "remote", ..] => Self::WebApi,
            [_, "crm"] => Self::Crm,
            _ => Self::Other,
        }
    }

    pub(super) fn is_googles(self) -> bool {
        use Kind::{GoogleAuthorize, GoogleDiscovery, GoogleJwks, GoogleLogout};
        use Kind::{GooglePar, GoogleRevoke, GoogleSignIn, GoogleTokens, GoogleUserinfo};
        matches!(
            self,
            GoogleAuthorize
                | GoogleDiscovery
                | GoogleJwks
                | GoogleLogout
                | GooglePar
                | GoogleRevoke
                | GoogleSignIn
                | GoogleTokens
                | GoogleUserinfo
        )
    }

    fn of_google(path: &[&str]) -> Self {
        match path {
            [".well-known", "openid-configuration"] => Self::GoogleDiscovery,
            ["authorize"] => Self::GoogleAuthorize,
            ["jwks"] => Self::GoogleJwks,
            ["logout"] => Self::GoogleLogout,
            ["par"] => Self::GooglePar,
            ["revoke"] => Self::GoogleRevoke,
            ["sign-in"] => Self::GoogleSignIn,
            ["tokens"] => Self::GoogleTokens,
            ["userinfo"] => Self::GoogleUserinfo,
            _ => Self::Other,
        }
    }
}

/// A parameter as the journal may show it.
pub(super) fn masked(name: &str, value: &str) -> String {
    const SECRETS: [&str; 10] = [
        "client_assertion",
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

pub(super) fn as_rfc3339<S: serde::Serializer>(
    when: &SystemTime,
    to: S,
) -> Result<S::Ok, S::Error> {
    let text = OffsetDateTime::from(*when).format(&Rfc3339).map_err(serde::ser::Error::custom)?;
    to.serialize_str(&text)
}
