//! How many may come at once: connections, requests, bytes of a body. What is over a limit is told
//! so at once, and what is within is served.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;

use crate::recorder::Reply;
use crate::tls::{Secure, asked, told_to_go};
use crate::wire::{Answer, Stream, read_answer, until};
use crate::world::World;
use superid_gateway::config::Patience;

const HTML: &str = "Accept: text/html\r\n";

/// A request on a connection of its own that the app holds.
async fn held(world: &World, path: &str) -> Box<dyn Stream> {
    let before = world.app.requests().len();
    let mut stream = world.net.connect(world.authority()).await;
    let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", world.authority());
    stream.write_all(head.as_bytes()).await.unwrap();
    world.app.hears_more_than(before).await;
    stream
}

#[track_caller]
fn is_busy(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(answer.header("retry-after"), "10");
}

#[tokio::test]
async fn one_connection_too_many_waits_until_one_ends_that_is_in_use() {
    let world = World::tuned("", |settings| settings.limits.crowd.connections = 2).await;
    world.app.says(Reply::Held);
    let mut first = held(&world, "/public/slow").await;
    let mut second = held(&world, "/public/slow").await;
    let own = world.authority().to_owned();
    let head = format!("GET /public HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n");
    let net = world.net.clone();
    let third = tokio::spawn(async move { net.ask(&own, head.as_bytes()).await });
    until("the limit is met", async || {
        world.metric("limit_hits_total{limit=\"max_connections\"}").await >= 1
    })
    .await;
    assert_eq!((world.metric("connections_open").await, world.app.requests().len()), (2, 2));
    world.app.open();
    assert_eq!(read_answer(&mut first, "GET").await.unwrap().status, 200);
    drop(first);
    assert_eq!(third.await.unwrap().unwrap().status, 200);
    assert_eq!(world.metric("connections_refused_total{limit=\"max_connections\"}").await, 0);
    assert_eq!(read_answer(&mut second, "GET").await.unwrap().status, 200);
    drop(second);
    until("every connection is closed", async || world.metric("connections_open").await == 0).await;
}

#[tokio::test]
async fn an_idle_connection_gives_its_place_to_one_that_waits() {
    let world = World::tuned("", |settings| settings.limits.crowd.connections = 2).await;
    let own = world.authority().to_owned();
    let head = format!("GET /public HTTP/1.1\r\nHost: {own}\r\n\r\n");
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut stream = world.net.connect(&own).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(read_answer(&mut stream, "GET").await.unwrap().status, 200);
        kept.push(stream);
    }
    assert_eq!(world.net.ask(&own, head.as_bytes()).await.unwrap().status, 200);
    let mut end = Vec::new();
    assert_eq!(crate::wire::read_some(&mut kept[0], &mut end).await, 0, "the longest idle");
    // Where closing one takes long, the next is asked too.
    let yielded = world.metric("connections_yielded_total").await;
    assert!((1..=2).contains(&yielded), "{yielded}");
    if yielded == 1 {
        kept[1].write_all(head.as_bytes()).await.unwrap();
        assert_eq!(read_answer(&mut kept[1], "GET").await.unwrap().status, 200, "it goes on");
    }
}

#[tokio::test]
async fn an_idle_connection_of_http_2_gives_its_place_too() {
    let secure = Secure::tuned("place", |settings| settings.limits.crowd.connections = 1).await;
    let kept = secure.h2_client().await;
    let url = secure.world.url("/public");
    assert_eq!(asked(&kept, &url).await, 200);
    let fresh = secure.h2_client().await;
    assert_eq!(asked(&fresh, &url).await, 200);
    let told = told_to_go(&kept).await;
    assert_eq!(told.reason(), Some(h2::Reason::NO_ERROR), "{told}");
    assert_eq!(secure.world.metric("connections_yielded_total").await, 1);
}

#[tokio::test]
async fn an_idle_connection_of_http_2_is_told_to_go_and_counted() {
    let short = Duration::from_millis(300);
    let secure = Secure::tuned("idle", |settings| settings.limits.idle_timeout = short).await;
    let kept = secure.h2_client().await;
    assert_eq!(asked(&kept, &secure.world.url("/public")).await, 200);
    let told = told_to_go(&kept).await;
    assert_eq!(told.reason(), Some(h2::Reason::NO_ERROR), "{told}");
    assert_eq!(secure.world.metric("limit_hits_total{limit=\"idle_timeout\"}").await, 1);
    until("it is closed", async || secure.world.metric("connections_open").await == 0).await;
}

