//! `[provider.NAME]`: an identity provider that is not SuperID, for SuperOffice on site.

use std::collections::BTreeMap;
use std::sync::Arc;

use url::Url;

use super::environment::is_environment;
use super::reading::quoted;
use super::section::{Named, Section};
use super::url_path::superid_url;
use super::value::Value;
use super::{Environment, Key, Table};

pub(super) const TABLE: Table = Table {
    header: "provider.NAME",
    keys: &[
        Key::required("issuer", "\"https://accounts.google.com\""),
        Key::optional(
            "discovery_url",
            "\"https://accounts.google.com/.well-known/openid-configuration\"",
        ),
        Key::defaulted("algorithms", "[\"RS256\"]"),
        Key::optional("authorize_url", "\"https://accounts.google.com/o/oauth2/v2/auth\""),
        Key::optional("token_url", "\"https://oauth2.googleapis.com/token\""),
        Key::optional("jwks_url", "\"https://www.googleapis.com/oauth2/v3/certs\""),
        Key::optional("userinfo_url", "\"https://openidconnect.googleapis.com/v1/userinfo\""),
        Key::optional("pushed_request_url", "\"https://login.example/par\""),
        Key::optional("end_session_url", "\"https://login.example/logout\""),
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
    pub const DIRECTORY: &'static str = "{tenantid}";

    /// Whether each directory has an issuer of its own.
    pub fn has_directories(&self) -> bool {
        self.issuer.contains(Self::DIRECTORY)
    }
}

/// Reads the providers.
pub(super) fn providers(root: &Section, environments: &Named<Environment>) -> Named<Provider> {
    let read = |(name, section): (String, Section)| {
        if is_environment(&name, environments) {
            let wrong = format!("there is an environment called {name}");
            section.reading.problem(&section.header, wrong, "choose another name");
        }
        let provider = provider(&name, &section).map(Arc::new);
        (name, provider)
    };
    let entries: BTreeMap<_, _> =
        root.named("provider", TABLE.keys).into_iter().map(read).collect();
    Named { what: "provider", entries }
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
    };
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
    Some(Provider { name: name.to_owned(), issuer, discovery_url, algorithms, pins })
}

impl Pins {
    fn leave_nothing_to_ask(&self) -> bool {
        self.authorize.is_some() && self.token.is_some() && self.keys.is_some()
    }
}

/// An issuer is kept letter by letter: it is compared, never normalised (OpenID Connect Discovery
/// §4.3).
fn issuer(value: &Value) -> Option<String> {
    let text = value.text()?;
    superid_url(value)?;
    let directories = text.matches(Provider::DIRECTORY).count();
    let braces = text.matches(['{', '}']).count();
    let in_path = text
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .is_some_and(|(_, path)| path.contains(Provider::DIRECTORY));
    if directories > 1 || braces != 2 * directories || (directories == 1 && !in_path) {
        let wrong = format!("{} does not have {{tenantid}} once in its path", quoted(text));
        return value.refuse(wrong, "write \"https://login.microsoftonline.com/{tenantid}/v2.0\"");
    }
    if text.len() > 200 || text.chars().any(|letter| !letter.is_ascii_graphic()) {
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
