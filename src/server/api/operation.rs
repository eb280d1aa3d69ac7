//! What can be asked of the API. `docs/admin-api.json` says the same in OpenAPI, and a test holds the two together.

use http::Method;

use crate::session::SessionId;

use super::reply::{Reason, Refusal};

/// One request of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    EndSession(SessionId),
    ListSessions,
    ListTenants,
    Revoke,
    ShowOpenApi,
}

/// One operation as the document has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Declared {
    pub method: &'static str,
    pub path: &'static str,
    /// `operationId` there, and the action in the audit log.
    pub name: &'static str,
}

/// All of them.
pub(super) const DECLARED: [Declared; 5] = [
    Declared { method: "DELETE", path: "/v1/sessions/{id}", name: "end_session" },
    Declared { method: "GET", path: "/v1/sessions", name: "list_sessions" },
    Declared { method: "GET", path: "/v1/tenants", name: "list_tenants" },
    Declared { method: "POST", path: "/v1/revocations", name: "revoke" },
    Declared { method: "GET", path: "/v1/openapi.json", name: "show_openapi" },
];

impl Operation {
    /// What a request asks for.
    ///
    /// # Errors
    /// There is no such address, or not with this method.
    pub(super) fn find(method: &Method, path: &str) -> Result<Self, Refusal> {
        let (found, allow) = match path.strip_prefix("/v1/").unwrap_or_default() {
            "openapi.json" => (Self::ShowOpenApi, "GET"),
            "revocations" => (Self::Revoke, "POST"),
            "sessions" => (Self::ListSessions, "GET"),
            "tenants" => (Self::ListTenants, "GET"),
            other => match other.strip_prefix("sessions/").and_then(SessionId::parse) {
                Some(id) => (Self::EndSession(id), "DELETE"),
                None => return Err(Refusal::new(Reason::NotFound, "there is nothing there")),
            },
        };
        if method.as_str() == allow {
            return Ok(found);
        }
        let message = format!("{method} is not for there; {allow} is");
        Err(Refusal { allow: Some(allow), ..Refusal::new(Reason::MethodNotAllowed, message) })
    }

    /// Its name in [`DECLARED`].
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::EndSession(_) => "end_session",
            Self::ListSessions => "list_sessions",
            Self::ListTenants => "list_tenants",
            Self::Revoke => "revoke",
            Self::ShowOpenApi => "show_openapi",
        }
    }
}
