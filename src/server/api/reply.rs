//! What the API says back: a document, or why not.

use http::StatusCode;
use serde_json::{Value, json};

use crate::session::NotSpread;

/// An answer, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct Reply {
    pub status: StatusCode,
    pub body: String,
    /// Seconds after which asking again makes sense.
    pub retry_after: Option<u64>,
    /// The request's name, as in the audit log.
    pub request_id: Option<String>,
    /// The methods that may be asked there, where another was.
    pub allow: Option<&'static str>,
}

/// What was done: the document, and words about it for the audit log.
#[derive(Debug)]
pub(super) struct Done {
    pub status: StatusCode,
    pub body: Value,
    pub detail: Option<String>,
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub reason: Reason,
    /// A sentence for whoever asked, and for the audit log.
    pub message: String,
    pub retry_after: Option<u64>,
    pub allow: Option<&'static str>,
}

/// One of a fixed set: the document's `error`, and `reason` in the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    AdminApiOff,
    BadRequest,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    NotListed,
    StoreUnavailable,
    TooLarge,
    TooManyFailures,
}

impl Reply {
    pub(in crate::server) fn document(body: String) -> Self {
        let status = StatusCode::OK;
        Self { status, body, retry_after: None, request_id: None, allow: None }
    }

    pub(super) fn refused(refusal: &Refusal) -> Self {
        let body = json!({ "error": refusal.reason.word(), "message": refusal.message });
        Self {
            status: refusal.reason.status(),
            retry_after: refusal.retry_after,
            allow: refusal.allow,
            ..Self::document(body.to_string())
        }
    }

    pub(super) fn named(self, request_id: String) -> Self {
        Self { request_id: Some(request_id), ..self }
    }
}

impl Done {
    pub(super) fn of(body: Value, detail: Option<String>) -> Self {
        Self { status: StatusCode::OK, body, detail }
    }

    /// Something was revoked; whether others know already. Here it holds either way, so it is done.
    pub(super) fn spread(self, spread: Result<(), NotSpread>) -> Self {
        let Self { status, mut body, mut detail } = self;
        body["everywhere"] = spread.is_ok().into();
        let Err(failed) = spread else { return Self { status, body, detail } };
        body["message"] = format!("it holds here, and is told on later: {failed}").into();
        let said = detail.unwrap_or_default();
        detail = Some(format!("{said}; told on later: {failed}"));
        Self { status: StatusCode::ACCEPTED, body, detail }
    }
}

impl Refusal {
    pub(super) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), retry_after: None, allow: None }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Reason::BadRequest, message)
    }

    /// A store did not answer; it may soon.
    pub(super) fn unavailable(what: &str, failed: &dyn std::fmt::Display) -> Self {
        let refusal = Self::new(Reason::StoreUnavailable, format!("{what}: {failed}"));
        Self { retry_after: Some(SOON), ..refusal }
    }
}

impl Reason {
    #[cfg(test)]
    pub(super) const ALL: [Self; 9] = [
        Self::AdminApiOff,
        Self::BadRequest,
        Self::MethodNotAllowed,
        Self::NotAuthenticated,
        Self::NotFound,
        Self::NotListed,
        Self::StoreUnavailable,
        Self::TooLarge,
        Self::TooManyFailures,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::AdminApiOff => "admin_api_off",
            Self::BadRequest => "bad_request",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NotAuthenticated => "not_authenticated",
            Self::NotFound => "not_found",
            Self::NotListed => "not_listed",
            Self::StoreUnavailable => "store_unavailable",
            Self::TooLarge => "too_large",
            Self::TooManyFailures => "too_many_failures",
        }
    }

    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::AdminApiOff | Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAuthenticated => StatusCode::UNAUTHORIZED,
            Self::NotListed => StatusCode::CONFLICT,
            Self::StoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyFailures => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

const SOON: u64 = 5;
