//! Calls of ours to others: bounded in time, size and number, and followed nowhere else.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Semaphore;
use url::Url;

use crate::crypto::{Authorities, ClientIdentity, ClientTls};

/// The one HTTP client of the gateway: calls to SuperID, and what apps are told.
pub struct BackChannel {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    roots: Result<(), Arc<io::Error>>,
    calls: Semaphore,
    timeout: Duration,
}

/// Whether the certificates this machine trusts are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// No address is https: loopback, as in the demo.
    Plain,
    Tls,
}

/// What is sent, and with it what is understood in return.
enum Payload {
    Form(String),
    Json(String),
    Nothing,
    /// JSON with headers that vouch for it.
    Signed(String, HeaderMap),
    /// An envelope, and the action its `SOAPAction` names (SOAP 1.1 §6.1.1).
    Soap(String, &'static str),
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

/// Why a call brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallFailed {
    /// The answer is compressed, though we asked for it plain.
    #[error("the answer is in an encoding that was not asked for")]
    Encoded,
    /// The connection broke before the answer was whole.
    #[error("the answer was cut off")]
    Interrupted(#[source] Box<dyn StdError + Send + Sync>),
    /// This machine has no certificates to trust.
    #[error("the root certificates of this machine could not be read")]
    NoRoots(#[source] Arc<io::Error>),
    /// Nothing came back in time.
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The answer is over 64 kB.
    #[error("the answer is larger than 64 kB")]
    TooLarge,
    /// The address is not one to call.
    #[error("the address cannot be called")]
    Unaddressable(#[source] http::Error),
    /// No connection, no handshake, or no HTTP.
    #[error("no connection, or nothing that speaks HTTP at its end")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
}

impl BackChannel {
    /// A client whose calls take `timeout` at most, each from first to last byte.
    pub fn new(timeout: Duration, transport: Transport) -> Self {
        let (tls, roots) = trust(transport);
        Self::over(timeout, tls, roots)
    }

    fn over(timeout: Duration, mut tls: ClientConfig, roots: Result<(), Arc<io::Error>>) -> Self {
        // The connector sets its own.
        tls.alpn_protocols.clear();
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        // Callers sit on several single-threaded runtimes, and a connection's task dies with the
        // runtime that opened it. So nothing is pooled: each call opens its own connection, on
        // its caller's runtime. There are few: one for a sign-in, one an hour for the keys.
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .http1_max_buf_size(MOST_HEADER)
            .build(connector.build());
        Self { client, roots, calls: Semaphore::new(MOST_CALLS), timeout }
    }

    /// The same, where certificates are believed under these authorities alone.
    pub fn believing(timeout: Duration, authorities: &Authorities) -> Self {
        Self::showing(timeout, authorities, None)
    }

    /// The same, with a certificate that is shown to servers that ask for one.
    pub fn showing(
        timeout: Duration,
        authorities: &Authorities,
        identity: Option<&ClientIdentity>,
    ) -> Self {
        let terms = ClientTls::new(authorities, identity, b"http/1.1").config();
        let mut terms = ClientConfig::clone(&terms);
        // The connector below names its protocols itself.
        terms.alpn_protocols.clear();
        Self::over(timeout, terms, Ok(()))
    }

    /// One of the same settings with places of its own, so that its callers and ours do not wait for
    /// each other.
    pub fn beside(&self) -> Self {
        let (client, roots) = (self.client.clone(), self.roots.clone());
        Self { client, roots, calls: Semaphore::new(MOST_CALLS), timeout: self.timeout }
    }

    /// Fetches a document.
    pub async fn get(&self, url: &Url) -> Result<Answer, CallFailed> {
        self.call(url, Payload::Nothing).await
    }

    /// Posts a form.
    pub async fn post(&self, url: &Url, form: String) -> Result<Answer, CallFailed> {
        self.call(url, Payload::Form(form)).await
    }

    /// Posts a JSON document.
    pub async fn post_json(&self, url: &Url, json: String) -> Result<Answer, CallFailed> {
        self.call(url, Payload::Json(json)).await
    }

    /// Posts a SOAP 1.1 envelope for an action, which is written without its quotes here.
    pub async fn post_soap(
        &self,
        url: &Url,
        envelope: String,
        action: &'static str,
    ) -> Result<Answer, CallFailed> {
        self.call(url, Payload::Soap(envelope, action)).await
    }

    /// Posts a JSON document with headers that vouch for it, and tells how it was answered. The
    /// answer's body is not read.
    ///
    /// # Errors
    /// [`CallFailed`]: nobody knows whether it arrived.
    pub async fn post_signed(
        &self,
        url: &Url,
        json: String,
        vouching: HeaderMap,
    ) -> Result<Response<()>, CallFailed> {
        let request = self.request(url, Payload::Signed(json, vouching))?;
        self.in_time(async { Ok(self.begin(request).await?.map(drop)) }).await
    }

    /// Sends what somebody else has put together, and gives its answer with its headers.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, CallFailed> {
        self.refuse_without_roots(request.uri().scheme_str())?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        self.in_time(async {
            let (head, body) = self.begin(request.map(Full::new)).await?.into_parts();
            let body = whole(&head.headers, body).await?;
            Ok(Response::from_parts(head, body))
        })
        .await
    }

    async fn call(&self, url: &Url, payload: Payload) -> Result<Answer, CallFailed> {
        let request = self.request(url, payload)?;
        self.in_time(self.exchange(request)).await
    }

    fn request(&self, url: &Url, payload: Payload) -> Result<Request<Full<Bytes>>, CallFailed> {
        self.refuse_without_roots(Some(url.scheme()))?;
        let (method, headers, body) = payload.taken_apart().map_err(CallFailed::Unaddressable)?;
        let mut request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .body(Full::new(body))
            .map_err(CallFailed::Unaddressable)?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    fn refuse_without_roots(&self, scheme: Option<&str>) -> Result<(), CallFailed> {
        match (scheme, &self.roots) {
            (Some("https"), Err(missing)) => Err(CallFailed::NoRoots(missing.clone())),
            _ => Ok(()),
        }
    }

    async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, CallFailed>>,
    ) -> Result<T, CallFailed> {
        let turn = async {
            let _turn = self.calls.acquire().await.expect("the semaphore is never closed");
            call.await
        };
        match tokio::time::timeout(self.timeout, turn).await {
            Ok(answered) => answered,
            Err(_elapsed) => Err(CallFailed::TimedOut(self.timeout)),
        }
    }

    async fn begin(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, CallFailed> {
        self.client.request(request).await.map_err(CallFailed::Unreachable)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, CallFailed> {
        let answer = self.begin(request).await?;
        let (head, body) = answer.into_parts();
        Ok(Answer { status: head.status, body: whole(&head.headers, body).await? })
    }
}

async fn whole(headers: &HeaderMap, body: Incoming) -> Result<Bytes, CallFailed> {
    let encoding = headers.get(CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(CallFailed::Encoded);
    }
    let body = Limited::new(body, LARGEST).collect().await.map_err(|cause| {
        if cause.is::<LengthLimitError>() {
            CallFailed::TooLarge
        } else {
            CallFailed::Interrupted(cause)
        }
    })?;
    Ok(body.to_bytes())
}

impl Payload {
    fn taken_apart(self) -> Result<(Method, HeaderMap, Bytes), http::Error> {
        let fixed = HeaderValue::from_static;
        let mut headers = HeaderMap::from_iter([
            (ACCEPT, fixed("application/json")),
            (ACCEPT_ENCODING, fixed("identity")),
            (USER_AGENT, fixed(AGENT)),
        ]);
        let (kind, body) = match self {
            Self::Nothing => return Ok((Method::GET, headers, Bytes::new())),
            Self::Form(form) => ("application/x-www-form-urlencoded", form),
            Self::Json(json) => ("application/json", json),
            Self::Signed(json, vouching) => {
                headers.extend(vouching);
                ("application/json", json)
            }
            Self::Soap(envelope, action) => {
                headers.insert(ACCEPT, fixed("text/xml"));
                headers.insert(SOAP_ACTION, HeaderValue::try_from(format!("\"{action}\""))?);
                ("text/xml; charset=utf-8", envelope)
            }
        };
        headers.insert(CONTENT_TYPE, fixed(kind));
        Ok((Method::POST, headers, body.into()))
    }
}

/// Whom TLS trusts: the machine's own roots, read only where they are needed, under aws-lc named
/// here, so that nothing depends on what else the process has installed. Without roots, nobody
/// is trusted and the reason is kept.
fn trust(transport: Transport) -> (ClientConfig, Result<(), Arc<io::Error>>) {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = || {
        ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("aws-lc speaks TLS 1.2 and 1.3")
    };
    let loaded = match transport {
        Transport::Plain => Err(io::Error::other("no address is https")),
        Transport::Tls => builder().with_native_roots(),
    };
    match loaded {
        Ok(rooted) => (rooted.with_no_client_auth(), Ok(())),
        Err(missing) => {
            let nobody = builder().with_root_certificates(RootCertStore::empty());
            (nobody.with_no_client_auth(), Err(Arc::new(missing)))
        }
    }
}

/// Sign-ins beyond it wait their turn, within their own time limit.
const MOST_CALLS: usize = 64;
const AGENT: &str = concat!("superid-gateway/", env!("CARGO_PKG_VERSION"));
const LARGEST: usize = 64 * 1024;
const SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");
const MOST_HEADER: usize = 32 * 1024;