#[tokio::test]
async fn a_busy_connection_gives_its_place_up_after_an_answer_that_says_so() {
    let world = World::tuned("", |settings| settings.limits.crowd.connections = 1).await;
    let own = world.authority().to_owned();
    let head = format!("GET /public HTTP/1.1\r\nHost: {own}\r\n\r\n");
    let mut busy = world.net.connect(&own).await;
    until("the connection is noticed", async || world.metric("connections_open").await >= 1).await;
    let (net, asked) = (world.net.clone(), head.clone());
    let waits = {
        let own = own.clone();
        tokio::spawn(async move { net.ask(&own, asked.as_bytes()).await })
    };
    let mut answers = 0;
    loop {
        busy.write_all(head.as_bytes()).await.unwrap();
        let answer = read_answer(&mut busy, "GET").await.expect("no request is lost");
        answers += 1;
        assert!(answers < 100_000, "it is never told to go");
        assert_eq!(answer.status, 200);
        if answer.header("connection") == "close" {
            break;
        }
    }
    assert!(answers > 1);
    assert_eq!(waits.await.unwrap().unwrap().status, 200);
    assert_eq!(world.metric("connections_yielded_total").await, 1);
}

#[tokio::test]
async fn a_busy_connection_of_http_2_gives_its_place_up_and_loses_no_request() {
    let secure = Secure::tuned("turn", |settings| settings.limits.crowd.connections = 1).await;
    let busy = secure.h2_client().await;
    let url = secure.world.url("/public");
    assert_eq!(asked(&busy, &url).await, 200);
    let asks = async {
        let mut answers = 0;
        while busy.clone().ready().await.is_ok() {
            assert_eq!(asked(&busy, &url).await, 200, "no request is lost");
            answers += 1;
            assert!(answers < 100_000, "it is never told to go");
        }
        told_to_go(&busy).await
    };
    let waits = async { asked(&secure.h2_client().await, &url).await };
    let (told, served) = tokio::join!(asks, waits);
    assert_eq!(told.reason(), Some(h2::Reason::NO_ERROR), "{told}");
    assert_eq!(served, 200);
    assert_eq!(secure.world.metric("connections_yielded_total").await, 1);
}

#[tokio::test]
async fn one_address_has_its_own_bound_unless_it_is_a_trusted_proxy() {
    for (changes, served) in [("", false), ("[forwarded]\ntrusted_proxies = [\"127.0.0.1\"]", true)]
    {
        let crowded = |settings: &mut superid_gateway::config::Settings| {
            settings.limits.crowd.connections_per_address = 1;
        };
        let world = World::tuned(changes, crowded).await;
        let own = world.authority().to_owned();
        let _first = world.net.connect(&own).await;
        until("the connection is noticed", async || world.metric("connections_open").await >= 1)
            .await;
        let head = format!("GET /public HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n");
        let mut second = world.net.connect(&own).await;
        if served {
            second.write_all(head.as_bytes()).await.unwrap();
        }
        let answer = read_answer(&mut second, "GET").await.expect("an answer");
        assert_eq!(answer.status, if served { 200 } else { 429 }, "{changes}");
        assert_eq!(answer.header("retry-after").is_empty(), served);
        let refused = "connections_refused_total{limit=\"max_connections_per_address\"}";
        assert_eq!(world.metric(refused).await == 0, served);
    }
}

