//! An answer of our own: small, complete, cached only where it says so itself.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};

/// Status, headers and body; `Cache-Control` is always among the headers, `no-store` unless
/// [`Reply::kept_for`] says otherwise.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
}

impl Reply {
    /// 303 to an address: after a POST and after a GET alike, the next request is a GET.
    pub fn redirect(location: &str) -> Self {
        let mut reply = Self::empty(StatusCode::SEE_OTHER);
        match HeaderValue::try_from(location) {
            Ok(location) => reply.headers.push((header::LOCATION, location)),
            Err(_) => reply.status = StatusCode::INTERNAL_SERVER_ERROR,
        }
        reply
    }

    /// An HTML page of ours under its content security policy.
    pub fn page(status: StatusCode, html: String, policy: &'static str) -> Self {
        Self::page_under(status, html, HeaderValue::from_static(policy))
    }

    /// The same under a policy made for it.
    pub fn page_under(status: StatusCode, html: String, policy: HeaderValue) -> Self {
        let mut reply = Self::page_in_frames(status, html, policy);
        reply.set(header::X_FRAME_OPTIONS, "DENY");
        reply
    }

    /// The same where the policy says who may frame it: `X-Frame-Options` knows no origins.
    pub fn page_in_frames(status: StatusCode, html: String, policy: HeaderValue) -> Self {
        let mut reply = Self::body(status, "text/html; charset=utf-8", html);
        reply.headers.push((header::CONTENT_SECURITY_POLICY, policy));
        reply
    }

    /// A script.
    pub fn script(text: &'static str) -> Self {
        Self::body(StatusCode::OK, "text/javascript; charset=utf-8", text.to_owned())
    }

    /// A status that says all there is to say.
    pub fn status(status: StatusCode) -> Self {
        Self::empty(status)
    }

    /// JSON text.
    pub fn json(status: StatusCode, text: String) -> Self {
        Self::body(status, "application/json", text)
    }

    /// A line of plain text.
    pub fn text(status: StatusCode, text: &str) -> Self {
        Self::body(status, "text/plain; charset=utf-8", format!("{text}\n"))
    }

    /// With one more header.
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// For anybody to keep for so many seconds, where all others are kept by nobody.
    pub fn kept_for(mut self, seconds: u32) -> Self {
        self.headers.retain(|(name, _)| *name != header::CACHE_CONTROL);
        let value = HeaderValue::try_from(format!("public, max-age={seconds}"));
        self.headers.extend(value.map(|value| (header::CACHE_CONTROL, value)));
        self
    }

    /// With these cookies set.
    pub fn with_cookies(mut self, cookies: impl IntoIterator<Item = HeaderValue>) -> Self {
        self.headers.extend(cookies.into_iter().map(|value| (header::SET_COOKIE, value)));
        self
    }

    /// Adds a header whose value is fixed.
    pub fn set(&mut self, name: HeaderName, value: &'static str) {
        self.headers.push((name, HeaderValue::from_static(value)));
    }

    fn body(status: StatusCode, content_type: &'static str, text: String) -> Self {
        let mut reply = Self::empty(status);
        reply.set(header::CONTENT_TYPE, content_type);
        reply.set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        reply.body = Bytes::from(text);
        reply
    }

    fn empty(status: StatusCode) -> Self {
        let mut reply = Self { status, headers: Vec::with_capacity(8), body: Bytes::new() };
        reply.set(header::CACHE_CONTROL, "no-store");
        reply.set(header::REFERRER_POLICY, "no-referrer");
        reply
    }
}
