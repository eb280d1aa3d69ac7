//! The provider's authorization endpoint, pushed requests, and its page of accounts.

use std::time::Duration;

use http::{Method, StatusCode, header};
use serde_json::json;

use super::super::accounts;
use super::super::answer::Answer;
use super::super::call::Call;
use super::super::delivery;
use super::super::grants::alphanumeric;
use super::super::grants::{ACCESS_LIFETIME, CODE_LIFETIME, REQUEST_LIFETIME, SESSION_LIFETIME};
use super::super::pkce::Challenge;
use super::super::response::{Part, Parts, ResponseMode};
use super::super::world::World;
use super::client::{GoogleClient, IssParameter};
use super::client_auth::authenticated;
use super::people::{self, issuer};
use super::state::{Asked, Code, Grant};
use super::tokens;

pub(super) const COOKIE: &str = "GoogleLikeSession";

/// How long a pushed request is good.
const PUSHED_LIFETIME: Duration = Duration::from_secs(90);

type Parameters = Vec<(String, String)>;

/// `POST /google/par` (RFC 9126).
pub(super) fn push(world: &World, call: &Call) -> Answer {
    if call.method != Method::POST {
        return Answer::text(StatusCode::METHOD_NOT_ALLOWED, "POST only").refused("method");
    }
    let client = match authenticated(world, call) {
        Ok(client) => client,
        Err(why) => return tokens::refused(("invalid_client", why)),
    };
    let parameters: Parameters = call.form.clone();
    if find(&parameters, "request_uri").is_some() {
        return tokens::refused(("invalid_request", "a pushed request names no other"));
    }
    let uri = find(&parameters, "redirect_uri");
    if !uri.is_some_and(|uri| client.redirect_uris.iter().any(|known| known == uri)) {
        return tokens::refused(("invalid_request", "unknown redirect address"));
    }
    let name = format!("urn:ietf:params:oauth:request_uri:{}", alphanumeric(32));
    let mut parameters = parameters;
    parameters.retain(|(name, _)| !name.starts_with("client_"));
    parameters.push(("client_id".into(), client.client_id.clone()));
    world.google.pushed.put(&name, parameters, world.now() + PUSHED_LIFETIME);
    let body = json!({ "request_uri": name, "expires_in": PUSHED_LIFETIME.as_secs() });
    Answer::json(StatusCode::CREATED, &body).for_client(&client.client_id).not_stored()
}

/// `/google/authorize`. Without a known client and a registered redirect address the browser stays
/// on a page of the provider's.
pub(super) fn authorize(world: &World, call: &Call) -> Answer {
    let Some(client) = call.param("client_id").and_then(|id| world.google.client(id)) else {
        return accounts::trouble(MARK, "Error 401: invalid_client").refused("unknown client");
    };
    let Some(parameters) = parameters(world, call, &client) else {
        let page = accounts::trouble(MARK, "Error 400: invalid_request_uri");
        return page.refused("no such pushed request");
    };
    let uri = find(&parameters, "redirect_uri");
    let Some(uri) = uri.filter(|uri| client.redirect_uris.iter().any(|known| known == uri)) else {
        let page = accounts::trouble(MARK, "Error 400: redirect_uri_mismatch");
        return page.refused("unknown redirect address");
    };
    let mut asked = returning(&parameters, &client, uri);
    if let Err((error, why)) = complete(&parameters, &mut asked) {
        let fields = [("error", error.to_owned()), ("error_description", why.to_owned())];
        return deliver(world, &asked, &fields).refused(error);
    }
    let prompt = find(&parameters, "prompt").unwrap_or_default();
    let hint = find(&parameters, "login_hint").unwrap_or_default();
    let known = call.cookie(COOKIE).and_then(|id| world.google.sessions.get(id, world.now()));
    let known = known.filter(|upn| hint.is_empty() || upn.eq_ignore_ascii_case(hint));
    match (known, prompt) {
        (Some(upn), "" | "none" | "consent") => finish(world, &asked, &upn),
        (_, "none") => {
            let fields = [("error", "login_required".to_owned())];
            deliver(world, &asked, &fields).refused("login_required")
        }
        _ => page(world, asked, hint, find(&parameters, "hd")),
    }
}

/// `POST /google/sign-in` with `request` and `person`, or with `decision` for a refusal.
pub(super) fn sign_in(world: &World, call: &Call) -> Answer {
    let asked = call.param("request").and_then(|id| world.google.requests.get(id, world.now()));
    let Some(asked) = asked else {
        return accounts::trouble(MARK, "This sign-in is no longer known")
            .refused("unknown request");
    };
    if call.param("decision") == Some("refuse") {
        let fields = [("error", "access_denied".to_owned())];
        return deliver(world, &asked, &fields).refused("access_denied");
    }
    let Some(person) = call.param("person").and_then(|upn| world.seed.person(upn)) else {
        return accounts::trouble(MARK, "Couldn’t find your account").refused("unknown person");
    };
    let id = alphanumeric(32);
    let end = world.now() + SESSION_LIFETIME;
    world.google.sessions.put(&id, person.upn.clone(), end);
    let cookie = format!("{COOKIE}={id}; Path=/google; HttpOnly; SameSite=Lax");
    finish(world, &asked, &person.upn).with(header::SET_COOKIE, &cookie)
}

const MARK: &str = "A provider like Google – no real account is behind this page";

/// The request's own parameters, or those that were pushed; those are good once.
fn parameters(world: &World, call: &Call, client: &GoogleClient) -> Option<Parameters> {
    let Some(name) = call.param("request_uri") else {
        let own: Parameters = call.form.iter().chain(&call.query).cloned().collect();
        return (!client.pushed_only).then_some(own);
    };
    let pushed = world.google.pushed.take(name, world.now())?;
    (find(&pushed, "client_id") == Some(&client.client_id)).then_some(pushed)
}

