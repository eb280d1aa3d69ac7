//! Traces of a running gateway: which one a request is part of, what the app is told, what is sent.

use superid_gateway::config::{TraceProtocol, Traces};
use superid_gateway::telemetry::Exporter;
use url::Url;

use crate::collector::{Collector, Span};
use crate::installing::{SYSTEM_USER, job};
use crate::world::{ASTRID, Told, World};

const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

struct Traced {
    world: World,
    collector: Collector,
    exporter: Exporter,
}

impl Traced {
    async fn new(changes: &str, sample_rate: f64) -> Self {
        let collector = Collector::start().await;
        let settings = Traces {
            endpoint: Url::parse(&collector.url).unwrap(),
            protocol: TraceProtocol::Http,
            sample_rate,
            service_name: "the gateway".to_owned(),
            headers: vec![("api-key".to_owned(), superid_gateway::crypto::Secret::new("k".into()))],
        };
        let (tracer, exporter) = Exporter::start(&settings).unwrap();
        let told = Told { tracer: Some(tracer), ..Told::default() };
        Self { world: World::telling(changes, told).await, collector, exporter }
    }

    /// Stops, and every span that was sent.
    async fn spans(self) -> Vec<Span> {
        self.world.gateway.stop().await;
        let exporter = self.exporter;
        tokio::task::spawn_blocking(move || drop(exporter)).await.unwrap();
        for head in self.collector.heads() {
            assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
            assert!(head.contains("content-type: application/x-protobuf"), "{head}");
            assert!(head.contains("api-key: k"), "{head}");
        }
        self.collector.spans()
    }
}

fn named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    let mut named = spans.iter().filter(|span| span.name == name);
    let found = named.next().unwrap_or_else(|| panic!("no {name} in {spans:?}"));
    assert!(named.next().is_none(), "{name} twice");
    found
}

#[tokio::test]
async fn a_request_is_a_span_with_its_parts_and_the_app_is_told_the_last() {
    let traced = Traced::new("", 1.0).await;
    let world = &traced.world;
    let headers = format!("traceparent: {GIVEN}\r\ntracestate: a=1\r\n");
    let url = world.url("/public/x?password=hunter2");
    assert_eq!(world.api().send("GET", &url, &headers).await.status, 200);
    let app = world.app.last();
    let told = app.header("traceparent").unwrap().to_owned();
    assert_eq!(app.header("tracestate"), None, "nobody we trust said it");
    let id = app.header("x-request-id").unwrap().to_owned();
    let authority = world.authority().to_owned();
    let spans = traced.spans().await;
    let request = named(&spans, "GET open");
    assert_eq!((request.kind, request.parent.as_str(), request.failed), (2, "", false));
    assert_ne!(request.trace, &GIVEN[3..35], "a stranger's trace is not joined");
    for (name, value) in [
        ("http.request.method", "GET"),
        ("url.path", "/public/x"),
        ("http.response.status_code", "200"),
        ("server.address", authority.as_str()),
        ("http.route", "open"),
        ("superid_gateway.request_id", id.as_str()),
    ] {
        assert_eq!(request.attributes[name], value, "{name}");
    }
    for name in ["admission", "authentication", "upstream"] {
        let part = named(&spans, name);
        assert_eq!((&part.trace, &part.parent), (&request.trace, &request.id), "{name}");
        assert!(request.began <= part.began && part.ended <= request.ended, "{name}");
    }
    let upstream = named(&spans, "upstream");
    assert_eq!(told, format!("00-{}-{}-01", request.trace, upstream.id));
    assert_eq!(spans.len(), 4);
}

#[tokio::test]
async fn a_trusted_proxy_s_trace_is_gone_on_with_and_sampled_as_it_says() {
    let changes = "[forwarded]\ntrusted_proxies = [\"127.0.0.1\"]";
    let traced = Traced::new(changes, 0.0).await;
    let world = &traced.world;
    let url = world.url("/public/x");
    let headers = format!("traceparent: {GIVEN}\r\ntracestate: a=1,b=2\r\n");
    world.api().send("GET", &url, &headers).await;
    let told = world.app.last();
    assert_eq!(told.header("tracestate"), Some("a=1,b=2"));
    assert!(told.header("traceparent").unwrap().starts_with(&GIVEN[..36]));
    let off = headers.replace("-01\r", "-00\r");
    world.api().send("GET", &url, &off).await;
    assert!(world.app.last().header("traceparent").unwrap().ends_with("-00"));
    world.api().send("GET", &url, "traceparent: nonsense\r\n").await;
    let fresh = world.app.last().header("traceparent").unwrap().to_owned();
    assert!(fresh.ends_with("-00") && !fresh.contains(&GIVEN[3..35]), "{fresh}");
    let spans = traced.spans().await;
    let request = named(&spans, "GET open");
    assert_eq!((&request.trace[..], &request.parent[..]), (&GIVEN[3..35], &GIVEN[36..52]));
    assert_eq!(request.state, "a=1,b=2");
    assert_eq!(spans.len(), 4, "one request of three: {spans:?}");
}

#[tokio::test]
async fn superid_and_the_store_are_parts_of_whatever_waits_for_them() {
    let traced = Traced::new(SYSTEM_USER, 1.0).await;
    let world = &traced.world;
    world.signed_in(ASTRID).await;
    assert_eq!(job(world).await.status, 200);
    let spans = traced.spans().await;
    let of = |path: &str, name: &str| {
        let whole = |span: &&Span| {
            span.attributes.get("url.path").is_some_and(|known| known.starts_with(path))
        };
        let request = spans.iter().rfind(whole).unwrap_or_else(|| panic!("{path}: {spans:?}"));
        spans.iter().filter(|span| span.parent == request.id && span.name == name).count()
    };
    assert!(of("/auth/callback", "superid") >= 3, "the code, the keys, the token's proof");
    assert!(of("/auth/callback", "store") >= 2, "looked for, and kept");
    assert!(of("/Cust12345/api", "superid") >= 1, "a ticket is bought");
    assert!(of("/Cust12345/api", "store") >= 1);
    assert_eq!(of("/Cust12345/api", "upstream"), 1);
    let text = format!("{spans:?}");
    for secret in ["code=", "state=", ASTRID, "secret of main"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn without_traces_the_app_gets_what_came() {
    let world = World::new().await;
    let headers = format!("traceparent: {GIVEN}\r\ntracestate: a=1\r\n");
    world.api().send("GET", &world.url("/public"), &headers).await;
    let told = world.app.last();
    assert_eq!((told.header("traceparent"), told.header("tracestate")), (Some(GIVEN), Some("a=1")));
}
