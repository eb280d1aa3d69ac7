//! Sends spans to a collector by OTLP, over HTTP or gRPC, on a thread of its own.

use std::io;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;

use crate::config::{TraceProtocol, Traces};
use crate::crypto::{Random, install_provider};

use super::otlp;
use super::tracer::{MANY, Tracer};

/// Sends until it is dropped; what waits then is sent, unless that takes more than three seconds.
pub struct Exporter {
    tracer: Tracer,
    ended: mpsc::Receiver<()>,
}

/// Where spans go.
enum Way {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl Exporter {
    /// Begins to send what the tracer's requests leave.
    ///
    /// # Errors
    /// When no thread, or no root certificates for an https collector, can be had.
    pub fn start(settings: &Traces) -> io::Result<(Tracer, Self)> {
        install_provider();
        let tracer = Tracer::new(Random::system(), settings.sample_rate);
        let sending = Sending {
            way: Way::to(settings)?,
            tracer: tracer.clone(),
            settings: settings.clone(),
            said: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (ending, ended) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("traces".to_owned()).spawn(move || {
            sending.run(&runtime);
            let _nobody_waits = ending.try_send(());
        })?;
        tracer.sent_by(thread.thread().clone());
        Ok((tracer.clone(), Self { tracer, ended }))
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.tracer.stop();
        let _too_late = self.ended.recv_timeout(LAST);
    }
}

/// The thread that sends.
struct Sending {
    way: Way,
    tracer: Tracer,
    settings: Traces,
    /// When a failure was last told.
    said: Option<Instant>,
}

impl Sending {
    fn run(mut self, runtime: &tokio::runtime::Runtime) {
        loop {
            let stopping = self.tracer.is_stopping();
            let spans = self.tracer.take(MANY);
            if spans.is_empty() {
                if stopping {
                    return;
                }
                std::thread::park_timeout(PAUSE);
                continue;
            }
            let sent = runtime.block_on(async {
                let sent = tokio::time::timeout(PATIENCE, self.send(&spans)).await;
                sent.unwrap_or_else(|_| Err("no answer in 10 seconds".to_owned()))
            });
            match sent {
                Ok(()) => self.tracer.exported(spans.len()),
                Err(why) => {
                    self.tracer.not_exported(spans.len());
                    self.say(&why, spans.len());
                }
            }
        }
    }

    async fn send(&self, spans: &[otlp::Span]) -> Result<(), String> {
        let message = otlp::request(&self.settings.service_name, spans);
        let request = self.request(message).map_err(|error| error.to_string())?;
        let answer = match &self.way {
            Way::Plain(client) => asked(client, request).await?,
            Way::Tls(client) => asked(client, request).await?,
        };
        match self.settings.protocol {
            TraceProtocol::Http if answer.status.is_success() => Ok(()),
            TraceProtocol::Http => Err(format!("the collector answered {}", answer.status)),
            // https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: 0 is OK.
            TraceProtocol::Grpc => match answer.grpc_status.as_deref() {
                Some("0") => Ok(()),
                Some(status) => Err(format!("the collector answered gRPC status {status:.8}")),
                None => Err(format!("the collector answered {}, and no gRPC", answer.status)),
            },
        }
    }

    fn request(&self, message: Vec<u8>) -> Result<Request<Full<Bytes>>, http::Error> {
        let base = self.settings.endpoint.as_str().trim_end_matches('/');
        let (path, kind, body) = match self.settings.protocol {
            TraceProtocol::Http => ("/v1/traces", "application/x-protobuf", message),
            TraceProtocol::Grpc => (GRPC_METHOD, "application/grpc", framed(&message)),
        };
        let mut request = Request::post(format!("{base}{path}"))
            .header(header::CONTENT_TYPE, kind)
            .header(header::USER_AGENT, concat!("superid-gateway/", env!("CARGO_PKG_VERSION")));
        if self.settings.protocol == TraceProtocol::Grpc {
            request = request.header(header::TE, "trailers");
        }
        for (name, value) in &self.settings.headers {
            let mut value = HeaderValue::from_str(value.reveal())?;
            value.set_sensitive(true);
            request = request.header(HeaderName::try_from(name.as_str())?, value);
        }
        request.body(Full::new(body.into()))
    }

    fn say(&mut self, why: &str, spans: usize) {
        if self.said.is_none_or(|said| said.elapsed() >= AGAIN) {
            self.said = Some(Instant::now());
            tracing::warn!(spans = spans as u64, "traces are not sent: {why}");
        }
    }
}

impl Way {
    fn to(settings: &Traces) -> io::Result<Self> {
        let mut builder = Client::builder(TokioExecutor::new());
        builder.http2_only(settings.protocol == TraceProtocol::Grpc);
        if settings.endpoint.scheme() == "http" {
            return Ok(Self::Plain(builder.build_http()));
        }
        let connector = HttpsConnectorBuilder::new().with_native_roots()?.https_only();
        Ok(Self::Tls(builder.build(match settings.protocol {
            TraceProtocol::Http => connector.enable_http1().build(),
            TraceProtocol::Grpc => connector.enable_http2().build(),
        })))
    }
}

/// What of an answer matters.
struct Answer {
    status: http::StatusCode,
    grpc_status: Option<String>,
}

async fn asked<C: Connect + Clone + Send + Sync + 'static>(
    client: &Client<C, Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<Answer, String> {
    let unreachable = |_| "no connection, or nothing that speaks HTTP at its end".to_owned();
    let (head, body) = client.request(request).await.map_err(unreachable)?.into_parts();
    let body = Limited::new(body, LARGEST).collect().await;
    let body = body.map_err(|_| "the answer was cut off, or is larger than 64 kB".to_owned())?;
    let told = body.trailers().and_then(|trailers| trailers.get("grpc-status"));
    let told = told.or_else(|| head.headers.get("grpc-status"));
    let grpc_status = told.and_then(|value| value.to_str().ok()).map(str::to_owned);
    Ok(Answer { status: head.status, grpc_status })
}

/// A message as gRPC frames it: not compressed, and its length.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[0][..], &length.to_be_bytes(), message].concat()
}

const GRPC_METHOD: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const PAUSE: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(10);
const LAST: Duration = Duration::from_secs(3);
/// How often the same trouble is told.
const AGAIN: Duration = Duration::from_secs(60);
const LARGEST: usize = 64 * 1024;
