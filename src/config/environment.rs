//! `[environment.NAME]`: where a SuperID lives and what it calls itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use url::Url;

use crate::identity::ContextId;

use super::nearest::nearest;
use super::reading::quoted;
use super::section::{Named, Section};
use super::url_path::{origin, superid_url};
use super::value::Value;
use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "environment.NAME",
    keys: &[
        Key::required("issuer", "\"https://superid.example\""),
        Key::defaulted("legacy_issuer", "\"SuperOffice AS\""),
        Key::required("authorize_url", "\"https://superid.example/login/common/oauth/authorize\""),
        Key::required(
            "tenant_authorize_url",
            "\"https://superid.example/login/{ctx}/oauth/authorize\"",
        ),
        Key::required("token_url", "\"https://superid.example/login/common/oauth/tokens\""),
        Key::required("jwks_url", "\"https://superid.example/login/.well-known/jwks\""),
        Key::required("logout_url", "\"https://superid.example/login/logout\""),
        Key::optional("revocation_url", "\"https://superid.example/login/common/oauth/revoke\""),
        Key::required("legacy_login_url", "\"https://superid.example/login/\""),
        Key::optional(
            "system_user_url",
            "\"https://superid.example/Login/api/PartnerSystemUser/Authenticate\"",
        ),
        Key::optional(
            "system_user_soap_url",
            "\"https://superid.example/login/services/PartnerSystemUserService.svc\"",
        ),
        Key::optional("tenant_state_url", "\"https://superid.example/api/state/{ctx}\""),
        Key::required("addresses", "[\"https://tenants.example\"]"),
    ],
};

/// One SuperID: every address, and the exact issuer. The issuer is pinned because SuperID's
/// discovery document names an issuer that is not its own URL (`superid.md` §1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    pub name: String,
    /// `iss` of id_tokens, exactly.
    pub issuer: String,
    /// `iss` of legacy tokens: `SuperOffice AS` (`superid.md` §3.1).
    pub legacy_issuer: String,
    /// The authorize endpoint where SuperID asks for the tenant.
    pub authorize_url: Url,
    /// The authorize endpoint of one tenant; `{ctx}` stands for its name.
    pub tenant_authorize_url: String,
    pub token_url: Url,
    pub jwks_url: Url,
    pub logout_url: Url,
    /// Where refresh tokens are revoked; every environment of SuperOffice's has it (`superid.md` §1).
    pub revocation_url: Option<Url>,
    pub legacy_login_url: Url,
    /// Where system user tickets are bought with JSON; every environment of SuperOffice's has it.
    pub system_user_url: Option<Url>,
    /// Where they are bought with SOAP 1.1.
    pub system_user_soap_url: Option<Url>,
    /// Where a tenant's state is asked for; `{ctx}` stands for its name.
    pub tenant_state_url: Option<String>,
    /// Which tenant addresses in claims are believed.
    pub addresses: AllowedAddresses,
}

/// The environments SuperOffice runs, by the name of the portal (`superid.md` §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvironmentName {
    /// Production: `online.superoffice.com`.
    Online,
    /// Development: `sod.superoffice.com`.
    Sod,
    /// Stage, whose host label is `qaonline`.
    Stage,
}

/// Which hosts may be a tenant's web service (`superid.md` §4, §1: they move).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedAddresses {
    /// These origins exactly, such as `http://127.0.0.1:7000`.
    Origins(Vec<String>),
    /// https on port 443 of any name under `.superoffice.com`.
    SuperOffice,
}

impl Environment {
    /// One of SuperOffice's own.
    pub fn named(name: EnvironmentName) -> Self {
        let (name, label) = match name {
            EnvironmentName::Online => ("online", "online"),
            EnvironmentName::Sod => ("sod", "sod"),
            EnvironmentName::Stage => ("stage", "qaonline"),
        };
        let base = format!("https://{label}.superoffice.com");
        let at = |path: &str| {
            Url::parse(&format!("{base}{path}")).expect("SuperOffice's own addresses are URLs")
        };
        Self {
            name: name.to_owned(),
            issuer: base.clone(),
            legacy_issuer: "SuperOffice AS".to_owned(),
            authorize_url: at("/login/common/oauth/authorize"),
            tenant_authorize_url: format!("{base}/login/{{ctx}}/oauth/authorize"),
            token_url: at("/login/common/oauth/tokens"),
            jwks_url: at("/login/.well-known/jwks"),
            logout_url: at("/login/logout"),
            revocation_url: Some(at("/login/common/oauth/revoke")),
            legacy_login_url: at("/login/"),
            system_user_url: Some(at("/Login/api/PartnerSystemUser/Authenticate")),
            system_user_soap_url: Some(at("/login/services/PartnerSystemUserService.svc")),
            tenant_state_url: Some(format!("{base}/api/state/{{ctx}}")),
            addresses: AllowedAddresses::SuperOffice,
        }
    }

    /// Where to send a browser to sign in, to the tenant asked for if any.
    pub fn authorize(&self, tenant: Option<&ContextId>) -> String {
        match tenant {
            Some(context) => self.tenant_authorize_url.replace("{ctx}", context.as_str()),
            None => self.authorize_url.as_str().to_owned(),
        }
    }