#[tokio::test]
async fn a_header_that_is_too_large_is_refused_and_counted_by_what_is_too_large() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    let lines =
        |count: usize, size: usize| format!("X-More: {}\r\n", "x".repeat(size)).repeat(count);
    for (limit, status, target, headers) in [
        ("target_bytes", 414, "x".repeat(9_000), String::new()),
        ("cookie_bytes", 431, String::new(), format!("Cookie: a={}\r\n", "x".repeat(25_000))),
        ("header_bytes", 431, String::new(), lines(5, 7_000)),
        ("header_count", 431, String::new(), lines(100, 1)),
    ] {
        let head = format!("GET /public?{target} HTTP/1.1\r\nHost: {own}\r\n{headers}\r\n");
        let answer = world.net.ask(&own, head.as_bytes()).await.unwrap();
        assert_eq!(answer.status, status, "{limit}");
        assert_eq!(world.metric(&format!("limit_hits_total{{limit=\"{limit}\"}}")).await, 1);
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_client_that_keeps_us_waiting_is_counted_by_what_it_is_late_with() {
    let world = World::tuned("", |settings| {
        let limits = &mut settings.limits;
        for late in [&mut limits.header_timeout, &mut limits.body_grace, &mut limits.idle_timeout] {
            *late = Duration::from_millis(200);
        }
    })
    .await;
    let own = world.authority().to_owned();
    let head = format!("POST /public HTTP/1.1\r\nHost: {own}\r\nContent-Length: 3\r\n\r\n");
    for (limit, sent, told) in [
        ("header_timeout", String::new(), ""),
        ("header_timeout", head[..20].to_owned(), "HTTP/1.1 408 "),
        ("body_rate", head.clone(), "HTTP/1.1 408 "),
        ("idle_timeout", head.clone() + "abc", "HTTP/1.1 200 "),
    ] {
        let name = format!("limit_hits_total{{limit=\"{limit}\"}}");
        let before = world.metric(&name).await;
        let mut stream = world.net.connect(&own).await;
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while crate::wire::read_some(&mut stream, &mut answer).await > 0 {}
        assert!(answer.starts_with(told.as_bytes()), "{limit}");
        assert_eq!(told.is_empty(), answer.is_empty(), "{limit}");
        until("the limit is met", async || world.metric(&name).await != before).await;
        assert_eq!(world.metric(&name).await, before + 1);
    }
}

#[tokio::test]
async fn a_connection_closes_behind_an_answer_to_half_a_request() {
    let world = World::tuned("", |settings| {
        settings.limits.unread_body_timeout = Duration::from_millis(200);
        settings.limits.body_grace = Duration::from_secs(600);
    })
    .await;
    let own = world.authority().to_owned();
    let head = format!("POST /orders HTTP/1.1\r\nHost: {own}\r\nContent-Length: 99\r\n\r\nbegun");
    let mut stream = world.net.connect(&own).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream, "GET").await.unwrap().status, 401);
    let mut more = Vec::new();
    while crate::wire::read_some(&mut stream, &mut more).await > 0 {}
    assert!(more.is_empty());
    world.app.heard_nothing();
}

#[tokio::test]
async fn one_request_too_many_is_told_so_before_anything_is_decided() {
    let world = World::tuned("", |settings| settings.limits.crowd.requests = 1).await;
    world.app.says(Reply::Held);
    let mut stream = held(&world, "/public/slow").await;
    for path in ["/public", "/orders", "/auth/start", "/nowhere"] {
        let answer = world.api().get(&world.url(path)).await;
        is_busy(&answer);
        assert_eq!(answer.json()["error"], "too_busy");
        let page = world.api().send("GET", &world.url(path), HTML).await;
        is_busy(page.is_page(503));
    }
    let admin = world.gateway.admin().unwrap();
    assert_eq!(world.api().get(&format!("http://{admin}/health")).await.status, 200);
    assert_eq!(world.metric("requests_in_flight").await, 1);
    assert_eq!(world.metric("limit_hits_total{limit=\"max_requests\"}").await, 8);
    assert_eq!(world.metric("refusals_total{reason=\"too_busy\"}").await, 8);
    assert_eq!(world.app.requests().len(), 1);
    world.app.open();
    assert_eq!(read_answer(&mut stream, "GET").await.unwrap().status, 200);
    until("no request is in flight", async || world.metric("requests_in_flight").await == 0).await;
    assert_eq!(world.api().get(&world.url("/public")).await.status, 200);
}

