//! The old sign-in: a form post with a token in it, no state and no nonce (`superid.md` §3).

use super::answer::Answer;
use super::apps::App;
use super::call::Call;
use super::claims;
use super::grants::{Goal, Grant, Prompt, Request};
use super::mint;
use super::pages;
use super::sign_in;
use super::world::{Seat, World};

/// `/login/?app_id=…`, with `redirect_url` or `redirect_uri` and `ctx` where wanted: the documents
/// have the first name, the official helper sends the second.
pub(super) fn login(world: &World, call: &Call) -> Answer {
    let Some(app) = call.param("app_id").and_then(|id| world.apps.find(id)) else {
        return pages::technical_error("unknown client");
    };
    let request = Request {
        client_id: app.client_id.clone(),
        tenant: call.param("ctx").map(str::to_owned),
        login_hint: None,
        prompt: Prompt::Whatever,
        goal: Goal::Form { target: target(call, &app) },
    };
    sign_in::begin(world, call, request)
}

/// Posts the token to the app; with an unknown return address the person lands in their own CRM
/// instead (`superid.md` §2).
pub(super) fn send(world: &World, grant: &Grant, seat: Seat<'_>, target: Option<&str>) -> Answer {
    let Some((target, app)) = target.zip(world.apps.find(&grant.client_id)) else {
        let crm = format!("{}/{}/CRM", world.base, seat.tenant.ctx);
        let sent = Answer::redirect(&crm);
        let sent = sent.unwrap_or_else(|| pages::technical_error("no way to the CRM"));
        return sent.refused("unknown return address");
    };
    let token = mint::draft(world, claims::legacy(world, &app, seat)).sign();
    pages::form_post(target, &[("jwt", &token)])
}

fn target(call: &Call, app: &App) -> Option<String> {
    match call.param("redirect_url").or_else(|| call.param("redirect_uri")) {
        Some(asked) => {
            let registered =
                app.allows_redirect(asked) || app.legacy_redirect.as_deref() == Some(asked);
            registered.then(|| asked.to_owned())
        }
        None => app.default_legacy_redirect(),
    }
}
