//! The emulator's own controls under `/emulator/`, for scripts; SuperID has nothing like them.

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::Answer;
use super::apps::App;
use super::call::Call;
use super::faults::Fault;
use super::tenant_api::not_found;
use super::world::World;

/// Routes by method and path.
pub(super) fn answer(world: &World, call: &Call) -> Answer {
    let path = call.path.trim_end_matches('/');
    match (call.method.as_str(), path) {
        ("GET", "/emulator/journal") => ok(&json!({ "entries": world.journal.entries() })),
        ("DELETE", "/emulator/journal") => {
            world.journal.clear();
            ok(&json!({ "entries": [] }))
        }
        ("GET", "/emulator/faults") => ok(&faults(world)),
        ("PUT", "/emulator/faults") => put_faults(world, call),
        ("GET", "/emulator/people") => ok(&json!(world.seed)),
        ("GET", "/emulator/apps") => ok(&json!({ "apps": redacted(world) })),
        ("POST", "/emulator/apps") => post_app(world, call),
        ("POST", "/emulator/keys/rotate") => ok(&json!({ "kid": world.keys.rotate() })),
        _ => not_found(),
    }
}

/// Body of `GET` and `PUT /emulator/faults`.
#[derive(Serialize, Deserialize)]
struct FaultList {
    faults: Vec<Fault>,
}

fn faults(world: &World) -> Value {
    json!(FaultList { faults: world.faults.active() })
}

fn put_faults(world: &World, call: &Call) -> Answer {
    match serde_json::from_slice::<FaultList>(&call.body) {
        Ok(list) => {
            world.faults.clear();
            list.faults.into_iter().for_each(|fault| world.faults.set(fault));
            ok(&faults(world))
        }
        Err(error) => misunderstood(&error),
    }
}

fn post_app(world: &World, call: &Call) -> Answer {
    match serde_json::from_slice::<App>(&call.body) {
        Ok(app) => {
            let id = app.client_id.clone();
            world.apps.register(app);
            ok(&json!({ "client_id": id }))
        }
        Err(error) => misunderstood(&error),
    }
}

fn redacted(world: &World) -> Vec<App> {
    let mut apps = world.apps.all();
    apps.iter_mut().for_each(|app| app.client_secret.clear());
    apps
}

fn misunderstood(error: &serde_json::Error) -> Answer {
    let body = json!({ "error": error.to_string() });
    Answer::json(StatusCode::BAD_REQUEST, &body).refused("not understood")
}

fn ok(body: &Value) -> Answer {
    Answer::json(StatusCode::OK, body).not_stored()
}

/// A control must not be reachable from a foreign page: a browser names the origin of such a
/// request, and the emulator's own pages never call these.
pub(super) fn is_foreign(call: &Call) -> bool {
    call.method != Method::GET && call.headers.contains_key(http::header::ORIGIN)
}
