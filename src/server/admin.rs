//! The admin listener: health, readiness, version, metrics and the admin API, on an address of its own.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::redis_link::LinkState;
use crate::telemetry::{Format, Standing};

use super::assemble::Load;

use super::admin_state::State;
use super::api::{Api, Between, Reply};
use super::status;

/// Serves on a thread of its own, so that it answers while the workers are busy.
///
/// # Errors
/// When no thread or runtime can be had.
pub(super) fn start(socket: TcpListener, state: State) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("admin".to_owned()).spawn(move || {
        runtime.block_on(serve(socket, state));
    })
}

async fn serve(socket: TcpListener, state: State) {
    let Ok(socket) = tokio::net::TcpListener::from_std(socket) else { return };
    let mut over = state.over.clone();
    let state = Arc::new(state);
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let api = Arc::new(Api::default());
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            _ = over.wait_for(|over| *over) => break,
        };
        let Ok((stream, client)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let (state, api) = (state.clone(), api.clone());
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| async {
                Ok::<_, Infallible>(match request.uri().path().starts_with("/v1/") {
                    true => of_api(&api, request, (&state, client)).await,
                    false => answer(&request, &state),
                })
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER)
                .max_buf_size(16 << 10)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            let _client_gone = tokio::time::timeout(WHOLE, connection).await;
            drop(place);
        });
    }
    drop(socket);
    // Whoever asked already has an answer coming.
    let _too_slow = tokio::time::timeout(LAST, places.acquire_many(EVERY_PLACE)).await.is_err();
}

/// A body is read somewhat further than anything that means something is long: who is still sending when the
/// connection closes may not hear why.
async fn of_api(
    api: &Api,
    request: Request<Incoming>,
    (state, client): (&State, SocketAddr),
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MOST_READ).collect().await;
    let body = body.ok().map(|body| body.to_bytes()).filter(|body| body.len() <= MOST_BODY);
    let request = Request::from_parts(head, body);
    let site = state.load.site();
    let told = api.answer(&request, &site, Between { client, server: state.address }).await;
    let Reply { status, body, retry_after, request_id, allow } = told;
    let mut response = json(status, body);
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        let scheme = http::HeaderValue::from_static("Bearer realm=\"superid-gateway admin\"");
        headers.insert(header::WWW_AUTHENTICATE, scheme);
    }
    if let Some(allow) = allow {
        headers.insert(header::ALLOW, http::HeaderValue::from_static(allow));
    }
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if let Some(id) = request_id.and_then(|id| http::HeaderValue::try_from(id).ok()) {
        headers.insert("x-request-id", id);
    }
    response
}

/// ```text
/// GET /health   200 while the process runs
/// GET /ready    200 while requests are taken, whatever Redis does; 503 from the moment a stop begins
/// GET /changes  200, how the latest change went
/// GET /version  200
/// GET /metrics  200, in Prometheus' text format or OpenMetrics, as `Accept` says
/// GET /status   200, what `superid-gateway status` shows
/// /v1/…         the admin API
/// ```
fn answer(request: &Request<Incoming>, state: &State) -> Response<Full<Bytes>> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return json(
            StatusCode::METHOD_NOT_ALLOWED,
            r#"{"error":"method_not_allowed"}"#.to_owned(),
        );
    }
    match request.uri().path() {
        "/health" => json(StatusCode::OK, r#"{"status":"alive"}"#.to_owned()),
        "/ready" if state.leave.borrow().is_some() => {
            json(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"stopping"}"#.to_owned())
        }
        "/ready" => json(StatusCode::OK, readiness(&state.load).to_string()),
        "/metrics" => {
            let accept = request.headers().get(header::ACCEPT);
            let format = Format::accepted(accept.and_then(|value| value.to_str().ok()));
            let mut told = written(StatusCode::OK, format.content_type(), state.metrics(format));
            told.headers_mut().insert(header::VARY, http::HeaderValue::from_static("Accept"));
            told
        }
        "/status" => json(StatusCode::OK, status::of(state)),
        "/changes" => json(StatusCode::OK, state.report.json()),
        "/version" => {
            let body = serde_json::json!({
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "process": std::process::id(),
            });
            json(StatusCode::OK, body.to_string())
        }
        _ => json(StatusCode::NOT_FOUND, r#"{"error":"not_found"}"#.to_owned()),
    }
}

/// A replica without Redis still serves everybody whose ticket lives. If each of them said that it is
/// not ready, an outage of Redis would be one of everything: so it is only told.
fn readiness(load: &Load) -> Value {
    let mut ready = serde_json::json!({
        "status": "ready",
        "connections": load.open(),
        "refused": load.refusals(),
    });
    let links = load.links();
    if !links.is_empty() {
        let told = links.into_iter().map(|(name, state)| (name.to_owned(), link(name, &state)));
        ready["redis"] = Value::Object(told.collect());
    }
    let standings = load.metrics().acme().standings();
    if !standings.is_empty() {
        let told = standings.into_iter().map(|one| (one.certificate.clone(), ordered(&one)));
        ready["certificates"] = Value::Object(told.collect());
    }
    ready
}

/// A certificate that is ordered. One that is not there yet does not make us unready: its authority
/// could then not ask us, and it would never come.
fn ordered(one: &Standing) -> Value {
    let mut told = match one.ends {
        Some(ends) => serde_json::json!({ "state": "there", "ends": ends }),
        None => serde_json::json!({
            "state": "awaited",
            "meaning": "TLS for its hosts is refused until it is there",
        }),
    };
    told["next_order"] = one.next.into();
    if one.failures > 0 {
        told["failures"] = one.failures.into();
        told["outcome"] = one.outcome.clone().into();
        told["reason"] = one.detail.clone().into();
    }
    told
}

fn link(name: &str, state: &LinkState) -> Value {
    let down = |reason: &str| serde_json::json!({ "state": "down", "reason": reason, "meaning": meaning(name) });
    match state {
        LinkState::Connecting => down("a connection is being made"),
        LinkState::Down(failed) => down(&failed.to_string()),
        LinkState::Partly(why) => {
            let mut told = down(why);
            told["state"] = "partly".into();
            told["meaning"] = format!("for what lies there: {}", meaning(name)).into();
            told
        }
        LinkState::Up => serde_json::json!({ "state": "up" }),
    }
}

/// What is not possible without a link.
fn meaning(name: &str) -> &'static str {
    match name {
        "sessions" => "nobody who signed in is let in, and nobody can sign in",
        "refreshed" => "no session's tokens are had anew: sessions go on while they last",
        "used_tokens" => "nobody can sign in with a token that comes without a code",
        "vault" => "tenants without a living ticket cannot be called, and none can be installed",
        _ => "each replica buys tickets of its own",
    }
}

fn json(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    written(status, "application/json", body + "\n")
}

fn written(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    response
}

const EVERY_PLACE: u32 = 64;
const MOST_CONNECTIONS: usize = EVERY_PLACE as usize;
/// Bytes of what is posted to the API.
const MOST_BODY: usize = 16 << 10;
const MOST_READ: usize = 4 * MOST_BODY;
const HEADER: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(10);
/// How long answers may take when there is nothing left to tell about.
const LAST: Duration = Duration::from_millis(500);
