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

    /// `operationId` in the document, and the action in the audit log.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::reply::Reason;
    use super::*;

    const DOCUMENT: &str = include_str!("../../../docs/admin-api.json");
    const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

    fn document() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    #[test]
    fn what_the_document_tells_of_is_there_and_what_is_there_it_tells_of() {
        let mut told = BTreeSet::new();
        for (path, item) in document()["paths"].as_object().unwrap() {
            let asked = path.replace("{id}", &SessionId([7; 16]).to_string());
            for method in METHODS {
                let spelled = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let found = Operation::find(&spelled, &asked);
                match item.get(method) {
                    Some(operation) => {
                        let name = found.unwrap().name();
                        assert_eq!(operation["operationId"], name, "{method} {path}");
                        told.insert(name);
                    }
                    None => assert_eq!(
                        found.unwrap_err().reason,
                        Reason::MethodNotAllowed,
                        "{method} {path}"
                    ),
                }
            }
        }
        let every = [
            Operation::EndSession(SessionId([0; 16])),
            Operation::ListSessions,
            Operation::ListTenants,
            Operation::Revoke,
            Operation::ShowOpenApi,
        ];
        assert_eq!(told, every.iter().map(Operation::name).collect());
        for odd in ["/v1/", "/v1/sessions/", "/v1/sessions/x", "/v2/sessions", "/v1/sessions/a/b"] {
            assert_eq!(Operation::find(&Method::GET, odd).unwrap_err().reason, Reason::NotFound);
        }
    }

    #[test]
    fn the_document_has_every_reason_with_its_status() {
        let document = document();
        let listed = &document["components"]["schemas"]["Problem"]["properties"]["error"]["enum"];
        let words: Vec<&str> = Reason::ALL.iter().map(|reason| reason.word()).collect();
        assert_eq!(*listed, serde_json::json!(words));
        let responses = document["components"]["responses"].as_object().unwrap();
        let told: BTreeSet<&str> = responses.keys().map(String::as_str).collect();
        let ours = Reason::ALL.map(|reason| reason.status().as_str().to_owned());
        let ours: BTreeSet<&str> = ours.iter().map(String::as_str).collect();
        assert_eq!(told, ours);
    }
}
