//! `[provider.NAME]`: an identity provider that is not SuperID, for SuperOffice on site.

use std::collections::BTreeMap;
use std::sync::Arc;

use url::Url;

use crate::crypto::Authorities;

use super::environment::is_environment;
use super::federation::{OWN_KEYS, federation};
use super::issuer::{DIRECTORY, has_directories, has_its_braces_right, is_issuer, may_issue_as};
use super::reading::quoted;
use super::section::{Named, Section};
use super::upstream_read::believed;
use super::url_path::superid_url;
use super::value::Value;
use super::{Environment, Federation, Key, Table};

pub(super) const TABLE: Table = Table {
    header: "provider.NAME",
    keys: &[
        Key::defaulted("protocol", "\"openid\""),
        Key::required("issuer", "\"https://accounts.google.com\""),
        Key::optional(
            "discovery_url",
            "\"https://accounts.google.com/.well-known/openid-configuration\"",
        ),
        Key::defaulted("algorithms", "[\"RS256\"]"),
        Key::defaulted("scopes", "[\"openid\", \"email\", \"profile\"]"),
        Key::defaulted("userinfo", "false"),
        Key::defaulted("pushed_requests", "false"),
        Key::defaulted("authorize_parameters", "{}").such_as("{ prompt = \"select_account\" }"),
        Key::optional("ca", "\"provider-ca.pem\""),
        Key::optional("authorize_url", "\"https://accounts.google.com/o/oauth2/v2/auth\""),
        Key::optional("token_url", "\"https://oauth2.googleapis.com/token\""),
        Key::optional("jwks_url", "\"https://www.googleapis.com/oauth2/v3/certs\""),
        Key::optional("userinfo_url", "\"https://openidconnect.googleapis.com/v1/userinfo\""),
        Key::optional("pushed_request_url", "\"https://login.example/par\""),
        Key::optional("end_session_url", "\"https://login.example/logout\""),
        Key::optional("revocation_url", "\"https://oauth2.googleapis.com/revoke\""),
        Key::optional("sign_in_url", "\"https://adfs.example.com/adfs/ls/\""),
        Key::optional("sign_out_url", "\"https://adfs.example.com/adfs/ls/\""),
        Key::optional("certificates", "[\"adfs-signing.pem\"]"),
        Key::optional("subject_claim", "\"name_id\""),
        Key::optional("emails", "\"verified\""),
    ],
};

/// An OpenID provider: the exact issuer, where its discovery document is, and which of the addresses
/// in it are pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub name: String,
    /// `iss` of its tokens, exactly; Microsoft's has `{tenantid}` where each directory's id stands.
    pub issuer: String,
    /// Where its discovery document is (OpenID Connect Discovery §4); `None` where every address a
    /// sign-in needs is pinned and nothing is asked.
    pub discovery_url: Option<Url>,
    /// What its tokens may be signed with.
    pub algorithms: Vec<SigningAlgorithm>,
    pub pins: Pins,
    pub asking: Asking,
    /// Whose word its certificate is believed on; the machine's authorities without it.
    pub authorities: Option<Authorities>,
}

/// What it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// `openid` among them.
    pub scopes: Vec<String>,
    pub userinfo: UserInfo,
    pub pushed_requests: PushedRequests,
    /// Further parameters of the authorize address, none of them ours.
    pub parameters: Vec<(String, String)>,
}

/// Whether more is asked about a person (OpenID Connect Core §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserInfo {
    Asked,
    NotAsked,
}

/// Whether requests reach the provider from us and not through the browser (RFC 9126).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushedRequests {
    Off,
    On,
}

/// Addresses that are ours to say. One that is given is used whatever the discovery document says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    pub authorize: Option<Url>,
    pub token: Option<Url>,
    pub keys: Option<Url>,
    pub userinfo: Option<Url>,
    pub pushed_request: Option<Url>,
    pub end_session: Option<Url>,
    pub revocation: Option<Url>,
}

/// Signature algorithms of JOSE (RFC 7518 §3.1, RFC 8037 §3.1). Those with a shared secret, and
/// `none`, cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    EdDsa,
    Es256,
    Ps256,
    Rs256,
}

impl SigningAlgorithm {
    /// As `alg` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }

    fn words() -> [(&'static str, Self); 4] {
        [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa].map(|one| (one.name(), one))
    }
}

impl Provider {
    /// What stands for the directory's id in [`Provider::issuer`] where there are many.
    pub const DIRECTORY: &'static str = DIRECTORY;

