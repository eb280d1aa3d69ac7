//! Reads `[relying_party.NAME]`, and says what the legacy flow costs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::crypto::{AssertionKey, Secret};

use super::client_authentication::{client_authentication, refuse_other_than_post};
use super::environment::environment_named;
use super::legacy_read::legacy;
use super::people::people;
use super::provider::AnyProvider;
use super::reading::quoted;
use super::relying_party::TABLE;
use super::secret_source::secret;
use super::section::{Named, Section};
use super::system_user::system_user;
use super::tenant_name::tenant;
use super::url_path::canonical_path;
use super::value::Value;
use super::webhook::webhook;
use super::{
    Authority, Authorization, Bond, ClientAuthentication, Emails, Environment, Federation, Flow,
    Membership, Pkce, Provider, RefreshTokens, RelyingParty, Response, Trust, response,
};

/// Reads every relying party.
pub(super) fn relying_parties(
    root: &Section,
    authorities: (&Named<Environment>, &Named<AnyProvider>),
) -> Named<RelyingParty> {
    let tables = root.named("relying_party", TABLE.keys);
    let entries: BTreeMap<_, _> = tables
        .iter()
        .map(|(name, section)| {
            (name.clone(), relying_party(name, (root, section), authorities).map(Arc::new))
        })
        .collect();
    for (name, section) in &tables {
        if let Some(Some(party)) = entries.get(name) {
            warn_about_legacy(party, section, &entries);
            if party.flow == Flow::Code {
                response::warn_about_tokens(section, &party.response);
            }
            warn_of_a_shared_key(party, section, &entries);
        }
    }
    Named { what: "relying_party", entries }
}

fn relying_party(
    name: &str,
    (root, section): (&Section, &Section),
    authorities: (&Named<Environment>, &Named<AnyProvider>),
) -> Option<RelyingParty> {
    let title = section.optional("title", |value| value.line(100));
    let client_id = section.read("client_id", client_id);
    let client_secret = client_secret(section);
    let given = client_secret.as_ref().and_then(Option::as_ref);
    let authority = authority(section, given, authorities);
    let error_callback_path = section.optional("error_callback_path", redirect_path);
    let redirect_path = section.read("redirect_path", redirect_path);
    let flow = flow(section);
    let response = response::response(section);
    refuse_answer_of_legacy(section, flow.as_ref(), response.as_ref());
    let pkce =
        section.read("pkce", |value| value.choice(&[("S256", Pkce::S256), ("off", Pkce::Off)]));
    let refresh_tokens = section.read("refresh_tokens", refresh_tokens);
    let tenant = section.optional("tenant", tenant);
    let listed = section.read("listed", |value| value.boolean());
    let authorization = section.read("authorization", authorization);
    let system_user = system_user(section, environment_of(authority.as_ref()));
    let webhook = webhook(root, section);
    let (authority, client_id) = (authority?, client_id?);
    let (flow, response) = match &authority {
        Authority::WsFederation(_) => (Some(Flow::WsFederation), Some(Response::of_federation())),
        _ => (flow, response),
    };
    Some(RelyingParty {
        name: name.to_owned(),
        title: title.unwrap_or_else(|| name.to_owned()),
        bond: Bond::of(name, &authority, &client_id, tenant.as_ref()),
        authority,
        client_id,
        client_secret: client_secret?,
        redirect_path: redirect_path?,
        flow: flow?,
        response: response?,
        error_callback_path,
        pkce: pkce?,
        refresh_tokens: refresh_tokens?,
        tenant,
        listed: listed?,
        authorization: authorization?,
        system_user,
        webhook,
    })
}

fn refresh_tokens(value: &Value) -> Option<RefreshTokens> {
    value.choice(&[
        ("ignore", RefreshTokens::Ignore),
        ("use", RefreshTokens::Use),
        ("use_and_revoke", RefreshTokens::UseAndRevoke),
    ])
}

fn authorization(value: &Value) -> Option<Authorization> {
    value.choice(&[
        ("admin", Authorization::Admin),
        ("explicit", Authorization::Explicit),
        ("implicit", Authorization::Implicit),
        ("user", Authorization::User),
    ])
}