    /// Where to ask for a tenant's state.
    pub fn tenant_state(&self, tenant: &ContextId) -> Option<Url> {
        let template = self.tenant_state_url.as_ref()?;
        Url::parse(&template.replace("{ctx}", tenant.as_str())).ok()
    }

    /// The origin SuperID's pages are on: what a browser names in `Origin` of a posted form.
    pub fn login_origin(&self) -> String {
        self.legacy_login_url.origin().ascii_serialization()
    }
}

/// Reads the custom environments.
pub(super) fn environments(root: &Section) -> Named<Environment> {
    let read = |(name, section): (String, Section)| {
        let environment = environment(&name, &section).map(Arc::new);
        (name, environment)
    };
    let entries: BTreeMap<_, _> =
        root.named("environment", TABLE.keys).into_iter().map(read).collect();
    Named { what: "environment", entries }
}

/// Reads the word that names an environment: SuperOffice's own, or a custom one.
pub(super) fn environment_named(
    value: &Value,
    custom: &Named<Environment>,
) -> Option<Arc<Environment>> {
    let word = value.text()?;
    if let Some((_, name)) = OWN.iter().find(|(own, _)| *own == word) {
        return Some(Arc::new(Environment::named(*name)));
    }
    if let Some(found) = custom.entries.get(word) {
        return found.clone();
    }
    let meant = ALSO_CALLED
        .iter()
        .find(|(other, _)| word.eq_ignore_ascii_case(other))
        .map(|(_, own)| *own)
        .or_else(|| nearest(word, OWN.iter().map(|(own, _)| *own)))
        .or_else(|| nearest(word, custom.entries.keys().map(String::as_str)));
    let instead = match meant {
        Some(own) => format!("did you mean \"{own}\"?"),
        None => format!("write \"sod\", \"stage\" or \"online\", or add [environment.{word}]"),
    };
    value.refuse(format!("{} is not an environment", quoted(word)), instead)
}

/// Whether a word names an environment, whatever is wrong with it.
pub(super) fn is_environment(word: &str, custom: &Named<Environment>) -> bool {
    OWN.iter().any(|(own, _)| *own == word) || custom.entries.contains_key(word)
}

fn environment(name: &str, section: &Section) -> Option<Environment> {
    if OWN.iter().any(|(own, _)| *own == name) {
        let wrong = format!("{name} is SuperOffice's own environment");
        section.reading.problem(&section.header, wrong, "choose another name");
    }
    let issuer = section.read("issuer", |value| value.line(200));
    let legacy_issuer = section.read("legacy_issuer", |value| value.line(200));
    let authorize_url = section.read("authorize_url", superid_url);
    let tenant_authorize_url = section.read("tenant_authorize_url", tenant_template);
    let token_url = section.read("token_url", superid_url);
    let jwks_url = section.read("jwks_url", superid_url);
    let logout_url = section.read("logout_url", superid_url);
    let revocation_url = section.optional("revocation_url", superid_url);
    let legacy_login_url = section.read("legacy_login_url", superid_url);
    let system_user_url = section.optional("system_user_url", superid_url);
    let system_user_soap_url = section.optional("system_user_soap_url", superid_url);
    let tenant_state_url = section.optional("tenant_state_url", tenant_template);
    let addresses = section.read("addresses", tenant_origins);
    Some(Environment {
        name: name.to_owned(),
        issuer: issuer?,
        legacy_issuer: legacy_issuer?,
        authorize_url: authorize_url?,
        tenant_authorize_url: tenant_authorize_url?,
        token_url: token_url?,
        jwks_url: jwks_url?,
        logout_url: logout_url?,
        revocation_url,
        legacy_login_url: legacy_login_url?,
        system_user_url,
        system_user_soap_url,
        tenant_state_url,
        addresses: addresses?,
    })
}

/// The URL with `{ctx}` once, in its path: anywhere else a tenant's name could choose the host.
fn tenant_template(value: &Value) -> Option<String> {
    let text = value.text()?;
    let url = superid_url(value)?;
    if text.matches("{ctx}").count() != 1 || !url.path().contains("%7Bctx%7D") {
        let wrong = format!("{} does not have {{ctx}} once in its path", quoted(text));
        return value.refuse(wrong, value.key.hint());
    }
    Some(text.to_owned())
}

fn tenant_origins(value: &Value) -> Option<AllowedAddresses> {
    let origins = value.distinct(|item| origin(item).map(|origin| origin.as_str().to_owned()))?;
    if origins.is_empty() {
        return value.refuse("is empty: no tenant's address would be believed", value.key.hint());
    }
    Some(AllowedAddresses::Origins(origins))
}

const OWN: [(&str, EnvironmentName); 3] = [
    ("sod", EnvironmentName::Sod),
    ("stage", EnvironmentName::Stage),
    ("online", EnvironmentName::Online),
];

/// What SuperOffice's portal, host labels and old samples call them (`superid.md` §1).
const ALSO_CALLED: [(&str, &str); 6] = [
    ("development", "sod"),
    ("dev", "sod"),
    ("qaonline", "stage"),
    ("qastage", "stage"),
    ("production", "online"),
    ("prod", "online"),
];
