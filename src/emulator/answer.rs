//! One response on its way out, with the note the journal keeps of it.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use serde_json::Value;

/// What an answer carries: bytes at hand, or a request's own body on its way back.
pub(super) type Body = Either<Full<Bytes>, Incoming>;

pub(super) struct Answer {
    pub(super) response: Response<Body>,
    /// `ok`, or which refusal.
    pub(super) outcome: String,
    /// The app, where the request's own parameters do not tell.
    pub(super) client_id: Option<String>,
}

impl Answer {
    pub(super) fn new(status: StatusCode, content_type: &'static str, body: String) -> Self {
        let mut response = Response::new(Either::Left(Full::new(Bytes::from(body))));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        Self { response, outcome: "ok".into(), client_id: None }
    }

    /// A page nobody stores. It may run the one script it carries, which may ask its own server,
    /// and loads nothing.
    pub(super) fn page(status: StatusCode, html: String) -> Self {
        const POLICY: &str = "default-src 'none'; connect-src 'self'; \
             style-src 'unsafe-inline'; script-src 'unsafe-inline'";
        Self::new(status, "text/html; charset=utf-8", html)
            .with(header::CONTENT_SECURITY_POLICY, POLICY)
            .with(header::REFERRER_POLICY, "no-referrer")
            .not_stored()
    }

    pub(super) fn json(status: StatusCode, body: &Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", body.to_string())
    }

    /// Sends a request's body back as it comes.
    pub(super) fn stream(body: Incoming) -> Self {
        let response = Response::new(Either::Right(body));
        Self { response, outcome: "ok".into(), client_id: None }
    }

    pub(super) fn text(status: StatusCode, body: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body.to_owned())
    }

    /// 302, as SuperID sends. `None` where the address cannot stand in a header.
    pub(super) fn redirect(location: &str) -> Option<Self> {
        let location = HeaderValue::from_str(location).ok()?;
        let mut answer = Self::text(StatusCode::FOUND, "").not_stored();
        answer.response.headers_mut().insert(header::LOCATION, location);
        Some(answer)
    }

    /// Notes a refusal for the journal.
    pub(super) fn refused(mut self, why: impl Into<String>) -> Self {
        self.outcome = why.into();
        self
    }

    pub(super) fn for_client(mut self, client_id: &str) -> Self {
        self.client_id = Some(client_id.to_owned());
        self
    }

    pub(super) fn not_stored(self) -> Self {
        self.with(header::CACHE_CONTROL, "no-store").with(header::PRAGMA, "no-cache")
    }

    /// Puts a header in the place of those of its name.
    pub(super) fn instead(mut self, name: HeaderName, value: &'static str) -> Self {
        self.response.headers_mut().insert(name, HeaderValue::from_static(value));
        self
    }

    /// Adds a header; a value that cannot stand in one is left out.
    pub(super) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.response.headers_mut().append(name, value);
        }
        self
    }
}
