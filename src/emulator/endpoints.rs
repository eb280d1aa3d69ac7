//! From a request to the endpoint that answers it, with faults and the journal on the way.

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use super::answer::{Answer, Body};
use super::call::Call;
use super::credentials::Presented;
use super::faults::Interference;
use super::journal::{Entry, Kind, masked};
use super::listener::{Handler, Hangup};
use super::world::World;
use super::{
    consent, control, discovery, entra, google, legacy, logout, pages, sign_in, superid,
    system_user_rest, system_user_soap, tenant_api, tenant_state, tokens,
};

/// One of the emulator's hosts. The first is SuperID and may be a tenants' host as well; the
/// others have tenants alone.
pub(super) struct Endpoints {
    pub(super) world: Arc<World>,
    pub(super) host: usize,
}

impl Handler for Endpoints {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Hangup> {
        let world = &self.world;
        let kind = Kind::of(request.uri().path());
        // Noted before a slow answer leaves, so that a test sees what is still under way.
        let answer = match kind {
            Kind::WebApi => self.web_api(request).await,
            _ => match Call::read(request).await {
                Ok(call) => {
                    world.faults.stall(kind).await;
                    self.superid(kind, &call).await
                }
                Err(status) => Some(Answer::text(status, "")),
            },
        };
        world.faults.wait(kind).await;
        answer.map(|answer| answer.response).ok_or(Hangup)
    }
}

impl Endpoints {
    /// The body is the endpoint's to read, or to send back.
    async fn web_api(&self, request: Request<Incoming>) -> Option<Answer> {
        let world = &*self.world;
        let (head, body) = request.into_parts();
        let mut call = Call::head(head);
        let answer = match world.faults.interference(Kind::WebApi) {
            None => Some(tenant_api::answer(world, self.host, &mut call, body).await),
            Some(interference) => disturbed(&interference),
        };
        record(world, Kind::WebApi, &call, answer.as_ref());
        answer
    }

    async fn superid(&self, kind: Kind, call: &Call) -> Option<Answer> {
        let world = &self.world;
        if kind != Kind::Control {
            tenant_api::note_astray(world, self.host, call, Presented::in_headers(call));
        }
        let answer = match world.faults.interference(kind) {
            None if kind == Kind::Control && self.host == 0 => {
                Some(control::answer(world, call).await)
            }
            None => Some(route(world, self.host, kind, call)),
            Some(interference) => disturbed(&interference),
        };
        record(world, kind, call, answer.as_ref());
        answer
    }
}

/// One line for each endpoint.
fn route(world: &World, host: usize, kind: Kind, call: &Call) -> Answer {
    let reads = call.method == Method::GET || call.method == Method::HEAD;
    let posts = call.method == Method::POST;
    match kind {
        Kind::Crm => pages::crm(world, call),
        _ if host != 0 => tenant_api::not_found(),
        Kind::Tokens => tokens::tokens(world, call),
        _ if !reads && !posts => Answer::text(StatusCode::METHOD_NOT_ALLOWED, "").refused("method"),
        Kind::EntraMetadata | Kind::EntraSignIn | Kind::EntraWsfed => {
            entra::answer(world, kind, call)
        }
        kind if kind.is_googles() => google::answer(world, kind, call),
        Kind::Authorize => superid::authorize(world, call),
        Kind::Consent => consent::submit(world, call),
        Kind::Discovery => discovery::metadata(world),
        Kind::Home => pages::home(world),
        Kind::Jwks => discovery::jwks(world),
        Kind::Legacy => legacy::login(world, call),
        Kind::Logout => logout::logout(world, call),
        Kind::Revoke => tokens::revoke(world, call),
        Kind::SignIn => sign_in::submit(world, call),
        Kind::SystemUser => system_user(world, call),
        Kind::TenantState => tenant_state::answer(world, call),
        _ => tenant_api::not_found(),
    }
}

/// By its path: the REST address, or the SOAP one with its contract.
fn system_user(world: &World, call: &Call) -> Answer {
    let soap = call.path.trim_end_matches('/').to_ascii_lowercase().ends_with(".svc");
    match (soap, call.method == Method::POST) {
        (true, true) => system_user_soap::answer(world, call),
        (true, false) => system_user_soap::contract(world, call),
        (false, _) => system_user_rest::answer(world, call),
    }
}

/// What a fault makes of a request; `None` closes the connection.
fn disturbed(interference: &Interference) -> Option<Answer> {
    const GARBAGE: &str = "{\"keys\": [{\"kty\": \u{fffd}<html>";
    let answer = match interference {
        Interference::Drop => return None,
        Interference::Garbage => {
            Answer::new(StatusCode::OK, "application/json; charset=utf-8", GARBAGE.into())
        }
        Interference::Status(code) => {
            let status = StatusCode::from_u16(*code);
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Answer::text(status, "A fault was asked for.")
        }
    };
    Some(answer.refused("fault"))
}

fn record(world: &World, kind: Kind, call: &Call, answer: Option<&Answer>) {
    if kind == Kind::Control {
        return;
    }
    world.journal.note(kind, || entry(world, kind, call, answer));
}

fn entry(world: &World, kind: Kind, call: &Call, answer: Option<&Answer>) -> Entry {
    let outcome = answer.map_or_else(|| "fault".into(), |answer| answer.outcome.clone());
    let named = answer.and_then(|answer| answer.client_id.clone());
    let parameters = call.query.iter().chain(&call.form);
    let parameters = parameters.take(50).map(|(name, value)| (name.clone(), masked(name, value)));
    Entry {
        when: world.now(),
        method: call.method.to_string(),
        path: call.path.clone(),
        kind,
        client_id: named.or_else(|| call.client_id()),
        outcome,
        parameters: parameters.collect(),
    }
}
