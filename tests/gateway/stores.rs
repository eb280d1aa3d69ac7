//! Sessions that are not in the cookie: in memory, and in the Redis that replicas share.

use std::time::{Duration, Instant};

use superid_gateway::emulator::Kind;

use crate::redis_server::RedisServer;
use crate::wire::{Door, until};
use crate::world::{ASTRID, JONAS, World};

/// The route wants no token, which would end before the session does.
const MEMORY: &str = "[session]\nstore = \"memory\"\n[route.app]\npresent = \"nothing\"";
const SESSION: &str = "superid-gateway";

fn redis(server: &RedisServer) -> String {
    let socket = server.socket();
    format!("[session]\nstore = \"redis\"\n[redis]\nurl = \"unix://{}\"", socket.display())
}

#[tokio::test]
async fn a_session_in_memory_survives_a_reload_and_ends_for_every_copy() {
    let mut world = World::with(MEMORY).await;
    let mut browser = world.signed_in(ASTRID).await;
    let handle = browser.jar.value(SESSION).unwrap();
    assert!(handle.len() < 200, "a handle is all there is of it: {handle}");
    world.reload("[route.app]\nadministrator = true").unwrap();
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    assert_eq!(world.metric("sessions_in_memory").await, 1);
    let mut copy = browser.clone();
    browser.visit(&world.url("/auth/sign_out")).await;
    assert_eq!(copy.visit(&world.url("/orders")).await.status, 303);
    assert_eq!(world.metric("sessions_in_memory").await, 0);
    let mut again = world.signed_in(ASTRID).await;
    assert_ne!(again.jar.value(SESSION).unwrap(), handle, "each sign-in is a session of its own");
    // Used every half hour it lives until it is old, though its cookie is never written again.
    let cookie = again.jar.value(SESSION);
    for half_hour in 1..=15 {
        world.turn_clock(30 * 60);
        assert_eq!(again.visit(&world.url("/orders")).await.status, 200, "{half_hour}");
        // Its token is had anew beside it: not while the clock is turned.
        let refreshed = "session_refreshes_total{outcome=\"refreshed\"}";
        until("it landed", async || world.metric(refreshed).await == half_hour).await;
    }
    assert_eq!(again.jar.value(SESSION), cookie);
    world.turn_clock(30 * 60);
    assert_eq!(again.visit(&world.url("/orders")).await.status, 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_on_one_redis_serve_each_others_people_and_end_them() {
    let Some(server) = RedisServer::start() else { return };
    let world = World::with(&redis(&server)).await;
    let mut browser = world.signed_in(ASTRID).await;
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    let mut bystander = world.signed_in(JONAS).await;
    // From here on the browsers meet the other one.
    let _other = world.beside("").await;
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    let copy = browser.clone();
    assert_eq!(browser.visit(&world.url("/auth/sign_out")).await.status, 303);
    assert_eq!(copy.clone().visit(&world.url("/orders")).await.status, 303, "there at once");
    let address = world.gateway.addresses()[0].1;
    world.net.lead(world.authority(), Door { address, tls: None });
    let ended = Instant::now();
    while copy.clone().visit(&world.url("/orders")).await.status == 200 {
        assert!(ended.elapsed() < Duration::from_secs(5), "a replica has not noticed");
    }
    println!("noticed after {:?}", ended.elapsed());
    assert_eq!(bystander.visit(&world.url("/orders")).await.status, 200);
    // Gateways that are killed and begun anew sign nobody out.
    let world = world.taken_over("").await;
    assert_eq!(bystander.visit(&world.url("/orders")).await.status, 200);
    assert_eq!(copy.clone().visit(&world.url("/orders")).await.status, 303);
    assert_eq!(world.asked(Kind::Tokens), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_redis_lets_nobody_in_and_signs_nobody_out() {
    let Some(server) = RedisServer::start() else { return };
    let world = World::with(&redis(&server)).await;
    let mut browser = world.signed_in(ASTRID).await;
    let cookie = browser.jar.value(SESSION);
    server.freeze();
    let frozen = Instant::now();
    // What was known lately may be used for two seconds.
    let refused = loop {
        let asked = Instant::now();
        let answer = browser.visit(&world.url("/orders")).await;
        let waited = asked.elapsed();
        assert!(waited < Duration::from_secs(1), "{waited:?}");
        if answer.status != 200 {
            break answer;
        }
        assert!(frozen.elapsed() < Duration::from_secs(5), "let in without anybody to ask");
    };
    println!("refused after {:?}", frozen.elapsed());
    refused.is_page(503);
    assert!(refused.body.contains("not been signed out"), "{}", refused.body);
    assert!(refused.header("retry-after") == "10" && refused.all("set-cookie").is_empty());
    let session = format!("Cookie: {SESSION}={}\r\n", cookie.clone().unwrap());
    let known_to_be_down = Instant::now();
    let api = world.api().send("GET", &world.url("/orders"), &session).await;
    assert_eq!(api.status, 503);
    let waited = known_to_be_down.elapsed();
    assert!(waited < Duration::from_millis(500), "nobody waits twice: {waited:?}");
    browser.visit(&world.url("/auth/sign_out")).await.is_page(503);
    browser.visit(&world.url("/auth/userinfo")).await;
    assert_eq!(world.api().get(&world.url("/public/x")).await.status, 200, "nobody is asked for");
    assert_eq!(browser.jar.value(SESSION), cookie);
    server.thaw();
    let thawed = Instant::now();
    while browser.visit(&world.url("/orders")).await.status != 200 {
        assert!(thawed.elapsed() < Duration::from_secs(5), "it does not recover");
    }
    println!("recovered after {:?}", thawed.elapsed());
    assert_eq!(world.asked(Kind::Tokens), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_may_go_by_the_last_word_of_a_store_that_does_not_answer() {
    let Some(server) = RedisServer::start() else { return };
    let lenient = "\n[route.app]\nstore_outage = \"5s\"\n[route.strict]\npath = \"/strict\"\nupstream = \"$APP\"";
    let world = World::with(&format!("{}{lenient}", redis(&server))).await;
    let mut browser = world.signed_in(ASTRID).await;
    let gone = world.signed_in(JONAS).await;
    let copy = gone.clone();
    assert_eq!(gone.clone().visit(&world.url("/auth/sign_out")).await.status, 303);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    server.freeze();
    let frozen = Instant::now();
    while browser.visit(&world.url("/strict")).await.status == 200 {
        assert!(frozen.elapsed() < Duration::from_secs(4), "a route that asks for nothing refuses");
    }
    let asked = Instant::now();
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(world.metric("sessions_by_last_word_total").await, 1);
    assert_eq!(copy.clone().visit(&world.url("/orders")).await.status, 303, "ended is ended");
    // However much it is used, the word gets no younger.
    while browser.visit(&world.url("/orders")).await.status == 200 {
        assert!(frozen.elapsed() < Duration::from_secs(8), "served for ever");
    }
    println!("served by the last word until {:?}", frozen.elapsed());
    assert!(frozen.elapsed() > Duration::from_secs(3), "{:?}", frozen.elapsed());
    server.thaw();
    let thawed = Instant::now();
    while browser.visit(&world.url("/strict")).await.status != 200 {
        assert!(thawed.elapsed() < Duration::from_secs(5), "it does not recover");
    }
}