fn find<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a str> {
    let mut named = parameters.iter().filter(|(key, value)| key == name && !value.is_empty());
    named.next().map(|(_, value)| value.as_str())
}

/// The way back before anything else is known to be right.
fn returning(parameters: &Parameters, client: &GoogleClient, redirect_uri: &str) -> Asked {
    let parts = find(parameters, "response_type").and_then(Parts::parse);
    let parts = parts.unwrap_or_else(Parts::code_alone);
    let mode = match ResponseMode::of(find(parameters, "response_mode"), &parts) {
        ResponseMode::Query if parts.shows_tokens() => ResponseMode::Fragment,
        mode => mode,
    };
    Asked {
        client_id: client.client_id.clone(),
        redirect_uri: redirect_uri.to_owned(),
        state: find(parameters, "state").map(str::to_owned),
        nonce: find(parameters, "nonce").map(str::to_owned),
        scope: find(parameters, "scope").unwrap_or_default().to_owned(),
        challenge: None,
        parts,
        mode,
        offline: find(parameters, "access_type") == Some("offline"),
    }
}

fn complete(
    parameters: &Parameters,
    asked: &mut Asked,
) -> Result<(), (&'static str, &'static str)> {
    if find(parameters, "response_type").and_then(Parts::parse).is_none() {
        return Err(("unsupported_response_type", "unknown response type"));
    }
    if asked.parts.shows_tokens() && find(parameters, "response_mode") == Some("query") {
        return Err(("invalid_request", "tokens do not travel in a query"));
    }
    if asked.parts.has(Part::IdToken) && asked.nonce.is_none() {
        return Err(("invalid_request", "the nonce is missing"));
    }
    if !asked.scope.split(' ').any(|word| word == "openid") {
        return Err(("invalid_scope", "the scope must contain openid"));
    }
    if let Some(challenge) = find(parameters, "code_challenge") {
        let known = Challenge::new(challenge, find(parameters, "code_challenge_method"));
        asked.challenge = Some(known.ok_or(("invalid_request", "unknown challenge method"))?);
    }
    Ok(())
}

/// The accounts to choose from. `hd` narrows the list and promises nothing, as at Google.
fn page(world: &World, asked: Asked, hint: &str, domain: Option<&str>) -> Answer {
    let id = alphanumeric(32);
    let client_id = asked.client_id.clone();
    world.google.requests.put(&id, asked, world.now() + REQUEST_LIFETIME);
    let people = world.seed.people.iter().filter(|person| {
        domain.is_none_or(|domain| domain == "*" || people::hosted_domain(person) == Some(domain))
    });
    let rows = people.map(|person| accounts::Row {
        upn: &person.upn,
        name: person.name(),
        standing: people::hosted_domain(person).map_or("a private account".into(), str::to_owned),
        hinted: person.upn.eq_ignore_ascii_case(hint),
    });
    accounts::page(MARK, "/google/sign-in", &id, rows.collect()).for_client(&client_id)
}

/// Hands out what was asked for, with `iss` as RFC 9207 has it.
fn finish(world: &World, asked: &Asked, upn: &str) -> Answer {
    let grant = Grant {
        client_id: asked.client_id.clone(),
        upn: upn.to_owned(),
        scope: asked.scope.clone(),
    };
    let mut fields: Vec<(&str, String)> = Vec::new();
    let algorithm = world.google.settings().algorithm;
    let mut bound: Vec<(&str, String)> = Vec::new();
    bound.extend(asked.nonce.clone().map(|nonce| ("nonce", nonce)));
    if asked.parts.has(Part::Code) {
        let code = code(world, asked, &grant);
        bound.push(("c_hash", algorithm.half_hash(&code)));
        fields.push(("code", code));
    }
    if asked.parts.has(Part::Token) {
        let token = tokens::access_token(world, &grant);
        bound.push(("at_hash", algorithm.half_hash(&token)));
        fields.push(("access_token", token));
        fields.push(("token_type", "Bearer".to_owned()));
        fields.push(("expires_in", ACCESS_LIFETIME.as_secs().to_string()));
    }
    if asked.parts.has(Part::IdToken) {
        match people::id_token(world, &grant, &bound) {
            Some(token) => fields.push(("id_token", token)),
            None => return accounts::trouble(MARK, "Couldn’t find your account"),
        }
    }
    deliver(world, asked, &fields)
}

fn code(world: &World, asked: &Asked, grant: &Grant) -> String {
    let name = format!("4/{}", alphanumeric(60));
    let code = Code {
        grant: grant.clone(),
        redirect_uri: asked.redirect_uri.clone(),
        nonce: asked.nonce.clone(),
        challenge: asked.challenge.clone(),
        offline: asked.offline,
    };
    world.google.codes.put(&name, code, world.now() + CODE_LIFETIME);
    name
}

fn deliver(world: &World, asked: &Asked, fields: &[(&str, String)]) -> Answer {
    let state = asked.state.clone().map(|state| ("state".to_owned(), state));
    let iss = match world.google.settings().iss_parameter {
        IssParameter::Sent => Some(issuer(world)),
        IssParameter::Wrong => Some("https://accounts.evil.example".to_owned()),
        IssParameter::Absent | IssParameter::Missing => None,
    };
    let iss = iss.map(|iss| ("iss".to_owned(), iss));
    let mut all: Vec<_> = state.into_iter().chain(iss).collect();
    all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    world.faults.answer_lies().iter().for_each(|lie| lie.bend(&mut all));
    delivery::send(asked.mode, &asked.redirect_uri, &all).for_client(&asked.client_id)
}
