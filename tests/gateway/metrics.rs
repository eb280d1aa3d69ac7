//! Metrics as they are fetched: both forms, what is counted of TLS, and how many series there are.

use std::collections::BTreeSet;

use superid_gateway::telemetry::catalogue::EVERY;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::open_metrics::{Told, read};
use crate::tls;
use crate::wire::until;
use crate::world::{ASTRID, World};

#[tokio::test]
async fn a_scrape_holds_in_both_forms_and_they_say_the_same() {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    browser.visit(&world.url("/orders")).await;
    let admin = format!("http://{}/metrics", world.gateway.admin().unwrap());
    let plain = world.api().get(&admin).await;
    let accept = "Accept: application/openmetrics-text; version=1.0.0, text/plain;q=0.5\r\n";
    let open = world.api().send("GET", &admin, accept).await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!((open.status, open.header("content-type")), (200, kind));
    assert_eq!(open.header("vary"), "Accept");
    let metrics = read(&open.body).unwrap_or_else(|wrong| panic!("{wrong} in\n{}", open.body));
    for family in EVERY {
        let Some(told) = metrics.get(family.name) else { continue };
        assert_eq!(told.unit.as_deref(), family.unit(), "{}", family.name);
        let labels = told.samples.iter().flat_map(|sample| &sample.labels);
        for (label, value) in labels.filter(|(label, _)| label != "le") {
            assert!(family.labels.contains(&label.as_str()), "{}: {label}", family.name);
            assert!(!value.is_empty(), "{}: {label}", family.name);
        }
    }
    assert_eq!(names(&plain.body), names(&open.body));
    for metric in ["superid_gateway_build", "process_start_time_seconds", "process_cpu_seconds"] {
        assert!(metrics.contains_key(metric), "{metric}");
    }
    assert_eq!(value(&metrics["superid_gateway_superid_calls"], "token"), 1.0);
}

#[tokio::test]
async fn handshakes_are_counted_by_version_and_by_why_they_failed() {
    let secure = tls::Secure::new("handshakes").await;
    let world = &secure.world;
    world.api().get(&world.url("/public")).await;
    let version = "tls_handshakes_total{version=\"TLSv1.3\"}";
    assert_eq!(world.metric(version).await, 1);
    for (said, why) in
        [(&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], "not_tls"), (b"", "closed")]
    {
        let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
        stream.write_all(said).await.unwrap();
        stream.shutdown().await.unwrap();
        let failures = format!("tls_handshake_failures_total{{reason=\"{why}\"}}");
        until("the failure is counted", async || world.metric(&failures).await == 1).await;
    }
}

#[tokio::test]
async fn an_app_that_is_not_there_is_counted_where_it_was_asked_and_a_dead_session_by_why() {
    let world = World::with(
        "[route.gone]\nupstream = \"http://127.0.0.1:1\"\npath = \"/gone\"\naccess = \"public\"\n",
    )
    .await;
    world.api().get(&world.url("/gone")).await;
    let browser = &mut world.signed_in(ASTRID).await;
    world.clock.advance(1_000_000);
    browser.visit(&world.url("/orders")).await;
    for (metric, value) in [
        ("upstream_requests_total{route=\"gone\",outcome=\"failed\"}", 1),
        ("upstream_response_seconds_count{route=\"gone\"}", 0),
        ("requests_total{route=\"gone\",status=\"5xx\",outcome=\"refused\"}", 1),
        ("session_cookies_refused_total{reason=\"too_old\"}", 1),
    ] {
        assert_eq!(world.metric(metric).await, value, "{metric}");
    }
}

fn value(told: &Told, label: &str) -> f64 {
    let of =
        |sample: &&crate::open_metrics::Sample| sample.labels.iter().any(|(_, one)| one == label);
    told.samples.iter().filter(of).map(|sample| sample.value).sum()
}

/// Names of samples, with their labels.
fn names(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
}
