//! The controls of tenants, consents, exchanges and notices under `/emulator/`.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use super::mint::Mint;
use super::notice::TenantChange;
use super::state::TenantState;
use super::tenancy::Tenancy;
use super::tenants::{Tenants, Unheard};
use super::world::World;

/// Body of `PUT /emulator/tenants/{ctx}`; what is left out stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    state: Option<TenantState>,
    /// A number of `hosts` in `GET /emulator/tenants`.
    host: Option<usize>,
    valid_for_seconds: Option<u64>,
    denied: Option<Vec<String>>,
    answer_next: Option<Planned>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Planned {
    status: u16,
    times: u64,
}

/// Body of `PUT /emulator/consents`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Consenting {
    client_id: String,
    ctx: String,
    consent: Word,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Denied,
    Given,
    NeedsReapproval,
    Restored,
    Revoked,
}

/// Body of `POST /emulator/notices`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sending {
    ctx: String,
    change: TenantChange,
    /// An `http://` address.
    to: String,
}

/// Every tenant as it is, and every host.
pub(super) fn list(world: &World) -> Answer {
    let tenants: Vec<Value> = world.tenancies.all().map(|tenancy| shown(world, tenancy)).collect();
    ok(&json!({ "hosts": world.hosts, "tenants": tenants }))
}

/// `PUT /emulator/tenants/{ctx}`: all of it, or nothing where a part is not understood.
pub(super) fn put(world: &Arc<World>, ctx: &str, body: &[u8]) -> Answer {
    let change = match serde_json::from_slice::<Change>(body) {
        Ok(change) => change,
        Err(error) => return misunderstood(&error.to_string()),
    };
    let Some(tenancy) = world.tenancies.find(ctx) else {
        return misunderstood(&Unheard.to_string());
    };
    match changed(&Tenants::new(world.clone()), ctx, change) {
        Ok(()) => ok(&shown(world, tenancy)),
        Err(unheard) => misunderstood(&unheard.to_string()),
    }
}

/// `DELETE /emulator/tenants/{ctx}/tickets`.
pub(super) fn kill_tickets(world: &Arc<World>, ctx: &str) -> Answer {
    ok(&json!({ "killed": Tenants::new(world.clone()).kill_tickets(ctx) }))
}

/// `PUT /emulator/consents`.
pub(super) fn consent(world: &Arc<World>, call: &Call) -> Answer {
    let asked = match serde_json::from_slice::<Consenting>(&call.body) {
        Ok(asked) => asked,
        Err(error) => return misunderstood(&error.to_string()),
    };
    let tenants = Tenants::new(world.clone());
    let done = match asked.consent {
        Word::Denied => tenants.deny_consent(&asked.client_id, &asked.ctx),
        Word::NeedsReapproval => tenants.require_reapproval(&asked.client_id, &asked.ctx),
        Word::Given | Word::Restored => tenants.restore_consent(&asked.client_id, &asked.ctx),
        Word::Revoked => tenants.revoke_consent(&asked.client_id, &asked.ctx),
    };
    match done {
        Ok(()) => ok(&json!({
            "client_id": asked.client_id,
            "ctx": asked.ctx,
            "system_token": tenants.system_token(&asked.client_id, &asked.ctx),
        })),
        Err(unheard) => misunderstood(&unheard.to_string()),
    }
}

/// `POST /emulator/notices`: sends one, and says how it was answered.
pub(super) async fn send_notice(world: &Arc<World>, call: &Call) -> Answer {
    let asked = match serde_json::from_slice::<Sending>(&call.body) {
        Ok(asked) => asked,
        Err(error) => return misunderstood(&error.to_string()),
    };
    let Some(notice) = Mint::new(world.clone()).notice(&asked.ctx, asked.change) else {
        return misunderstood(&Unheard.to_string());
    };
    match notice.post(&asked.to).await {
        Ok(status) => ok(&json!({ "status": status.as_u16() })),
        Err(error) => {
            let body = json!({ "error": error.to_string() });
            Answer::json(StatusCode::BAD_GATEWAY, &body).not_stored()
        }
    }
}

fn changed(tenants: &Tenants, ctx: &str, change: Change) -> Result<(), Unheard> {
    // First, because it is the one that can fail.
    if let Some(host) = change.host {
        tenants.move_tenant(ctx, host)?;
    }
    if let Some(state) = change.state {
        tenants.set_state(ctx, state)?;
    }
    if let Some(seconds) = change.valid_for_seconds {
        tenants.set_valid_for(ctx, Duration::from_secs(seconds.min(MOST_SECONDS)))?;
    }
    if let Some(denied) = change.denied {
        let beginnings: Vec<&str> = denied.iter().map(String::as_str).collect();
        tenants.deny(ctx, &beginnings)?;
    }
    match change.answer_next {
        Some(planned) => tenants.answer_next(ctx, planned.status, planned.times),
        None => Ok(()),
    }
}

/// Ten years, so that a date stays one.
const MOST_SECONDS: u64 = 10 * 365 * 86_400;

#[derive(Serialize)]
struct Shown<'a> {
    ctx: &'a str,
    company: &'a str,
    serial: &'a str,
    state: TenantState,
    host: usize,
    root: String,
    valid_for_seconds: u64,
    denied: Vec<String>,
    calls: u64,
}

fn shown(world: &World, tenancy: &Tenancy) -> Value {
    let root = tenancy.root(&world.hosts);
    let at = tenancy.situation();
    json!(Shown {
        ctx: &tenancy.tenant.ctx,
        company: &tenancy.tenant.company,
        serial: &tenancy.tenant.serial,
        state: at.state,
        host: at.home,
        root,
        valid_for_seconds: at.valid_for.as_secs(),
        denied: at.denied.clone(),
        calls: tenancy.calls(),
    })
}

pub(super) fn misunderstood(why: &str) -> Answer {
    let body = json!({ "error": why });
    Answer::json(StatusCode::BAD_REQUEST, &body).refused("not understood")
}

pub(super) fn ok(body: &Value) -> Answer {
    Answer::json(StatusCode::OK, body).not_stored()
}
