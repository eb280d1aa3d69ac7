//! Tokens had anew: once for all requests of a session, ahead of time, whatever keeps the session.

use std::net::SocketAddr;

use superid_gateway::emulator::{Fault, Kind};
use superid_gateway::server::Running;
use tokio::task::JoinSet;

use crate::api_client::ApiClient;
use crate::browser::Browser;
use crate::redis_server::RedisServer;
use crate::wire::{Door, Net, until};
use crate::world::{ASTRID, World};

const SESSION: &str = "superid-gateway";
const CROWDED: &str = "[limits]\nmax_connections_per_address = 20000\nsuperid_timeout = \"30s\"\n";
const HELD: Fault = Fault::Hold { endpoint: Kind::Tokens };
const DOWN: Fault = Fault::DropConnection { endpoint: Kind::Tokens };
/// As if nobody had renewed them for as long as they last.
const LEASES_END: &str =
    "for _, name in ipairs(redis.call('KEYS', '*lease:refresh:*')) do redis.call('DEL', name) end";
/// When an access token is dead.
const HOUR: u64 = 3_600;

/// So many at the moment of expiry: a quarter of what is promised, or what `REFRESH_REQUESTS` says.
fn requests() -> usize {
    std::env::var("REFRESH_REQUESTS").map_or(250, |count| count.parse().unwrap())
}

/// Each kind of store of one process.
const ALONE: [&str; 2] = [
    "[session]\nidle = \"8h\"\nstore = \"cookie\"\n",
    "[session]\nidle = \"8h\"\nstore = \"memory\"\n",
];
/// For those who come again when their access token is dead.
const LONG: &str = "[session]\nidle = \"8h\"\n";