    /// Whether this is its issuer, or that of one of its directories.
    pub fn may_issue_as(&self, issuer: &str) -> bool {
        may_issue_as(&self.issuer, issuer)
    }

    /// Whom an assertion of ours is meant for: the issuer itself, or, where each directory has one of
    /// its own, the pinned `token_url`. Never what a discovery document says: it could name another's
    /// address, and take what we sign for that one there (CVE-2025-27370).
    pub fn audience(&self) -> &str {
        match &self.pins.token {
            Some(url) if self.has_directories() => url.as_str(),
            _ => &self.issuer,
        }
    }

    /// Whether each directory has an issuer of its own.
    pub fn has_directories(&self) -> bool {
        has_directories(&self.issuer)
    }
}

/// A provider, by what it speaks.
#[derive(Clone)]
pub(super) enum AnyProvider {
    OpenId(Arc<Provider>),
    WsFederation(Arc<Federation>),
}

/// Reads the providers.
pub(super) fn providers(root: &Section, environments: &Named<Environment>) -> Named<AnyProvider> {
    let read = |(name, section): (String, Section)| {
        if is_environment(&name, environments) {
            let wrong = format!("there is an environment called {name}");
            section.reading.problem(&section.header, wrong, "choose another name");
        }
        let provider = any_provider(&name, &section).map(Arc::new);
        (name, provider)
    };
    let entries: BTreeMap<_, _> =
        root.named("provider", TABLE.keys).into_iter().map(read).collect();
    Named { what: "provider", entries }
}

fn any_provider(name: &str, section: &Section) -> Option<AnyProvider> {
    #[derive(Clone, Copy)]
    enum Word {
        OpenId,
        WsFederation,
    }
    let word = section.read("protocol", |value| {
        value.choice(&[("openid", Word::OpenId), ("ws_federation", Word::WsFederation)])
    });
    match word? {
        Word::OpenId => {
            for key in OWN_KEYS.into_iter().filter(|key| section.has(key)) {
                let wrong = "is for WS-Federation, and this provider speaks OpenID Connect";
                let instead = "leave it out, or write protocol = \"ws_federation\"";
                section.reading.problem(&section.place(key), wrong, instead);
            }
            provider(name, section).map(|one| AnyProvider::OpenId(Arc::new(one)))
        }
        Word::WsFederation => {
            federation(name, section).map(|one| AnyProvider::WsFederation(Arc::new(one)))
        }
    }
}

fn provider(name: &str, section: &Section) -> Option<Provider> {
    let issuer = section.read("issuer", issuer);
    let written = section.optional("discovery_url", superid_url);
    let algorithms = section
        .read("algorithms", |value| value.distinct(|item| item.choice(&SigningAlgorithm::words())));
    let pin = |key| section.optional(key, superid_url);
    let pins = Pins {
        authorize: pin("authorize_url"),
        token: pin("token_url"),
        keys: pin("jwks_url"),
        userinfo: pin("userinfo_url"),
        pushed_request: pin("pushed_request_url"),
        end_session: pin("end_session_url"),
        revocation: pin("revocation_url"),
    };
    let asking = asking(section);
    let authorities = authorities(section);
    let issuer = issuer?;
    let discovery_url = match (written, pins.leave_nothing_to_ask()) {
        (Some(url), _) => Some(url),
        (None, true) => None,
        (None, false) if section.has("discovery_url") => return None,
        (None, false) => Some(discovery_of(section, &issuer)?),
    };
    let algorithms = algorithms?;
    if algorithms.is_empty() {
        let instead = "write algorithms = [\"RS256\"]";
        let place = section.place("algorithms");
        section.reading.problem(&place, "is empty: no token would be believed", instead);
        return None;
    }
    let name = name.to_owned();
    let (asking, authorities) = (asking?, authorities?);
    Some(Provider { name, issuer, discovery_url, algorithms, pins, asking, authorities })
}

impl Pins {
    fn leave_nothing_to_ask(&self) -> bool {
        self.authorize.is_some() && self.token.is_some() && self.keys.is_some()
    }
}

fn asking(section: &Section) -> Option<Asking> {
    let scopes = section.read("scopes", |value| value.distinct(scope));
    let userinfo = section.read("userinfo", |value| value.boolean());
    let pushed = section.read("pushed_requests", |value| value.boolean());
    let parameters = section.read("authorize_parameters", |value| value.entries(parameter));
    let scopes = scopes?;
    if !scopes.iter().any(|scope| scope == "openid") {
        let wrong = "lacks \"openid\": no id_token would come";
        section.reading.problem(&section.place("scopes"), wrong, "add \"openid\"");
        return None;
    }
    Some(Asking {
        scopes,
        userinfo: if userinfo? { UserInfo::Asked } else { UserInfo::NotAsked },
        pushed_requests: if pushed? { PushedRequests::On } else { PushedRequests::Off },
        parameters: parameters?,
    })
}

/// RFC 6749 §3.3.
fn scope(value: &Value) -> Option<String> {
    let text = value.line(200)?;
    let fits = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    if fits { Some(text) } else { value.refuse("is no scope", "write \"email\"") }
}

fn parameter(name: &str, value: &Value) -> Option<(String, String)> {
    if OURS.contains(&name) {
        return value.refuse("is a parameter that we set", "leave it out");
    }
    Some((name.to_owned(), value.line(200)?))
}

fn authorities(section: &Section) -> Option<Option<Authorities>> {
    match section.has("ca") {
        true => section.optional("ca", believed).map(Some),
        false => Some(None),
    }
}

/// An issuer is kept letter by letter: it is compared, never normalised (OpenID Connect Discovery
/// §4.3).
fn issuer(value: &Value) -> Option<String> {
    let text = value.text()?;
    superid_url(value)?;
    if !has_its_braces_right(text) {
        let wrong = format!("{} does not have {{tenantid}} once in its path", quoted(text));
        return value.refuse(wrong, "write \"https://login.microsoftonline.com/{tenantid}/v2.0\"");
    }
    if !is_issuer(text) {
        return value.refuse("is no issuer", value.key.hint());
    }
    Some(text.to_owned())
}

/// OpenID Connect Discovery §4: the issuer, and a fixed path after it.
fn discovery_of(section: &Section, issuer: &str) -> Option<Url> {
    if issuer.contains(Provider::DIRECTORY) {
        section.reading.problem(
            &section.place("discovery_url"),
            "is missing, and an issuer with {tenantid} does not say where it is",
            "write discovery_url = \"https://login.microsoftonline.com/organizations/v2.0/.well-known/\
             openid-configuration\"",
        );
        return None;
    }
    Url::parse(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))).ok()
}

