//! One request of the admin API: let in, done, and written into the audit log.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;

use crate::gateway::Site;
use crate::telemetry::{Event, Scene};

use super::gate::Gate;
use super::operation::Operation;
use super::reply::{Done, Reason, Refusal, Reply};
use super::{revocations, sessions, tenants};

/// The API of one process.
#[derive(Debug, Default)]
pub(in crate::server) struct Api {
    gate: Gate,
}

/// Between which addresses a request came.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct Between {
    pub client: SocketAddr,
    pub server: SocketAddr,
}

/// Somebody who was let in.
struct Let {
    /// The name of their credential, once it was a right one.
    user: Option<String>,
    result: Result<Done, Refusal>,
}

impl Api {
    /// Answers; `None` for a body that is too large to be read. Everything but the document of the API
    /// itself is in the audit log.
    pub(in crate::server) async fn answer(
        &self,
        request: &Request<Option<Bytes>>,
        site: &Site,
        between: Between,
    ) -> Reply {
        let found = Operation::find(request.method(), request.uri().path());
        if found == Ok(Operation::ShowOpenApi) {
            return Reply::document(OPENAPI.to_owned());
        }
        let action = found.as_ref().map_or("unknown", Operation::name);
        let request_id = site.random.bytes::<8>().map(|byte| format!("{byte:02x}")).concat();
        let Let { user, result } = self.let_in(found, request, site, between).await;
        let client = between.client.ip().to_canonical().to_string();
        let scene = Scene {
            log: &site.audit,
            request_id: &request_id,
            client: Some(&client),
            server: Some(between.server),
            host: None,
        };
        let user = user.as_deref();
        match &result {
            Ok(Done { detail, .. }) => {
                scene.record(Event::AdminAction { action, user, detail: detail.as_deref() });
            }
            Err(Refusal { reason, message, .. }) => {
                let (reason, detail) = (reason.word(), Some(message.as_str()));
                scene.record(Event::AdminRefused { action, user, reason, detail });
            }
        }
        match result {
            Ok(Done { status, body, .. }) => Reply { status, ..Reply::document(body.to_string()) },
            Err(refusal) => Reply::refused(&refusal),
        }
        .named(request_id)
    }

    async fn let_in(
        &self,
        found: Result<Operation, Refusal>,
        request: &Request<Option<Bytes>>,
        site: &Site,
        between: Between,
    ) -> Let {
        let (tokens, now) = (&site.settings.admin.tokens, site.clock.now());
        let passed = self.gate.pass(tokens, request.headers(), (between.client.ip(), now));
        match passed {
            Err(refusal) => Let { user: None, result: Err(refusal) },
            Ok(name) => {
                let result = match found {
                    Ok(operation) => perform(operation, request, site).await,
                    Err(refusal) => Err(refusal),
                };
                Let { user: Some(format!("token:{name}")), result }
            }
        }
    }
}

async fn perform(
    operation: Operation,
    request: &Request<Option<Bytes>>,
    site: &Site,
) -> Result<Done, Refusal> {
    let query = request.uri().query();
    match operation {
        Operation::EndSession(id) => sessions::end(site, id).await,
        Operation::ListSessions => sessions::list(site, query).await,
        Operation::ListTenants => tenants::list(site, query).await,
        Operation::Revoke => {
            let body = request.body().as_ref().ok_or_else(too_large)?;
            revocations::revoke(site, body).await
        }
        Operation::ShowOpenApi => Err(Refusal::new(Reason::NotFound, "it was shown before")),
    }
}

fn too_large() -> Refusal {
    Refusal::new(Reason::TooLarge, "the document is larger than any that means something")
}

/// The API in OpenAPI 3.1.
const OPENAPI: &str = include_str!("../../../docs/admin-api.json");