/// Exactly one of `environment` and `provider`.
fn authority(
    section: &Section,
    given: Option<&Secret>,
    (environments, providers): (&Named<Environment>, &Named<AnyProvider>),
) -> Option<Authority> {
    let named = |value: &Value| environment_named(value, environments);
    let environment = match section.has("provider") {
        true => section.optional("environment", named),
        false => section.read("environment", named),
    };
    let provider = section.optional("provider", |value| providers.find(value));
    let place = section.place("environment");
    match (section.has("environment"), section.has("provider")) {
        (true, false) => {
            refuse_what_is_a_providers(section);
            environment.map(Authority::SuperId)
        }
        (false, true) => {
            refuse_what_is_superids(section);
            match &*provider? {
                AnyProvider::OpenId(provider) => membership(section, given, provider.clone())
                    .map(|member| Authority::Provider(Arc::new(member))),
                AnyProvider::WsFederation(federation) => trust(section, federation.clone())
                    .map(|trust| Authority::WsFederation(Arc::new(trust))),
            }
        }
        (false, false) => None,
        (true, true) => {
            let wrong = "stands beside provider, and people sign in at one of them";
            section.reading.problem(&place, wrong, "leave one of the two out");
            None
        }
    }
}

/// What SuperID alone has, somebody else's provider cannot give.
fn refuse_what_is_superids(section: &Section) {
    for key in ["authorization", "legacy", "system_user", "tenant", "webhook"] {
        if section.has(key) {
            section.reading.problem(
                &section.place(key),
                "is for SuperID alone, and people sign in at another provider here",
                "leave it out",
            );
        }
    }
}

/// What SuperID does by itself has to be said of others alone.
fn refuse_what_is_a_providers(section: &Section) {
    refuse_other_than_post(section);
    for key in ["client_certificate", "client_key", "client_key_id", "people"] {
        if section.has(key) {
            let wrong = "is for a provider that is not SuperID";
            section.reading.problem(&section.place(key), wrong, "leave it out");
        }
    }
}

fn membership(
    section: &Section,
    given: Option<&Secret>,
    provider: Arc<Provider>,
) -> Option<Membership> {
    let client = client_authentication(section, given);
    let people = people(section, &provider.issuer);
    let (client, people) = (client?, people?);
    let signs = matches!(client, ClientAuthentication::SignedJwt(_));
    if signs && provider.has_directories() && provider.pins.token.is_none() {
        section.reading.problem(
            &section.place("client_authentication"),
            "signs for whatever address the discovery document names, as the issuer has {tenantid}",
            format!("write token_url in [provider.{}]", provider.name),
        );
        return None;
    }
    let unprotected = section.optional("pkce", |value| value.text().map(|word| word == "off"));
    if matches!(client, ClientAuthentication::Nobody) && unprotected == Some(true) {
        let wrong = "\"off\" leaves codes to whoever finds them, where nobody proves who asks";
        section.reading.problem(&section.place("pkce"), wrong, "leave it out for \"S256\"");
        return None;
    }
    Some(Membership { provider, client, people })
}

/// A trust has a realm and nothing secret, and one way to answer.
fn trust(section: &Section, federation: Arc<Federation>) -> Option<Trust> {
    for key in [
        "client_authentication",
        "client_certificate",
        "client_key",
        "client_key_id",
        "client_secret",
        "error_callback_path",
        "flow",
        "pkce",
        "refresh_tokens",
        "response_mode",
        "response_type",
    ] {
        if section.has(key) {
            let wrong = "means nothing in WS-Federation, which this provider speaks";
            section.reading.problem(&section.place(key), wrong, "leave it out");
        }
    }
    let people = people(section, &federation.issuer)?;
    let problem = |wrong: &str, instead: &str| {
        section.reading.problem(&section.place("people"), wrong, instead);
    };
    if !people.hosted_domains.is_empty() {
        problem("names hosted_domains, which are Google's alone", "leave them out");
    }
    if !people.email_domains.is_empty() && federation.emails == Emails::Unverified {
        problem(
            "names email_domains, and nobody verifies the addresses of this provider",
            "write emails = \"verified\" there if its administrators do, or name directories or a \
             mapping",
        );
    }
    Some(Trust { federation, people })
}

