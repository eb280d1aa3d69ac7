//! The authorization endpoint: checks the request, then hands over to sign-in.

use super::answer::Answer;
use super::apps::{App, Pkce};
use super::call::Call;
use super::grants::{Callback, Goal, Prompt, Request, ResponseMode};
use super::pages;
use super::pkce::Challenge;
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
            let home = returning(call, redirect_uri);
            home.deliver(&[("error", error), ("error_description", why)]).refused(error)
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
        goal: Goal::Code(callback),
    }
}

/// The way back to the app before anything else is known to be right.
fn returning(call: &Call, redirect_uri: &str) -> Callback {
    let mode = match call.param("response_mode") {
        Some("form_post") => ResponseMode::FormPost,
        // Unknown values are ignored: an official sample sends `form_data` (`superid.md` §2).
        _ => ResponseMode::Query,
    };
    Callback {
        redirect_uri: redirect_uri.to_owned(),
        state: call.param("state").map(str::to_owned),
        nonce: call.param("nonce").map(str::to_owned),
        challenge: None,
        mode,
    }
}

/// The checked request, or the RFC 6749 error code and its description.
fn callback(
    app: &App,
    call: &Call,
    redirect_uri: &str,
) -> Result<Callback, (&'static str, &'static str)> {
    if call.param("response_type") != Some("code") {
        return Err(("unsupported_response_type", "this emulator answers with a code only"));
    }
    let scopes = call.param("scope").unwrap_or_default();
    if !scopes.split(' ').any(|scope| scope == "openid") {
        return Err(("invalid_scope", "the scope must contain openid"));
    }
    let mut callback = returning(call, redirect_uri);
    if let Some(challenge) = call.param("code_challenge") {
        if app.pkce == Pkce::Refused {
            return Err(("invalid_request", "this registration does not take PKCE"));
        }
        let known = Challenge::new(challenge, call.param("code_challenge_method"));
        callback.challenge = Some(known.ok_or(("invalid_request", "unknown challenge method"))?);
    }
    Ok(callback)
}

impl Callback {
    /// Sends `parameters` to the app, `state` first as SuperID does (`superid.md` §2).
    pub(super) fn deliver(&self, parameters: &[(&str, &str)]) -> Answer {
        let state = self.state.as_deref().map(|state| ("state", state));
        let all: Vec<_> = state.into_iter().chain(parameters.iter().copied()).collect();
        if self.mode == ResponseMode::FormPost {
            return pages::form_post(&self.redirect_uri, &all);
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
        let joint = if self.redirect_uri.contains('?') { '&' } else { '?' };
        let location = format!("{}{joint}{query}", self.redirect_uri);
        let redirected = Answer::redirect(&location);
        redirected.unwrap_or_else(|| pages::technical_error("redirect address not sendable"))
    }
}
