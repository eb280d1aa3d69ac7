//! How often one client may come: rates of routes, and of sign-ins.

use crate::wire::Answer;
use crate::world::{ASTRID, JONAS, World};

const PROXY: &str = "[forwarded]\ntrusted_proxies = [\"127.0.0.1\"]\n";

#[track_caller]
fn stands(answer: &Answer, limit: &str, remaining: &str, reset: &str) {
    assert_eq!(answer.header("ratelimit-limit"), limit);
    assert_eq!(answer.header("ratelimit-remaining"), remaining);
    assert_eq!(answer.header("ratelimit-reset"), reset);
}

#[tokio::test]
async fn an_address_over_the_rate_of_a_route_is_told_when_to_come_back() {
    let world = World::with("[route.open.rate]\nper_address = \"2/m\"").await;
    let url = world.url("/public");
    stands(&world.api().get(&url).await, "2", "1", "30");
    stands(&world.api().get(&url).await, "2", "0", "60");
    let over = world.api().get(&url).await;
    assert_eq!(over.status, 429);
    assert_eq!(over.json()["error"], "too_many");
    assert_eq!(over.header("retry-after"), "30");
    stands(&over, "2", "0", "60");
    let page = world.api().send("GET", &url, "Accept: text/html\r\n").await;
    assert!(page.is_page(429).body.contains("Too many requests"));
    assert_eq!(world.app.requests().len(), 2);
    assert_eq!(world.metric("limit_hits_total{limit=\"route.rate.per_address\"}").await, 2);
    assert_eq!(world.api().get(&world.url("/orders")).await.status, 401, "another route");
    world.turn_clock(30);
    let again = world.api().get(&url).await;
    assert_eq!(again.status, 200);
    assert!(again.header("retry-after").is_empty());
    assert_eq!(world.api().get(&url).await.status, 429);
}

#[tokio::test]
async fn without_a_rate_no_answer_speaks_of_one() {
    let world = World::new().await;
    let answer = world.api().get(&world.url("/public")).await;
    assert!(answer.headers.iter().all(|(name, _)| !name.to_lowercase().starts_with("ratelimit")));
}

#[tokio::test]
async fn an_app_that_tells_a_limit_of_its_own_is_not_overruled() {
    let world = World::with("[route.open.rate]\nper_address = \"9/s\"").await;
    world.app.says_with("RateLimit-Limit: 3\r\nRateLimit-Remaining: 2\r\nRateLimit-Reset: 7\r\n");
    let answer = world.api().get(&world.url("/public")).await;
    stands(&answer, "3", "2", "7");
    assert_eq!(answer.all("ratelimit-limit").len(), 1);
}

#[tokio::test]
async fn the_address_is_the_one_trusted_proxies_tell_and_an_ipv6_network_is_one() {
    let rate = "[route.open.rate]\nper_address = \"1/m\"";
    let world = World::with(&format!("{PROXY}{rate}")).await;
    let from = async |address: &str| {
        let header = format!("X-Forwarded-For: {address}\r\n");
        world.api().send("GET", &world.url("/public"), &header).await.status
    };
    assert_eq!(from("192.0.2.1").await, 200);
    assert_eq!(from("192.0.2.1").await, 429);
    assert_eq!(from("8.8.8.8, 192.0.2.1").await, 429, "what a stranger claims counts for nothing");
    assert_eq!(from("192.0.2.2").await, 200);
    assert_eq!(from("2001:db8:1:1::1").await, 200);
    assert_eq!(from("2001:db8:1:1:ffff::2").await, 429, "the same /64");
    assert_eq!(from("2001:db8:1:2::1").await, 200);

    let world = World::with(rate).await;
    let header = |last: u8| format!("X-Forwarded-For: 192.0.2.{last}\r\n");
    assert_eq!(world.api().send("GET", &world.url("/public"), &header(1)).await.status, 200);
    assert_eq!(world.api().send("GET", &world.url("/public"), &header(2)).await.status, 429);
}

#[tokio::test]
async fn a_session_has_its_own_rate_beside_that_of_its_address() {
    let rate = "[route.app.rate]\nper_address = \"60/s\"\nper_session = \"3/m\"\nburst = 3";
    let world = World::with(rate).await;
    let mut astrid = world.signed_in(ASTRID).await;
    world.turn_clock(1);
    let mut jonas = world.signed_in(JONAS).await;
    let url = world.url("/orders");
    for _ in 0..2 {
        world.turn_clock(1);
        assert_eq!(astrid.visit(&url).await.status, 200);
    }
    let over = astrid.visit(&url).await;
    assert_eq!(over.is_page(429).header("retry-after"), "17");
    assert_eq!(jonas.visit(&url).await.status, 200, "somebody else on the same address");
    assert_eq!(world.metric("limit_hits_total{limit=\"route.rate.per_session\"}").await, 1);
    assert_eq!(world.metric("limit_hits_total{limit=\"route.rate.per_address\"}").await, 0);
}

#[tokio::test]
async fn one_stranger_cannot_use_up_the_sign_ins_of_all() {
    let changes = format!("{PROXY}[limits]\nsign_ins_per_minute = 2");
    let world = World::with(&changes).await;
    let from = async |address: &str, path: &str| {
        let headers = format!("X-Forwarded-For: {address}\r\nAccept: text/html\r\n");
        world.api().send("GET", &world.url(path), &headers).await
    };
    let steps =
        ["/auth/start", "/auth/callback?state=x&code=y", "/auth/start?rd=/a", "/auth/callback"];
    for path in steps {
        assert_ne!(from("192.0.2.1", path).await.status, 429, "{path}");
    }
    for path in steps {
        let over = from("192.0.2.1", path).await;
        assert_eq!(over.is_page(429).header("retry-after"), "30", "{path}");
    }
    assert_eq!(world.metric("limit_hits_total{limit=\"sign_ins_per_minute\"}").await, 4);
    assert_eq!(from("192.0.2.1", "/public").await.status, 200, "everything else goes on");
    assert_eq!(from("192.0.2.1", "/auth/signed_out").await.status, 200);
    assert_eq!(from("192.0.2.2", "/auth/start").await.status, 303, "and everybody else");
    world.turn_clock(30);
    assert_eq!(from("192.0.2.1", "/auth/start").await.status, 303);
}

#[tokio::test]
async fn a_reload_is_no_second_helping() {
    let mut world = World::with("[route.open.rate]\nper_address = \"1/m\"").await;
    let url = world.url("/public");
    assert_eq!(world.api().get(&url).await.status, 200);
    world.reload("[log]\nlevel = \"warn\"").unwrap();
    assert_eq!(world.api().get(&url).await.status, 429);
    world.reload("[route.open.rate]\nper_address = \"2/m\"").unwrap();
    assert_eq!(world.api().get(&url).await.status, 200, "another rate begins anew");
}
