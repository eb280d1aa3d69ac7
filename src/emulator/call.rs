//! One request as the endpoints see it: bounded, with its parameters decoded.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

/// Decoded names and values in the order they came.
type Parameters = Vec<(String, String)>;

pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Parameters,
    pub(super) form: Parameters,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// The most an endpoint reads of a body.
pub(super) const MOST_BODY_BYTES: usize = 64 * 1024;

const BODY_DEADLINE: Duration = Duration::from_secs(10);

impl Call {
    /// Reads the whole request. Fails with 413 for a body over 64 kB, 408 for one that takes
    /// longer than ten seconds, and 400 for one that breaks off.
    pub(super) async fn read(request: Request<Incoming>) -> Result<Self, StatusCode> {
        let (head, body) = request.into_parts();
        let mut call = Self::head(head);
        call.body = read_body(body).await?;
        if is_form(&call.headers) {
            call.form = decoded(&call.body);
        }
        Ok(call)
    }

    /// A request whose body is somebody else's to read.
    pub(super) fn head(head: Parts) -> Self {
        Self {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: decoded(head.uri.query().unwrap_or_default().as_bytes()),
            form: Vec::new(),
            headers: head.headers,
            body: Bytes::new(),
        }
    }

    /// The first value of a parameter; the form goes before the query (`superid.md` §4: SuperID
    /// takes either). An empty value counts as absent.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        let all = self.form.iter().chain(&self.query);
        let mut named = all.filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        named.find(|value| !value.is_empty())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The value of a cookie.
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.headers.get_all(header::COOKIE).into_iter();
        let pairs = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
        pairs
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// User name and password of `Authorization: Basic`, form-decoded as RFC 6749 2.3.1 asks.
    pub(super) fn basic(&self) -> Option<(String, String)> {
        let value = self.header("authorization")?;
        let (scheme, encoded) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (name, password) = text.split_once(':')?;
        Some((form_decoded(name), form_decoded(password)))
    }

    /// The app this request says it is for.
    pub(super) fn client_id(&self) -> Option<String> {
        let named = self.param("client_id").or_else(|| self.param("app_id"));
        named.map(str::to_owned).or_else(|| Some(self.basic()?.0))
    }
}

/// A body of at most 64 kB within ten seconds, or the status that says why not.
pub(super) async fn read_body(body: Incoming) -> Result<Bytes, StatusCode> {
    let whole = Limited::new(body, MOST_BODY_BYTES).collect();
    match tokio::time::timeout(BODY_DEADLINE, whole).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(StatusCode::PAYLOAD_TOO_LARGE)
        }
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

fn decoded(encoded: &[u8]) -> Parameters {
    form_urlencoded::parse(encoded).into_owned().collect()
}

fn form_decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = value.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
