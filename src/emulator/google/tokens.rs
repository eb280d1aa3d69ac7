//! The provider's token endpoint and userinfo (RFC 6749, OpenID Connect Core 3.1.3 and 5.3).

use http::{Method, StatusCode, header};
use serde_json::{Map, Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::grants::{ACCESS_LIFETIME, alphanumeric};
use super::super::world::World;
use super::client::GoogleClient;
use super::client_auth::authenticated;
use super::people;
use super::state::{Code, Grant};

/// Error code and description; 401 for `invalid_client`, else 400.
type Refusal = (&'static str, &'static str);

/// `POST /google/tokens`.
pub(super) fn tokens(world: &World, call: &Call) -> Answer {
    if call.method != Method::POST {
        return Answer::text(StatusCode::METHOD_NOT_ALLOWED, "POST only").refused("method");
    }
    match redeem(world, call) {
        Ok(body) => Answer::json(StatusCode::OK, &body).not_stored(),
        Err(refusal) => refused(refusal),
    }
}

/// `POST /google/revoke` (RFC 7009): 200 also for a token nobody knows, and a client's own alone.
pub(super) fn revoke(world: &World, call: &Call) -> Answer {
    if call.method != Method::POST {
        return Answer::text(StatusCode::METHOD_NOT_ALLOWED, "POST only").refused("method");
    }
    let client = match authenticated(world, call) {
        Ok(client) => client,
        Err(why) => return refused(("invalid_client", why)),
    };
    let Some(token) = call.param("token") else {
        return refused(("invalid_request", "token is missing"));
    };
    for shelf in [&world.google.refresh, &world.google.access] {
        let grant = shelf.get(token, world.now());
        if grant.is_some_and(|grant| grant.client_id == client.client_id) {
            shelf.forget(token);
        }
    }
    Answer::text(StatusCode::OK, "").for_client(&client.client_id).not_stored()
}

pub(super) fn refused((error, description): Refusal) -> Answer {
    let status = match error {
        "invalid_client" => StatusCode::UNAUTHORIZED,
        _ => StatusCode::BAD_REQUEST,
    };
    let body = json!({ "error": error, "error_description": description });
    let answer = Answer::json(status, &body).refused(format!("{error}: {description}"));
    match status {
        StatusCode::UNAUTHORIZED => answer.with(header::WWW_AUTHENTICATE, "Basic realm=\"google\""),
        _ => answer,
    }
    .not_stored()
}

fn redeem(world: &World, call: &Call) -> Result<Value, Refusal> {
    let client = authenticated(world, call).map_err(|why| ("invalid_client", why))?;
    match call.param("grant_type") {
        Some("authorization_code") => redeem_code(world, call, &client),
        Some("refresh_token") => refresh(world, call, &client),
        Some(_) => Err(("unsupported_grant_type", "unknown grant")),
        None => Err(("invalid_request", "grant_type is missing")),
    }
}

/// Spends a code, also when something else about the request is wrong.
fn redeem_code(world: &World, call: &Call, client: &GoogleClient) -> Result<Value, Refusal> {
    let name = call.param("code").ok_or(("invalid_request", "code is missing"))?;
    let code = world.google.codes.take(name, world.now());
    let code = code.ok_or(("invalid_grant", "the code is unknown, spent or expired"))?;
    if code.grant.client_id != client.client_id {
        return Err(("invalid_grant", "the code belongs to another client"));
    }
    if call.param("redirect_uri") != Some(&code.redirect_uri) {
        return Err(("invalid_grant", "redirect_uri differs from the authorization request"));
    }
    check_verifier(call, &code)?;
    let mut body = body(world, &code.grant, code.nonce.as_deref())?;
    if code.offline {
        let token = alphanumeric(64);
        let end = world.now() + 24 * 365 * ACCESS_LIFETIME;
        world.google.refresh.put(&token, code.grant, end);
        body["refresh_token"] = token.into();
    }
    Ok(body)
}

fn check_verifier(call: &Call, code: &Code) -> Result<(), Refusal> {
    match (&code.challenge, call.param("code_verifier")) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(("invalid_grant", "a code_verifier without a code_challenge")),
        (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => Ok(()),
        (Some(_), _) => Err(("invalid_grant", "code_verifier is missing or does not match")),
    }
}

fn refresh(world: &World, call: &Call, client: &GoogleClient) -> Result<Value, Refusal> {
    let token = call.param("refresh_token").ok_or(("invalid_request", "no refresh_token"))?;
    let grant = world.google.refresh.get(token, world.now());
    match grant.filter(|grant| grant.client_id == client.client_id) {
        Some(grant) => body(world, &grant, None),
        None => Err(("invalid_grant", "the refresh token is unknown")),
    }
}

fn body(world: &World, grant: &Grant, nonce: Option<&str>) -> Result<Value, Refusal> {
    let access = access_token(world, grant);
    let at_hash = world.google.settings().algorithm.half_hash(&access);
    let mut more = vec![("at_hash", at_hash)];
    more.extend(nonce.map(|nonce| ("nonce", nonce.to_owned())));
    let id_token = people::id_token(world, grant, &more);
    Ok(json!({
        "access_token": access,
        "expires_in": ACCESS_LIFETIME.as_secs() - 1,
        "scope": grant.scope,
        "token_type": "Bearer",
        "id_token": id_token.ok_or(("invalid_grant", "the account is gone"))?,
    }))
}

/// `ya29.` and letters, as Google's begin.
pub(super) fn access_token(world: &World, grant: &Grant) -> String {
    let token = format!("ya29.{}", alphanumeric(120));
    world.google.access.put(&token, grant.clone(), world.now() + ACCESS_LIFETIME);
    token
}

/// `/google/userinfo`, for a bearer token in the header.
pub(super) fn userinfo(world: &World, call: &Call) -> Answer {
    let bearer = call.header("authorization").and_then(|value| value.split_once(' '));
    let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let grant = bearer.and_then(|(_, token)| world.google.access.get(token, world.now()));
    let Some(grant) = grant else {
        let body = json!({ "error": "invalid_token" });
        let answer = Answer::json(StatusCode::UNAUTHORIZED, &body).refused("invalid_token");
        return answer.with(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"");
    };
    let people = &world.seed.people;
    let other = || people.iter().find(|person| !person.upn.eq_ignore_ascii_case(&grant.upn));
    let person = match world.google.settings().other_userinfo {
        true => other(),
        false => world.seed.person(&grant.upn),
    };
    let claims = person.map(|person| people::about(person, &grant.scope)).unwrap_or_default();
    let claims: Map<String, Value> = claims.into_iter().collect();
    Answer::json(StatusCode::OK, &claims.into()).for_client(&grant.client_id).not_stored()
}
