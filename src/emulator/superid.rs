//! The authorization endpoint: checks the request, then hands over to sign-in.

use super::answer::Answer;
use super::apps::{App, Pkce};
use super::call::Call;
use super::delivery::deliver;
use super::grants::{Callback, Goal, Prompt, Request};
use super::pages;
use super::pkce::Challenge;
use super::response::{Part, Parts, ResponseMode};
use super::sign_in;
use super::world::World;

/// `/login/{common|ctx}/oauth/authorize`.
///
/// Without a known client and a registered redirect address there is nowhere to send an error:
/// the browser stays on a page of SuperID's and the app hears nothing (`superid.md` §2).
pub(super) fn authorize(world: &World, call: &Call) -> Answer {
    let Some(app) = call.param("client_id").and_then(|id| world.apps.find(id)) else {
        return pages::technical_error("unknown client");
    };
    let Some(redirect_uri) = call.param("redirect_uri").filter(|uri| app.allows_redirect(uri))
    else {
        return pages::technical_error("unknown redirect address");
    };
    match callback(&app, call, redirect_uri) {
        Ok(callback) => sign_in::begin(world, call, request(call, &app, callback)),
        Err((error, why)) => {
            let home = returning(call, redirect_uri, Parts::code_alone());
            let fields = [("error", error), ("error_description", why)];
            deliver(&world.faults, &home, &fields).refused(error)
        }
    }
}

/// The tenant from the path, or from `acr_values=tenant:Cust12345`.
fn asked_tenant(call: &Call) -> Option<String> {
    let in_path = call.path.split('/').filter(|part| !part.is_empty()).nth(1);
    let in_path = in_path.filter(|part| !part.eq_ignore_ascii_case("common"));
    let in_acr = || {
        let values = call.param("acr_values")?.split(' ');
        values.filter_map(|value| value.strip_prefix("tenant:")).next()
    };
    in_path.or_else(in_acr).map(str::to_owned)
}

fn request(call: &Call, app: &App, callback: Callback) -> Request {
    let prompt = match call.param("prompt") {
        Some("login" | "select_account") => Prompt::Login,
        Some("none") => Prompt::None,
        _ => Prompt::Whatever,
    };
    Request {
        client_id: app.client_id.clone(),
        tenant: asked_tenant(call),
        login_hint: call.param("login_hint").map(str::to_owned),
        prompt,
        goal: Goal::Callback(callback),
        ending: None,
    }
}

/// The way back to the app before anything else is known to be right.
fn returning(call: &Call, redirect_uri: &str, otherwise: Parts) -> Callback {
    let parts = call.param("response_type").and_then(Parts::parse).unwrap_or(otherwise);
    let mode = match ResponseMode::of(call.param("response_mode"), &parts) {
        // An answer that shows tokens never stands in a query, nor does its error.
        ResponseMode::Query if parts.shows_tokens() => ResponseMode::Fragment,
        mode => mode,
    };
    Callback {
        redirect_uri: redirect_uri.to_owned(),
        state: call.param("state").map(str::to_owned),
        nonce: call.param("nonce").map(str::to_owned),
        challenge: None,
        parts,
        mode,
    }
}

/// The checked request, or the RFC 6749 error code and its description.
fn callback(
    app: &App,
    call: &Call,
    redirect_uri: &str,
) -> Result<Callback, (&'static str, &'static str)> {
    let unknown = ("unsupported_response_type", "it is no set of code, id_token and token");
    let parts = call.param("response_type").and_then(Parts::parse).ok_or(unknown)?;
    if parts.shows_tokens() && call.param("response_mode") == Some("query") {
        return Err(("invalid_request", "tokens do not travel in a query"));
    }
    if parts.has(Part::IdToken) && call.param("nonce").is_none() {
        return Err(("invalid_request", "the nonce is missing"));
    }
    let scopes = call.param("scope").unwrap_or_default();
    if !scopes.split(' ').any(|scope| scope == "openid") {
        return Err(("invalid_scope", "the scope must contain openid"));
    }
    let mut callback = returning(call, redirect_uri, parts);
    if let Some(challenge) = call.param("code_challenge") {
        if app.pkce == Pkce::Refused {
            return Err(("invalid_request", "this registration does not take PKCE"));
        }
        let known = Challenge::new(challenge, call.param("code_challenge_method"));
        callback.challenge = Some(known.ok_or(("invalid_request", "unknown challenge method"))?);
    }
    Ok(callback)
}
