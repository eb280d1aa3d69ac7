//! The token endpoint and revocation (`superid.md` §4; RFC 6749 for errors, whose exact codes at
//! SuperID nobody has published).

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::answer::Answer;
use super::apps::App;
use super::call::Call;
use super::claims;
use super::grants::{ACCESS_LIFETIME, Code, Grant};
use super::mint;
use super::world::World;

/// `POST /login/common/oauth/tokens`; parameters in the form or the query.
pub(super) fn tokens(world: &World, call: &Call) -> Answer {
    if call.method != Method::POST {
        return Answer::text(StatusCode::METHOD_NOT_ALLOWED, "POST only").refused("method");
    }
    let answer = match redeem(world, call) {
        Ok(body) => Answer::json(StatusCode::OK, &body),
        Err(refusal) => refusal.answer(),
    };
    answer.not_stored()
}

/// `/login/common/oauth/revoke`: forgets `token`, whatever kind it is, and asks for no client
/// authentication (an official sample sends none). 200 also for a token nobody knows (RFC 7009).
pub(super) fn revoke(world: &World, call: &Call) -> Answer {
    let Some(token) = call.param("token") else {
        return invalid_request("token is missing").answer();
    };
    world.grants.refresh.forget(token);
    world.grants.access.forget(token);
    Answer::text(StatusCode::OK, "").not_stored()
}

/// Why there are no tokens: status, error code and description.
struct Refusal(StatusCode, &'static str, &'static str);

impl Refusal {
    fn answer(self) -> Answer {
        let Self(status, error, description) = self;
        let body = json!({ "error": error, "error_description": description });
        let answer = Answer::json(status, &body).refused(format!("{error}: {description}"));
        match status {
            StatusCode::UNAUTHORIZED => {
                answer.with(http::header::WWW_AUTHENTICATE, "Basic realm=\"SuperID\"")
            }
            _ => answer,
        }
    }
}

fn invalid_request(why: &'static str) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, "invalid_request", why)
}

fn invalid_grant(why: &'static str) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, "invalid_grant", why)
}

fn redeem(world: &World, call: &Call) -> Result<Value, Refusal> {
    let grant_type = call.param("grant_type").ok_or(invalid_request("grant_type is missing"))?;
    let app = authenticated(world, call)?;
    match grant_type {
        "authorization_code" => redeem_code(world, call, &app),
        "refresh_token" => refresh(world, call, &app),
        _ => Err(Refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type", "unknown grant")),
    }
}

/// The client, by `client_secret_basic` or `client_secret_post`.
fn authenticated(world: &World, call: &Call) -> Result<App, Refusal> {
    let posted = || {
        let secret = call.param("client_secret").unwrap_or_default();
        Some((call.param("client_id")?.to_owned(), secret.to_owned()))
    };
    let refusal = |why| Refusal(StatusCode::UNAUTHORIZED, "invalid_client", why);
    let (id, secret) = call.basic().or_else(posted).ok_or(refusal("client_id is missing"))?;
    let app = world.apps.find(&id).ok_or(refusal("unknown client"))?;
    match app.client_secret == secret {
        true => Ok(app),
        false => Err(refusal("wrong secret")),
    }
}

/// Spends a code, also when something else about the request is wrong.
fn redeem_code(world: &World, call: &Call, app: &App) -> Result<Value, Refusal> {
    let name = call.param("code").ok_or(invalid_request("code is missing"))?;
    let spent = world.grants.codes.take(name, world.now());
    let code = spent.ok_or(invalid_grant("the code is unknown, spent or expired"))?;
    if code.grant.client_id != app.client_id {
        return Err(invalid_grant("the code belongs to another client"));
    }
    if call.param("redirect_uri") != Some(&code.redirect_uri) {
        return Err(invalid_grant("redirect_uri differs from the authorization request"));
    }
    check_verifier(call, app, &code)?;
    let mut body = answer_body(world, app, &code.grant, code.nonce.as_deref())?;
    body["refresh_token"] = world.grants.refresh_token(&code.grant, world.now()).into();
    Ok(body)
}

fn check_verifier(call: &Call, app: &App, code: &Code) -> Result<(), Refusal> {
    match (&code.challenge, call.param("code_verifier")) {
        (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => Ok(()),
        (Some(_), Some(_)) => Err(invalid_grant("code_verifier does not match")),
        (Some(_), None) => Err(invalid_grant("code_verifier is missing")),
        (None, _) if app.client_secret.is_empty() => {
            Err(invalid_grant("a client without a secret must use PKCE"))
        }
        (None, _) => Ok(()),
    }
}

/// The answer has no `refresh_token`: the old one stays good (`superid.md` §4), unless they are to be
/// good once.
fn refresh(world: &World, call: &Call, app: &App) -> Result<Value, Refusal> {
    let token = call.param("refresh_token").ok_or(invalid_request("refresh_token is missing"))?;
    let once = world.faults.refresh_tokens_are_good_once();
    let known = match once {
        true => world.grants.spend_refresh(token, world.now()),
        false => world.grants.refresh.get(token, world.now()),
    };
    let grant = known.ok_or(invalid_grant("the refresh token is unknown, spent or revoked"))?;
    if grant.client_id != app.client_id {
        return Err(invalid_grant("the refresh token belongs to another client"));
    }
    let mut body = answer_body(world, app, &grant, None)?;
    if once {
        body["refresh_token"] = world.grants.refresh_token(&grant, world.now()).into();
    }
    Ok(body)
}

fn answer_body(
    world: &World,
    app: &App,
    grant: &Grant,
    nonce: Option<&str>,
) -> Result<Value, Refusal> {
    let seat = world.seat(&grant.upn, &grant.ctx);
    let seat = seat.ok_or(invalid_grant("the account is gone"))?;
    let nonce: Vec<_> = nonce.into_iter().map(|nonce| ("nonce", nonce)).collect();
    let id_token = mint::draft(world, claims::id_token(world, app, seat, &nonce)).sign();
    let lifetime = world.faults.access_lifetime().unwrap_or(ACCESS_LIFETIME);
    Ok(json!({
        "token_type": "Bearer",
        "access_token": world.grants.access_token(grant, world.now() + lifetime),
        "expires_in": lifetime.as_secs(),
        "id_token": id_token,
    }))
}
