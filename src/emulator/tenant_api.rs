//! The way into a tenant's web services: right host, tenant awake, credential good; then REST or
//! SOAP (`superid.md` §6).

use http::{HeaderName, StatusCode, header};
use hyper::body::Incoming;
use serde_json::json;

use super::answer::Answer;
use super::call::{Call, read_body};
use super::credentials::{Presented, Refused};
use super::state::TenantState;
use super::tenancy::Tenancy;
use super::violations::Offence;
use super::world::World;
use super::{tenant_rest, tenant_soap};

/// `/{ctx}/api/…` and `/{ctx}/Remote/…` at the host with this number.
pub(super) async fn answer(world: &World, host: usize, call: &mut Call, body: Incoming) -> Answer {
    let answer = within(world, host, call, body).await;
    with_echoes(call, answer)
}

async fn within(world: &World, host: usize, call: &mut Call, body: Incoming) -> Answer {
    let (ctx, below) = parts(&call.path);
    let presented = Presented::in_headers(call);
    let Some(tenancy) = world.tenancies.find(ctx) else {
        note_astray(world, host, call, presented);
        return not_found();
    };
    if let Some(refusal) = turned_away(world, tenancy, host, call, presented, below) {
        return refusal.for_tenant(tenancy);
    }
    let soap = below.get(..7).is_some_and(|part| part.eq_ignore_ascii_case("/remote"));
    if soap {
        return match read_body(body).await {
            Ok(bytes) => {
                call.body = bytes;
                tenant_soap::answer(world, tenancy, host, call)
            }
            Err(status) => Answer::text(status, "").refused("the body"),
        };
    }
    if below.trim_end_matches('/').eq_ignore_ascii_case("/api") {
        return version(world, tenancy);
    }
    match presented.check(world, ctx) {
        Err(refused) => turned_down(world, host, call, refused),
        Ok(_) if tenancy.situation().denies(below) => {
            error(StatusCode::FORBIDDEN, "The user has no right to this.").refused("denied")
        }
        Ok(pass) => {
            tenancy.count_call();
            let below = below.to_owned();
            let answer = tenant_rest::answer(world, tenancy, call, &below, &pass, body).await;
            answer.for_client(&pass.client_id).for_tenant(tenancy)
        }
    }
}

/// What is said before anybody looks at the credential.
fn turned_away(
    world: &World,
    tenancy: &Tenancy,
    host: usize,
    call: &Call,
    presented: Presented<'_>,
    below: &str,
) -> Option<Answer> {
    let mut at = tenancy.situation();
    if at.home != host {
        let in_good_faith = at.former.contains(&host);
        drop(at);
        if !in_good_faith {
            note_astray(world, host, call, presented);
        }
        return Some(wrong_subdomain());
    }
    match (at.next_planned(), at.state) {
        (Some(status), _) => Some(planned(status)),
        (None, TenantState::Deleted | TenantState::Unknown) => Some(not_found()),
        (None, state) if !state.is_running() && !below.is_empty() => {
            let answer = Answer::text(StatusCode::SERVICE_UNAVAILABLE, "The tenant is offline.");
            Some(answer.refused("offline"))
        }
        _ => None,
    }
}

fn planned(status: u16) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match status {
        StatusCode::MISDIRECTED_REQUEST => wrong_subdomain(),
        StatusCode::UNAUTHORIZED => unauthorized("planned"),
        status if status.is_success() => Answer::json(status, &json!({})).refused("planned"),
        status => error(status, "This answer was asked for.").refused("planned"),
    }
}

/// 401, and a violation where it is one.
pub(super) fn turned_down(world: &World, host: usize, call: &Call, refused: Refused) -> Answer {
    match refused {
        Refused::Credential(why) => unauthorized(why),
        Refused::Violation(offence, of) => {
            world.violated(offence, host, &call.path, of);
            unauthorized("violation")
        }
    }
}

/// An app token or a ticket where no web API of its tenant ever was.
pub(super) fn note_astray(world: &World, host: usize, call: &Call, presented: Presented<'_>) {
    if presented.is_for_web_api() {
        world.violated(Offence::AppTokenAstray, host, &call.path, presented.names());
    }
}

/// The tenant's name, and the path from the slash after it.
fn parts(path: &str) -> (&str, &str) {
    let path = path.trim_start_matches('/');
    path.split_at(path.find('/').unwrap_or(path.len()))
}

/// 421 with the words of SuperOffice (`superid.md` §1).
fn wrong_subdomain() -> Answer {
    let text = "Wrong subdomain used to access tenant";
    Answer::text(StatusCode::MISDIRECTED_REQUEST, text).refused("wrong subdomain")
}

/// The document at the API's root, which asks for no credential; its members are SuperOffice's.
fn version(world: &World, tenancy: &Tenancy) -> Answer {
    let body = json!({
        "v1": format!("{}/api/v1/", tenancy.root(&world.hosts)),
        "NetServerVersion": "10.3.8.1",
        "NetServerAssembly": "10.3.0.0",
        "NetServerDate": "2024-08-30",
        "NetServerLabel": "Emulated",
        "NetServer": "SuperID emulator",
        "Services": "Services87",
        "ServicesCurrent": "Services88",
        "Version": "v1",
    });
    Answer::json(StatusCode::OK, &body)
}

/// 401 with the error body of the web API.
fn unauthorized(why: &'static str) -> Answer {
    let text = "The credential is missing, unknown or expired.";
    error(StatusCode::UNAUTHORIZED, text).with(header::WWW_AUTHENTICATE, "Bearer").refused(why)
}

/// The web API's own form of an error.
pub(super) fn error(status: StatusCode, message: &str) -> Answer {
    let body = json!({
        "Error": true,
        "ErrorType": if status == StatusCode::UNAUTHORIZED { "AuthenticationException" } else { "Exception" },
        "Message": message,
        "ErrorSource": "SuperID emulator",
    });
    Answer::json(status, &body)
}

pub(super) fn not_found() -> Answer {
    Answer::text(StatusCode::NOT_FOUND, "Nothing here.").refused("not found")
}

impl Answer {
    /// The CRM's own cookie, which is nobody's but the CRM's.
    fn for_tenant(self, tenancy: &Tenancy) -> Self {
        let ctx = &tenancy.tenant.ctx;
        self.with(header::SET_COOKIE, &format!("NSCRM={ctx}; Path=/{ctx}; HttpOnly; SameSite=Lax"))
    }
}

/// Says back what came in `SO-*`, `Accept-Language` and `Cookie`, as `Emulator-Saw-…`; never the
/// app token.
fn with_echoes(call: &Call, mut answer: Answer) -> Answer {
    for (name, value) in &call.headers {
        let told = name.as_str();
        let wanted = told.starts_with("so-") || matches!(told, "accept-language" | "cookie");
        if !wanted || told == "so-apptoken" {
            continue;
        }
        if let Ok(name) = HeaderName::try_from(format!("emulator-saw-{told}")) {
            answer.response.headers_mut().append(name, value.clone());
        }
    }
    answer
}
