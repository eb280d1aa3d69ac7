//! The emulator's own controls under `/emulator/`, for scripts; SuperID has nothing like them.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::Answer;
use super::apps::App;
use super::call::Call;
use super::faults::Fault;
use super::journal::Detail;
use super::tenant_api::not_found;
use super::tenant_control::{self, misunderstood, ok};
use super::world::World;
use super::{entra, google};

/// Routes by method and path.
pub(super) async fn answer(world: &Arc<World>, call: &Call) -> Answer {
    if is_foreign(call) {
        return Answer::text(StatusCode::FORBIDDEN, "");
    }
    let path = call.path.trim_end_matches('/');
    let segments: Vec<&str> = path.split('/').skip(2).collect();
    match (call.method.as_str(), &segments[..]) {
        ("GET", ["apps"]) => ok(&json!({ "apps": redacted(world) })),
        ("POST", ["apps"]) => post_app(world, call),
        ("PUT", ["consents"]) => tenant_control::consent(world, call),
        ("GET" | "POST", ["entra", "realms"]) => told(entra::control(world, call)),
        ("GET" | "PUT", ["google"]) => told(google::control_settings(world, call)),
        ("GET" | "POST", ["google", "clients"]) => told(google::control(world, call)),
        ("GET", ["counts"]) => ok(&counts(world)),
        ("GET", ["exchanges"]) => ok(&json!({ "exchanges": world.exchanges.all() })),
        ("DELETE", ["exchanges"]) => {
            world.exchanges.clear();
            ok(&json!({ "exchanges": [] }))
        }
        ("GET", ["faults"]) => ok(&faults(world)),
        ("PUT", ["faults"]) => put_faults(world, call),
        ("GET", ["journal"]) => ok(&journal(world)),
        ("PUT", ["journal"]) => put_journal(world, call),
        ("DELETE", ["journal"]) => {
            world.journal.clear();
            ok(&json!({ "entries": [] }))
        }
        ("POST", ["keys", "rotate"]) => ok(&json!({ "kid": world.keys.rotate() })),
        ("POST", ["notices"]) => tenant_control::send_notice(world, call).await,
        ("GET", ["people"]) => ok(&json!(world.seed)),
        ("GET", ["tenants"]) => tenant_control::list(world),
        ("PUT", ["tenants", ctx]) => tenant_control::put(world, ctx, &call.body),
        ("DELETE", ["tenants", ctx, "tickets"]) => tenant_control::kill_tickets(world, ctx),
        ("GET", ["violations"]) => ok(&violations(world)),
        ("DELETE", ["violations"]) => {
            world.violations.clear();
            ok(&violations(world))
        }
        _ => not_found(),
    }
}

fn told(result: Result<Value, String>) -> Answer {
    match result {
        Ok(body) => ok(&body),
        Err(why) => misunderstood(&why),
    }
}

/// Body of `GET` and `PUT /emulator/faults`.
#[derive(Serialize, Deserialize)]
struct FaultList {
    faults: Vec<Fault>,
}

/// Body of `PUT /emulator/journal`.
#[derive(Deserialize)]
struct Keeping {
    detail: Detail,
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
        Err(error) => misunderstood(&error.to_string()),
    }
}

fn journal(world: &World) -> Value {
    json!({ "detail": world.journal.detail(), "entries": world.journal.entries() })
}

fn put_journal(world: &World, call: &Call) -> Answer {
    match serde_json::from_slice::<Keeping>(&call.body) {
        Ok(keeping) => {
            world.journal.keep(keeping.detail);
            ok(&json!({ "detail": keeping.detail }))
        }
        Err(error) => misunderstood(&error.to_string()),
    }
}

/// Requests of each kind, calls with a good credential, and violations.
fn counts(world: &World) -> Value {
    let kinds = world.journal.counts().into_iter();
    let requests: BTreeMap<String, usize> = kinds
        .map(|(kind, count)| (json!(kind).as_str().unwrap_or_default().to_owned(), count))
        .collect();
    let calls: u64 = world.tenancies.all().map(|tenancy| tenancy.calls()).sum();
    json!({ "requests": requests, "calls": calls, "violations": world.violations.count() })
}

fn violations(world: &World) -> Value {
    json!({ "count": world.violations.count(), "latest": world.violations.latest() })
}

fn post_app(world: &World, call: &Call) -> Answer {
    match serde_json::from_slice::<App>(&call.body) {
        Ok(app) => {
            let id = app.client_id.clone();
            world.apps.register(app);
            ok(&json!({ "client_id": id }))
        }
        Err(error) => misunderstood(&error.to_string()),
    }
}

fn redacted(world: &World) -> Vec<App> {
    let mut apps = world.apps.all();
    apps.iter_mut().for_each(|app| app.client_secret.clear());
    apps
}

/// A control must not be reachable from a foreign page: a browser names the origin of such a
/// request, and the emulator's own pages never call these.
fn is_foreign(call: &Call) -> bool {
    call.method != Method::GET && call.headers.contains_key(http::header::ORIGIN)
}