#[tokio::test]
async fn a_full_upstream_sheds_the_rest_at_once_and_loses_nothing_it_took() {
    const MOST: usize = 64;
    let changes = format!(
        "[route.open]\nmax_requests = {MOST}\n[route.other]\npath = \"/other\"\n\
         upstream = \"$LIAR\"\naccess = \"public\""
    );
    let world = World::with(&changes).await;
    world.app.says(Reply::Held);
    let mut taken = Vec::new();
    for _ in 0..MOST {
        taken.push(held(&world, "/public/slow").await);
    }
    let mut shed = JoinSet::new();
    for _ in 0..2 * MOST {
        let (api, url) = (world.api(), world.url("/public/more"));
        shed.spawn(async move { api.get(&url).await });
    }
    while let Some(answer) = shed.join_next().await {
        is_busy(&answer.unwrap());
    }
    assert_eq!(world.app.requests().len(), MOST, "nothing of the rest reached the app");
    assert_eq!(world.metric("upstream_requests_in_flight{route=\"open\"}").await, 64);
    assert_eq!(world.metric("limit_hits_total{limit=\"route.max_requests\"}").await, 128);
    // A request is counted when it has ended, which is after its client has heard.
    let ended = "requests_total{route=\"open\",status=\"5xx\",outcome=\"refused\"}";
    until("all are counted", async || world.metric(ended).await == 128).await;
    let admin = world.gateway.admin().unwrap();
    assert_eq!(world.api().get(&format!("http://{admin}/health")).await.status, 200);
    assert_eq!(world.api().get(&world.url("/other")).await.status, 200, "another upstream");
    world.app.open();
    for stream in &mut taken {
        assert_eq!(read_answer(stream, "GET").await.unwrap().status, 200);
    }
    until("no request is on its way to the app", async || {
        world.metric("upstream_requests_in_flight{route=\"open\"}").await == 0
    })
    .await;
    assert_eq!(world.api().get(&world.url("/public")).await.status, 200);
}

#[tokio::test]
async fn a_place_is_free_again_when_the_client_leaves_or_the_app_fails() {
    let world = World::tuned("[route.open]\nmax_requests = 1", |settings| {
        for route in &mut settings.routes {
            let read = Duration::from_millis(200);
            route.upstream.set_patience(Patience { read, ..route.upstream.patience() });
        }
    })
    .await;
    let url = world.url("/public");
    world.app.says(Reply::Held);
    drop(held(&world, "/public/slow").await);
    until("no request is in flight", async || world.metric("requests_in_flight").await == 0).await;
    assert_eq!(world.metric("upstream_requests_in_flight{route=\"open\"}").await, 0);
    assert_eq!(world.api().get(&url).await.status, 504);
    world.app.says(Reply::HangUp);
    assert_eq!(world.api().get(&url).await.status, 502);
    world.app.says_with("");
    assert_eq!(world.api().get(&url).await.status, 200);
}