/// The same over what replicas share.
fn shared(store: &str, server: &RedisServer) -> String {
    let socket = server.socket();
    let redis = format!("[redis]\nurl = \"unix://{}\"", socket.display());
    format!("{LONG}store = \"{store}\"\nreplicas = 3\n{redis}\n{CROWDED}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_moment_of_expiry_one_refresh_serves_all_requests_of_one_process() {
    for store in ALONE {
        let world = World::with(&format!("{store}{CROWDED}")).await;
        world.superid.faults().set(Fault::OneUseRefresh);
        let browser = world.signed_in(ASTRID).await;
        world.turn_clock(HOUR);
        let doors = [world.gateway.addresses()[0].1];
        at_once(&world, &browser, &doors, &[]).await;
        assert_eq!(world.asked(Kind::Tokens), 2, "{store}");
        // Whoever comes late with what the browser had, gets it too.
        let mut late = browser.clone();
        assert_eq!(late.visit(&world.url("/late")).await.status, 200);
        assert_eq!(world.asked(Kind::Tokens), 2, "{store}");
        refreshed_again(&world, &[], late).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_moment_of_expiry_one_refresh_serves_all_requests_of_three_processes() {
    for store in ["redis", "cookie"] {
        let Some(server) = RedisServer::start() else { return };
        let world = World::with(&shared(store, &server)).await;
        let first = world.gateway.addresses()[0].1;
        let others = [world.beside("").await, world.beside("").await];
        let [second, third] = others.each_ref().map(|other| other.addresses()[0].1);
        world.superid.faults().set(Fault::OneUseRefresh);
        let browser = world.signed_in(ASTRID).await;
        world.turn_clock(HOUR);
        at_once(&world, &browser, &[first, second, third], &others.each_ref()[..]).await;
        assert_eq!(world.asked(Kind::Tokens), 2, "{store}");
        for address in [first, second, third] {
            world.net.lead(world.authority(), Door { address, tls: None });
            let mut late = browser.clone();
            assert_eq!(late.visit(&world.url("/late")).await.status, 200, "{store}");
        }
        assert_eq!(world.asked(Kind::Tokens), 2, "{store}");
        refreshed_again(&world, &others.each_ref()[..], browser).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ahead_of_time_nobody_waits_for_it_and_the_browser_gets_what_came() {
    for store in ALONE {
        let world = World::with(store).await;
        world.superid.faults().set(Fault::OneUseRefresh);
        let mut browser = world.signed_in(ASTRID).await;
        let (cookie, first) = (browser.jar.value(SESSION), bearer(&world, &mut browser).await);
        world.turn_clock(HOUR / 2);
        world.superid.faults().set(HELD);
        assert_eq!(bearer(&world, &mut browser).await, first, "{store}: as long as nothing came");
        until("SuperID is asked", async || world.asked(Kind::Tokens) == 2).await;
        let mut early = browser.clone();
        assert_eq!(bearer(&world, &mut early).await, first);
        world.superid.faults().end(&HELD);
        landed(&world, "refreshed", 1).await;
        let mut copy = browser.clone();
        let second = bearer(&world, &mut browser).await;
        assert_ne!(second, first, "{store}");
        assert_eq!(bearer(&world, &mut copy).await, second, "{store}: two tabs");
        assert_eq!(browser.jar.value(SESSION) == cookie, store.contains("memory"));
        assert_eq!(world.asked(Kind::Tokens), 2);
        // The first token is dead by then, and nobody has to sign in.
        world.turn_clock(HOUR / 4);
        assert_eq!(bearer(&world, &mut browser).await, second);
        world.turn_clock(HOUR / 4);
        assert_eq!(bearer(&world, &mut browser).await, second, "half of its life: the next is due");
        landed(&world, "refreshed", 2).await;
        assert_ne!(bearer(&world, &mut browser).await, second);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_superid_that_keeps_the_refresh_token_is_asked_with_it_again_and_again() {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    for round in 1..=6 {
        world.turn_clock(HOUR / 2);
        assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
        landed(&world, "refreshed", round).await;
    }
    assert_eq!(world.asked(Kind::Authorize), 1, "one sign-in for three hours");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_superid_refuses_ends_the_session_and_every_copy() {
    for store in ALONE {
        let world = World::with(store).await;
        let mut browser = world.signed_in(ASTRID).await;
        world.superid.tenants().revoke_consent("client-of-main", "Cust12345").unwrap();
        let mut copy = browser.clone();
        world.turn_clock(HOUR / 2);
        assert_eq!(browser.visit(&world.url("/orders")).await.status, 200, "not known yet");
        landed(&world, "refused", 1).await;
        assert_eq!(browser.visit(&world.url("/orders")).await.status, 303);
        assert_eq!(copy.visit(&world.url("/orders")).await.status, 303, "{store}");
        assert_eq!(world.metric("sessions_ended_total{reason=\"refused\"}").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_are_not_believed_end_the_session_and_are_not_used() {
    let world = World::with(LONG).await;
    let mut browser = world.signed_in(ASTRID).await;
    world.superid.faults().set(Fault::WrongKey);
    world.turn_clock(HOUR);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 303);
    assert_eq!(world.metric("session_refreshes_total{outcome=\"refused\"}").await, 1);
    world.app.heard_nothing();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_while_it_is_refreshed_stays_ended() {
    let server = RedisServer::start();
    let shared = server.as_ref().map(|server| shared("redis", server));
    for store in ALONE.into_iter().chain(shared.as_deref()) {
        let world = World::with(store).await;
        world.superid.faults().set(Fault::OneUseRefresh);
        let mut browser = world.signed_in(ASTRID).await;
        world.turn_clock(HOUR / 2);
        world.superid.faults().set(HELD);
        assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
        until("SuperID is asked", async || world.asked(Kind::Tokens) == 2).await;
        let mut copy = browser.clone();
        assert_eq!(copy.visit(&world.url("/auth/sign_out")).await.status, 303);
        world.superid.faults().end(&HELD);
        landed(&world, "refreshed", 1).await;
        assert_eq!(browser.visit(&world.url("/orders")).await.status, 303, "{store}");
        assert_eq!(world.metric("sessions_in_memory").await, 0, "{store}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_ends_nothing_and_a_route_that_needs_the_token_says_503() {
    let changes = "[route.api]\npath = \"/api\"\nupstream = \"$APP\"\npresent = \"bearer\"\n";
    let world = World::with(&format!("{changes}{LONG}")).await;
    let mut browser = world.signed_in(ASTRID).await;
    world.superid.faults().set(DOWN);
    world.turn_clock(HOUR);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    let told = world.app.last();
    assert_eq!(told.header("Authorization"), None, "a dead token is shown to nobody");
    browser.visit(&world.url("/api/orders")).await.is_page(503);
    landed(&world, "outage", 1).await;
    let asked = world.asked(Kind::Tokens);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    assert_eq!(world.asked(Kind::Tokens), asked, "it is not asked for each request");
    world.superid.faults().clear();
    world.turn_clock(60);
    assert_eq!(browser.visit(&world.url("/api/orders")).await.status, 200);
    assert!(world.app.last().header("Authorization").is_some());
    assert_eq!(world.asked(Kind::Authorize), 1);
}

/// So many sessions through half an hour without SuperID: a fiftieth of what is promised, or what
/// `REFRESH_SESSIONS` says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_superid_that_is_down_for_half_an_hour_fails_nobody_who_is_signed_in() {
    let sessions = std::env::var("REFRESH_SESSIONS").map_or(20, |count| count.parse().unwrap());
    let world = World::new().await;
    let mut browsers: Vec<Browser> = Vec::new();
    for _ in 0..6 {
        for _ in 0..sessions / 6 + 1 {
            browsers.push(world.signed_in(ASTRID).await);
        }
        world.turn_clock(300);
    }
    let mut rounds = 0;
    serve(&world, &mut browsers).await;
    until("what is due is there", async || {
        let due = world.metric("session_refreshes_total{outcome=\"refreshed\"}").await;
        due >= (sessions / 6 + 1) as u64
    })
    .await;
    for endpoint in [Kind::Tokens, Kind::Jwks, Kind::Authorize, Kind::Discovery] {
        world.superid.faults().set(Fault::DropConnection { endpoint });
    }
    let asked = world.asked(Kind::Tokens);
    for _ in 0..6 {
        world.turn_clock(300);
        serve(&world, &mut browsers).await;
        rounds += 1;
    }
    let tried = world.asked(Kind::Tokens) - asked;
    println!("{} sessions, {rounds} rounds, SuperID was tried {tried} times", browsers.len());
    assert!(tried < 100, "{tried}");
    assert_eq!(world.metric("session_refreshes_total{outcome=\"refused\"}").await, 0);
    world.superid.faults().clear();
    world.turn_clock(60);
    serve(&world, &mut browsers).await;
    until("all are refreshed", async || {
        serve(&world, &mut browsers).await;
        let refreshed = world.metric("session_refreshes_total{outcome=\"refreshed\"}").await;
        refreshed >= browsers.len() as u64
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_was_sent_in_vain_and_then_refused_serves_until_it_is_dead() {
    let world = World::with("[limits]\nsuperid_timeout = \"1s\"").await;
    world.superid.faults().set(Fault::OneUseRefresh);
    let mut browser = world.signed_in(ASTRID).await;
    world.turn_clock(HOUR / 2);
    // The answer is lost; the token is spent.
    world.superid.faults().set(HELD);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    landed(&world, "outage", 1).await;
    world.superid.faults().end(&HELD);
    world.turn_clock(60);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    landed(&world, "lost", 1).await;
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200, "nobody was refused");
    world.turn_clock(HOUR / 2 - 61);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    assert_eq!(world.asked(Kind::Tokens), 3, "it is not sent a third time");
    world.turn_clock(1);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 303, "in again, silently");
    assert_eq!(browser.open(&world.url("/orders")).await.status, 200);
}

/// A process that stands still for longer than its lease lasts asks when another has had its turn, and is
/// told that the token was used.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_that_comes_to_who_has_lost_the_turn_ends_nothing() {
    for store in ["redis", "cookie"] {
        let Some(server) = RedisServer::start() else { return };
        let world = World::with(&shared(store, &server)).await;
        let first = world.gateway.addresses()[0].1;
        let other = world.beside("").await;
        world.net.lead(world.authority(), Door { address: first, tls: None });
        let mut browser = world.signed_in(ASTRID).await;
        let mut copy = browser.clone();
        world.turn_clock(HOUR / 2);
        world.superid.faults().set(HELD);
        world.superid.faults().set(Fault::WrongKey);
        assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
        until("the first asks", async || world.asked(Kind::Tokens) == 2).await;
        world.superid.faults().end(&Fault::WrongKey);
        let address = other.addresses()[0].1;
        world.net.lead(world.authority(), Door { address, tls: None });
        assert_eq!(copy.visit(&world.url("/orders")).await.status, 200);
        until("the other has the turn", async || {
            server.ask(&["EVAL", LEASES_END, "0"]);
            world.asked(Kind::Tokens) == 3
        })
        .await;
        world.superid.faults().end(&HELD);
        let named = |outcome: &str| {
            format!("superid_gateway_session_refreshes_total{{outcome=\"{outcome}\"}} ")
        };
        until("both have landed", async || {
            let mut landed = 0;
            for outcome in ["refreshed", "adopted", "lost", "refused"] {
                landed += summed(&world, &[&other], &named(outcome)).await;
            }
            landed >= 2
        })
        .await;
        assert_eq!(summed(&world, &[&other], &named("refused")).await, 0, "{store}");
        for address in [first, address] {
            world.net.lead(world.authority(), Door { address, tls: None });
            assert_eq!(browser.visit(&world.url("/orders")).await.status, 200, "{store}");
        }
        world.turn_clock(HOUR / 2);
        assert_eq!(browser.visit(&world.url("/orders")).await.status, 200, "{store}: by the new");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_never_reaches_the_app_or_a_page() {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    world.turn_clock(HOUR / 2);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    landed(&world, "refreshed", 1).await;
    let page = browser.visit(&world.url("/auth/userinfo")).await;
    assert!(!page.body.contains("refresh"), "{}", page.body);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    // The app is told names of sixty-four letters by nobody.
    let looks_like_one =
        |word: &str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_alphanumeric());
    for (name, value) in world.app.last().headers {
        assert!(!value.split([' ', '=', ';', '"']).any(looks_like_one), "{name}");
    }
}

/// Has everybody ask at once, with SuperID's answer held until all are there.
async fn at_once(world: &World, browser: &Browser, doors: &[SocketAddr], others: &[&Running]) {
    world.superid.faults().set(HELD);
    let cookie = format!("Cookie: {SESSION}={}\r\n", browser.jar.value(SESSION).unwrap());
    let mut crowd = JoinSet::new();
    for number in 0..requests() {
        let (net, address) = (Net::default(), doors[number % doors.len()]);
        net.lead(world.authority(), Door { address, tls: None });
        let (url, cookie) = (world.url("/orders"), cookie.clone());
        crowd.spawn(async move { ApiClient(net).send("GET", &url, &cookie).await.status });
    }
    until("one asks SuperID", async || world.asked(Kind::Tokens) == 2).await;
    until("all are there", async || waiting(world, others).await >= requests() as u64).await;
    world.superid.faults().end(&HELD);
    let answers = crowd.join_all().await;
    let served = answers.iter().filter(|status| **status == 200).count();
    assert_eq!(served, requests(), "{answers:?}");
}

/// Requests in flight, over all gateways.
async fn waiting(world: &World, others: &[&Running]) -> u64 {
    summed(world, others, "superid_gateway_requests_in_flight ").await
}

/// Refreshes that brought tokens, over all gateways.
async fn refreshed(world: &World, others: &[&Running]) -> u64 {
    let name = "superid_gateway_session_refreshes_total{outcome=\"refreshed\"} ";
    summed(world, others, name).await
}

async fn summed(world: &World, others: &[&Running], metric: &str) -> u64 {
    let mut sum = 0;
    for gateway in others.iter().copied().chain([&world.gateway]) {
        let url = format!("http://{}/metrics", gateway.admin().unwrap());
        let text = world.api().get(&url).await.body;
        let line = text.lines().find_map(|line| line.strip_prefix(metric)).unwrap_or("0");
        sum += line.parse::<u64>().unwrap();
    }
    sum
}

/// The next one works too: what is kept is what came last.
async fn refreshed_again(world: &World, others: &[&Running], mut browser: Browser) {
    let (asked, before) = (world.asked(Kind::Tokens), refreshed(world, others).await);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    world.turn_clock(HOUR / 2);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    until("it is asked again", async || world.asked(Kind::Tokens) == asked + 1).await;
    // Not before it has landed: the clock is turned next.
    until("it came", async || refreshed(world, others).await == before + 1).await;
    world.turn_clock(HOUR / 8);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    assert_eq!(world.asked(Kind::Authorize), 1);
}

async fn serve(world: &World, browsers: &mut [Browser]) {
    for browser in browsers {
        let answer = browser.visit(&world.url("/orders")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(world.app.last().header("Authorization").is_some(), "with its token");
        world.app.clear();
    }
}

async fn bearer(world: &World, browser: &mut Browser) -> String {
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    world.app.last().header("Authorization").unwrap().to_owned()
}

async fn landed(world: &World, outcome: &str, times: u64) {
    let name = format!("session_refreshes_total{{outcome=\"{outcome}\"}}");
    until(outcome, async || world.metric(&name).await >= times).await;
}