/// What an authorize address has from us, or never from anybody (RFC 6749 §4.1.1, OpenID Connect Core
/// §3.1.2.1 and §6, RFC 7636 §4.3).
const OURS: [&str; 14] = [
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

#[cfg(test)]
impl Provider {
    /// One with this issuer and the defaults.
    pub(crate) fn for_tests(issuer: &str) -> Self {
        Self {
            name: "tests".to_owned(),
            issuer: issuer.to_owned(),
            discovery_url: None,
            algorithms: vec![SigningAlgorithm::Rs256],
            pins: Pins::default(),
            asking: Asking {
                scopes: vec!["openid".to_owned()],
                userinfo: UserInfo::NotAsked,
                pushed_requests: PushedRequests::Off,
                parameters: Vec::new(),
            },
            authorities: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_directorys_id_stands_in_for_the_directory() {
        let provider = Provider::for_tests("https://login.example/{tenantid}/v2.0");
        let named = |id: &str| provider.may_issue_as(&format!("https://login.example/{id}/v2.0"));
        assert!(named("72f988bf-86f1-41af-91ab-2d7cd011db47"));
        assert!(named("72F988BF-86F1-41AF-91AB-2D7CD011DB47"));
        for odd in [
            "",
            "common",
            "{tenantid}",
            "72f988bf86f141af91ab2d7cd011db47",
            "72f988bf-86f1-41af-91ab-2d7cd011db4",
            "72f988bf-86f1-41af-91ab-2d7cd011db4x",
            "a/72f988bf-86f1-41af-91ab-2d7cd011db47",
        ] {
            assert!(!named(odd), "{odd}");
        }
    }

    #[test]
    fn an_assertion_is_for_the_issuer_or_for_a_pinned_address() {
        let pin = Url::parse("https://t.example/token").unwrap();
        for (issuer, audience) in [
            ("https://a.example", "https://a.example"),
            ("https://a.example/{tenantid}", "https://t.example/token"),
        ] {
            let mut provider = Provider::for_tests(issuer);
            provider.pins.token = Some(pin.clone());
            assert_eq!(provider.audience(), audience);
        }
    }
}
