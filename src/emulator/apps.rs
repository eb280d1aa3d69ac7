//! Registrations: which apps SuperID knows, and where it may send people.

use std::sync::{Mutex, MutexGuard, PoisonError};

use regex::RegexBuilder;
use serde::{Deserialize, Serialize};

use super::saml::SamlHash;

/// One app's registration, as in the developer portal (`superid.md` §7).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct App {
    pub client_id: String,
    /// Empty for a native app, which then proves itself with PKCE alone.
    #[serde(default)]
    pub client_secret: String,
    /// Shown on the consent page; also the first part of the system token.
    #[serde(default)]
    pub name: String,
    /// Exact addresses, or regular expressions where one starts with `^` (`superid.md` §2).
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Where sign-out may lead, written like `redirect_uris`.
    #[serde(default)]
    pub post_logout_uris: Vec<String>,
    /// Where the legacy form post goes when the request names no address.
    #[serde(default)]
    pub legacy_redirect: Option<String>,
    /// What a legacy callback brings; none means a JWT.
    #[serde(default)]
    pub legacy_tokens: Vec<LegacyToken>,
    /// How it brings it (`superid.md` §3).
    #[serde(default)]
    pub legacy_method: Carriage,
    /// What SAML is signed with.
    #[serde(default)]
    pub saml_hash: SamlHash,
    /// Where a sign-in that failed leads, instead of a page of SuperID's.
    #[serde(default)]
    pub error_callback: Option<ErrorCallback>,
    #[serde(default)]
    pub pkce: Pkce,
    #[serde(default)]
    pub consent: Consent,
    /// Who may approve the app where consent is asked for.
    #[serde(default)]
    pub level: AuthorizationLevel,
    /// Adds the claim `system_token` to administrators' tokens.
    #[serde(default)]
    pub system_user: bool,
    /// The public halves of the keys the app signs system tokens with: PEM (SPKI or PKCS#1) or
    /// RSAKeyValue XML, as the developer portal hands it out (`superid.md` §5).
    #[serde(default)]
    pub system_user_keys: Vec<String>,
}

/// Whether the registration takes `code_challenge`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    #[default]
    Accepted,
    Refused,
}

/// One form of the legacy token (`superid.md` §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegacyToken {
    /// Field `jwt`.
    Jwt,
    /// Field `saml`: base64 of a bare assertion.
    Saml,
    /// Field `SAMLResponse`: base64 of a `Response` around it, as other senders have it.
    SamlResponse,
}

/// How a callback travels: as a form post, or in the address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carriage {
    Get,
    #[default]
    Post,
}

/// An error address (`superid.md` §2); what SuperID sends there is not published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorCallback {
    pub url: String,
    #[serde(default)]
    pub method: Carriage,
    #[serde(default)]
    pub words: ErrorWords,
}

/// Which fields an error address is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorWords {
    /// `error`, `error_description` and `state` (RFC 6749).
    #[default]
    Rfc,
    /// Fields that no RFC has, with markup in one of them.
    Unknown,
}

/// Who may approve an app (`superid.md` §7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationLevel {
    /// SuperOffice's operations alone: here `PUT /emulator/consents`.
    Explicit,
    #[default]
    Admin,
    /// Anybody of the tenant.
    User,
    /// Nobody is asked.
    Implicit,
}

/// Whether the tenants have consented beforehand or an administrator is asked once per tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    Asked,
    #[default]
    Given,
}

impl App {
    /// A registration with one redirect address and everything else at its default.
    pub fn new(client_id: &str, client_secret: &str, redirect_uri: &str) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            name: client_id.into(),
            redirect_uris: vec![redirect_uri.into()],
            post_logout_uris: Vec::new(),
            legacy_redirect: None,
            legacy_tokens: Vec::new(),
            legacy_method: Carriage::default(),
            saml_hash: SamlHash::default(),
            error_callback: None,
            pkce: Pkce::default(),
            consent: Consent::default(),
            level: AuthorizationLevel::default(),
            system_user: false,
            system_user_keys: Vec::new(),
        }
    }

    /// Whether a callback may go to `uri`.
    pub(super) fn allows_redirect(&self, uri: &str) -> bool {
        any_matches(&self.redirect_uris, uri)
    }

    /// The legacy return address when the request names none.
    pub(super) fn default_legacy_redirect(&self) -> Option<String> {
        let exact = || self.redirect_uris.iter().find(|uri| !uri.starts_with('^')).cloned();
        self.legacy_redirect.clone().or_else(exact)
    }
}

/// All registrations.
#[derive(Debug, Default)]
pub(super) struct Registry {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    apps: Vec<App>,
}

/// Keeps a script that registers in a loop from growing the process.
const MOST_APPS: usize = 500;

impl Registry {
    /// Adds a registration, or replaces the one with the same client id.
    pub(super) fn register(&self, app: App) {
        let mut held = self.held();
        held.apps.retain(|known| known.client_id != app.client_id);
        if held.apps.len() >= MOST_APPS {
            held.apps.remove(0);
        }
        held.apps.push(app);
    }

    pub(super) fn find(&self, client_id: &str) -> Option<App> {
        self.held().apps.iter().find(|app| app.client_id == client_id).cloned()
    }

    pub(super) fn all(&self) -> Vec<App> {
        self.held().apps.clone()
    }

    /// Whether `uri` is any app's post-logout address.
    pub(super) fn allows_post_logout(&self, uri: &str) -> bool {
        self.held().apps.iter().any(|app| any_matches(&app.post_logout_uris, uri))
    }

    /// Whether this is the secret of the app with this client id.
    pub(super) fn is_secret_of(&self, client_id: &str, secret: &str) -> bool {
        let held = self.held();
        let mut apps = held.apps.iter();
        apps.any(|app| app.client_id == client_id && app.client_secret == secret)
    }

    /// The apps with this secret: one, unless somebody registered the same one twice.
    pub(super) fn with_secret(&self, secret: &str) -> Vec<App> {
        let held = self.held();
        let apps = held.apps.iter().filter(|app| app.client_secret == secret);
        apps.filter(|app| !app.client_secret.is_empty()).cloned().collect()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn any_matches(patterns: &[String], uri: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.starts_with('^') {
        true => expression_matches(pattern, uri),
        false => pattern == uri,
    })
}

fn expression_matches(pattern: &str, uri: &str) -> bool {
    const MOST_COMPILED_BYTES: usize = 256 * 1024;
    let compiled = RegexBuilder::new(pattern).size_limit(MOST_COMPILED_BYTES).build();
    compiled.is_ok_and(|expression| expression.is_match(uri))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_matches_any_local_port_and_a_plain_address_only_itself() {
        let mut app = App::new("id", "", r"^http://127.0.0.1\:\d{4,10}$");
        app.redirect_uris.push("https://app.example/callback".into());

        assert!(app.allows_redirect("http://127.0.0.1:4300"));
        assert!(!app.allows_redirect("http://127.0.0.1:4300/callback"));
        assert!(app.allows_redirect("https://app.example/callback"));
        assert!(!app.allows_redirect("https://app.example/callback/"));
    }
}
