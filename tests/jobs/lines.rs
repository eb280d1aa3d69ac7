//! The line before each tenant: so many calls at once, so many in a time, and the next tenant's own.

use std::time::{Duration, Instant};

use http::header;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::world::{FJORDBANK, NORDLYS, World, nightly};

const PATH: &str = "/Cust12345/api/v1/Contact/1";
const OTHER: &str = "/Cust67890/api/v1/User/currentPrincipal";

#[tokio::test]
async fn a_tenant_that_is_slow_holds_up_its_own_callers_and_nobody_else() {
    let world = World::with("[job_listener.jobs]\ntenant_requests = 2\ntenant_queue = 1\n").await;
    let slow = [Unfinished::begin(&world).await, Unfinished::begin(&world).await];
    let program = world.program();
    let mut calls = JoinSet::new();
    for _ in 0..2 {
        let program = program.clone();
        calls.spawn(async move { program.get(PATH, &[("authorization", &nightly())]).await });
    }
    let refused = calls.join_next().await.unwrap().unwrap();
    assert_eq!(refused.told(), (429, "tenant_busy"), "one waits, and one is sent away");
    assert_eq!(refused.headers[header::RETRY_AFTER], "10");
    let other = program.get(OTHER, &[("authorization", &nightly())]).await;
    assert_eq!(other.told(), (200, ""));
    assert_eq!(other.json()["DatabaseContextIdentifier"], FJORDBANK);
    assert_eq!(world.superid.tenants().calls(NORDLYS), 2, "the one that waits is not there yet");
    for call in slow {
        call.end().await;
    }
    let waited = calls.join_next().await.unwrap().unwrap();
    assert_eq!(waited.told(), (200, ""));
    world.assert_nothing_astray();
}

#[tokio::test]
async fn whoever_waits_too_long_for_a_tenant_is_told_when_to_come_back() {
    let line = "[job_listener.jobs]\ntenant_requests = 1\nqueue_timeout = \"1s\"\n";
    let world = World::with(line).await;
    let slow = Unfinished::begin(&world).await;
    let answer = world.program().get(PATH, &[("authorization", &nightly())]).await;
    assert_eq!(answer.told(), (429, "tenant_busy"));
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    slow.end().await;
}

#[tokio::test]
async fn calls_beyond_a_tenant_s_rate_wait_and_all_are_answered() {
    let world = World::with("[job_listener.jobs]\ntenant_rate = \"10/s\"\n").await;
    let program = world.program();
    let begin = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..15 {
        let program = program.clone();
        calls.spawn(async move { program.get(PATH, &[("authorization", &nightly())]).await });
    }
    for answer in calls.join_all().await {
        assert_eq!(answer.told(), (200, ""));
    }
    assert!(begin.elapsed() >= Duration::from_millis(500), "ten at once, then one each tenth");
}

#[tokio::test]
async fn a_turn_that_would_come_too_late_is_refused_at_once_and_with_the_time_to_wait() {
    let world = World::with("[job_listener.jobs]\ntenant_rate = \"1/h\"\n").await;
    let program = world.program();
    let headers = [("authorization", &*nightly())];
    assert_eq!(program.get(PATH, &headers).await.told(), (200, ""));
    let answer = program.get(PATH, &headers).await;
    assert_eq!(answer.told(), (429, "tenant_busy"));
    let wait: u64 = answer.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((3_000..=3_600).contains(&wait), "{wait}");
    assert_eq!(program.get(OTHER, &headers).await.told(), (200, ""));
}

/// A call whose answer ends when [`Unfinished::end`] has sent the rest of it: the tenant sends a
/// document back as it comes.
struct Unfinished(TcpStream);

impl Unfinished {
    /// Returns when the tenant has begun to answer.
    async fn begin(world: &World) -> Self {
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        let head = format!(
            "POST /Cust12345/api/v1/Document/1/Content HTTP/1.1\r\nHost: jobs.test\r\n\
             Authorization: {}\r\nContent-Length: 8\r\n\r\nhalf",
            nightly()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut call = Self(stream);
        let begun = call.read_until("half").await;
        assert!(begun.starts_with("HTTP/1.1 200"), "{begun}");
        call
    }

    async fn end(mut self) {
        self.0.write_all(b"rest").await.unwrap();
        self.read_until("rest").await;
    }

    async fn read_until(&mut self, end: &str) -> String {
        let mut text = Vec::new();
        while !String::from_utf8_lossy(&text).contains(end) {
            assert_ne!(self.0.read_buf(&mut text).await.unwrap(), 0, "the gateway hung up");
        }
        String::from_utf8(text).unwrap()
    }
}
