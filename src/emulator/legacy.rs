//! The old sign-in: a form post with a token in it, no state and no nonce (`superid.md` §3).

use super::answer::Answer;
use super::apps::App;
use super::call::Call;
use super::grants::{Goal, Prompt, Request};
use super::pages;
use super::sign_in;
use super::world::World;

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
        ending: None,
    };
    sign_in::begin(world, call, request)
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