/// What one provider is shown, another that has the same key on its books would believe.
fn warn_of_a_shared_key(
    party: &RelyingParty,
    section: &Section,
    all: &BTreeMap<String, Option<Arc<RelyingParty>>>,
) {
    let Some((provider, key)) = signs_with(party) else { return };
    let same = |other: &&Arc<RelyingParty>| {
        signs_with(other).is_some_and(|(of, with)| of.name != provider.name && with.is(key))
    };
    if let Some(other) = all.values().flatten().find(same) {
        section.reading.warn(
            &section.place("client_key"),
            format!("is the key of {} too, at another provider", other.name),
            "make a key for each provider",
        );
    }
}

fn signs_with(party: &RelyingParty) -> Option<(&Provider, &AssertionKey)> {
    let member = party.membership()?;
    match &member.client {
        ClientAuthentication::SignedJwt(signer) => Some((&member.provider, &signer.key)),
        _ => None,
    }
}

fn environment_of(authority: Option<&Authority>) -> Option<&Environment> {
    match authority? {
        Authority::SuperId(environment) => Some(environment),
        Authority::Provider(_) | Authority::WsFederation(_) => None,
    }
}

/// SuperOffice gives every app one; a provider's registration may do without.
fn client_secret(section: &Section) -> Option<Option<Secret>> {
    let given = |value: &Value| secret(value, "put the client secret from SuperOffice there");
    if section.has("provider") && !section.has("client_secret") {
        return Some(None);
    }
    section.read("client_secret", given).map(Some)
}

fn client_id(value: &Value) -> Option<String> {
    let text = value.line(200)?;
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(text);
    }
    let wrong = format!("{} contains a space or a letter beyond ASCII", quoted(&text));
    value.refuse(wrong, "copy the client id from SuperOffice")
}

fn redirect_path(value: &Value) -> Option<String> {
    let path = canonical_path(value)?;
    if path == "/" {
        let wrong = "\"/\" would take every visit to the root for an answer of SuperID's";
        return value.refuse(wrong, value.key.hint());
    }
    Some(path)
}

fn flow(section: &Section) -> Option<Flow> {
    #[derive(Clone, Copy)]
    enum Word {
        Code,
        Legacy,
    }
    let word = section
        .read("flow", |value| value.choice(&[("code", Word::Code), ("legacy", Word::Legacy)]));
    let legacy = legacy(section);
    match word? {
        Word::Legacy if section.has("provider") => {
            let wrong = "\"legacy\" is SuperID's alone";
            section.reading.problem(&section.place("flow"), wrong, "leave it out for \"code\"");
            None
        }
        Word::Legacy => legacy.map(Flow::Legacy),
        Word::Code if section.has("legacy") => {
            section.reading.problem(
                &section.place("legacy"),
                "is for the legacy flow alone",
                "write flow = \"legacy\", or leave the table out",
            );
            None
        }
        Word::Code => Some(Flow::Code),
    }
}

/// The legacy form is what it is.
fn refuse_answer_of_legacy(section: &Section, flow: Option<&Flow>, response: Option<&Response>) {
    let parts = response.is_some_and(|response| !response.parts.is_code_alone());
    for (key, means) in [("response_type", parts), ("response_mode", section.has("response_mode"))]
    {
        if matches!(flow, Some(Flow::Legacy(_))) && means {
            section.reading.problem(
                &section.place(key),
                "is for flow = \"code\" alone",
                "leave it out, or write flow = \"code\"",
            );
        }
    }
}

fn warn_about_legacy(
    party: &RelyingParty,
    section: &Section,
    all: &BTreeMap<String, Option<Arc<RelyingParty>>>,
) {
    let Flow::Legacy(legacy) = &party.flow else { return };
    section.reading.warn(
        &section.place("flow"),
        "a legacy token names the tenant, not the app: another app's token for the same tenant \
         cannot be told from ours",
        "use flow = \"code\" where SuperOffice lets you",
    );
    let taught = all
        .values()
        .flatten()
        .any(|other| other.flow == Flow::Code && other.authority.name() == party.authority.name());
    if legacy.serials.is_empty() && !taught {
        section.reading.warn(
            &section.place("legacy"),
            "knows no serial number, and no relying party with flow = \"code\" in this environment \
             could teach one: nobody could sign in",
            "write serials = { Cust12345 = \"1501052557\" }",
        );
    }
}