#[tokio::test]
async fn a_reload_forgets_no_request_in_flight() {
    let mut world = World::with("[route.open]\nmax_requests = 1").await;
    world.app.says(Reply::Held);
    let mut stream = held(&world, "/public/slow").await;
    world.reload("[log]\nlevel = \"warn\"").unwrap();
    is_busy(&world.api().get(&world.url("/public")).await);
    // The one that was refused has left, a moment after its client heard so.
    until("one is in flight", async || world.metric("requests_in_flight").await == 1).await;
    world.app.open();
    assert_eq!(read_answer(&mut stream, "GET").await.unwrap().status, 200);
    until("no request is in flight", async || world.metric("requests_in_flight").await == 0).await;
    world.reload("[route.open]\nmax_requests = 7").unwrap();
    assert_eq!(world.api().get(&world.url("/public")).await.status, 200);
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_refused_before_the_app_hears_of_it() {
    let world = World::with("[route.open]\nbody_bytes = \"1KiB\"").await;
    let url = world.url("/public");
    let sized = |size: usize| format!("Content-Length: {size}\r\n");
    for (size, more) in [(1025, ""), (usize::MAX >> 8, ""), (5000, "Expect: 100-continue\r\n")] {
        let answer = world.api().send("POST", &url, &(sized(size) + more)).await;
        assert_eq!(answer.status, 413, "{size}");
        assert_eq!(answer.json()["error"], "too_large");
    }
    world.app.heard_nothing();
    assert_eq!(world.metric("limit_hits_total{limit=\"route.body_bytes\"}").await, 3);
    assert_eq!(posted(&world, &sized(1024), &"x".repeat(1024)).await.unwrap().status, 200);
    assert_eq!(world.app.last().body.len(), 1024);
}

#[tokio::test]
async fn a_body_that_turns_out_too_large_never_reaches_the_app_whole() {
    let world = World::with("[route.open]\nbody_bytes = \"1KiB\"").await;
    let chunks = |count: usize| {
        let chunk = format!("100\r\n{}\r\n", "x".repeat(256));
        chunk.repeat(count) + "0\r\n\r\n"
    };
    let chunked = "Transfer-Encoding: chunked\r\n";
    assert_eq!(posted(&world, chunked, &chunks(4)).await.unwrap().status, 200);
    assert_eq!(world.app.last().body.len(), 1024);
    world.app.clear();
    for count in [5, 400] {
        // A client that is still sending may see its connection end instead of the answer.
        let answer = posted(&world, chunked, &chunks(count)).await;
        assert!(answer.is_none_or(|answer| answer.status == 413), "{count}");
    }
    until("the limit is met", async || {
        world.metric("limit_hits_total{limit=\"route.body_bytes\"}").await >= 2
    })
    .await;
    world.app.heard_nothing();
    assert_eq!(posted(&world, chunked, &chunks(1)).await.unwrap().status, 200);
}

/// Posts in two parts, as clients do; `None` when the connection ended without an answer.
async fn posted(world: &World, headers: &str, body: &str) -> Option<Answer> {
    let own = world.authority();
    let head = format!("POST /public HTTP/1.1\r\nHost: {own}\r\n{headers}\r\n");
    let mut stream = world.net.connect(own).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let _closed = stream.write_all(body.as_bytes()).await;
    read_answer(&mut stream, "POST").await
}

#[tokio::test]
async fn what_passes_after_an_upgrade_is_no_body() {
    let world = World::with("[route.open]\nbody_bytes = \"1KiB\"").await;
    world.app.says(Reply::Echo(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
            .to_owned(),
    ));
    let mut stream = world.net.connect(world.authority()).await;
    let head = format!(
        "GET /public HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        world.authority()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream, "GET").await.unwrap().status, 101);
    let mut back = Vec::new();
    for round in 1..=8 {
        stream.write_all(&[b'x'; 1000]).await.unwrap();
        while back.len() < round * 1000 {
            assert!(crate::wire::read_some(&mut stream, &mut back).await > 0, "round {round}");
        }
    }
    assert_eq!(world.metric("requests_in_flight").await, 1, "a tunnel is a request in flight");
    drop(stream);
    until("no request is in flight", async || world.metric("requests_in_flight").await == 0).await;
}

#[tokio::test]
async fn metrics_tell_what_happened_and_name_no_stranger() {
    let world = World::new().await;
    let mut browser = world.signed_in(crate::world::ASTRID).await;
    browser.visit(&world.url("/orders")).await;
    world.api().get(&world.url("/a-strangers-path")).await;
    world.api().raw(world.authority(), "GET / HTTP/1.1\r\nHost: strangers.example\r\n").await;
    browser.visit(&world.url("/auth/callback?state=strangers&code=x")).await;
    for (metric, value) in [
        ("requests_total{route=\"app\",status=\"2xx\",outcome=\"passed\"}", 2),
        ("request_duration_seconds_count{route=\"app\"}", 2),
        ("upstream_requests_total{route=\"app\",outcome=\"answered\"}", 2),
        ("upstream_response_seconds_count{route=\"app\"}", 2),
        ("route_requests_in_flight{route=\"app\"}", 0),
        ("requests_total{route=\"(gateway)\",status=\"3xx\",outcome=\"answered\"}", 2),
        ("requests_total{route=\"(gateway)\",status=\"4xx\",outcome=\"answered\"}", 1),
        ("requests_total{route=\"(gateway)\",status=\"4xx\",outcome=\"refused\"}", 2),
        ("sign_ins_begun_total", 1),
        ("sign_ins_total{outcome=\"signed_in\",reason=\"none\"}", 1),
        ("sessions_made_total", 1),
        ("superid_calls_total{endpoint=\"token\",outcome=\"2xx\"}", 1),
        ("superid_calls_total{endpoint=\"keys\",outcome=\"2xx\"}", 1),
        ("sign_ins_total{outcome=\"failed\",reason=\"attempt_expired\"}", 1),
        ("refusals_total{reason=\"unknown_host\"}", 1),
        ("refusals_total{reason=\"attempt_expired\"}", 1),
        ("requests_in_flight", 0),
    ] {
        assert_eq!(world.metric(metric).await, value, "{metric}");
    }
    let admin = format!("http://{}/metrics", world.gateway.admin().unwrap());
    let answer = world.api().get(&admin).await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(!answer.body.contains("strangers") && !answer.body.contains("Cust"));
    assert_eq!(world.api().get(&world.url("/metrics")).await.status, 401, "not on the public side");
}
