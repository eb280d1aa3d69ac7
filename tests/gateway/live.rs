//! What somebody has open when their session ends: closed on every kind of connection, and nobody
//! else's with it.

use bytes::Bytes;
use http::Request;
use tokio::io::AsyncWriteExt as _;

use crate::browser::Browser;
use crate::h2_app::{H2App, piece};
use crate::http2_apps::{answered, post, text};
use crate::recorder::Reply;
use crate::redis_server::RedisServer;
use crate::tls::{Secure, text_of};
use crate::wire::{Door, Stream, find, read_answer, read_some, until};
use crate::world::{ASTRID, JONAS, World};

/// The route wants no token, which would end before the session does.
const NOTHING: &str = "[route.app]\npresent = \"nothing\"\n";

/// A request of somebody's, on a connection of its own.
async fn asked(world: &World, who: &Browser, method: &str, headers: &str) -> Box<dyn Stream> {
    let mut stream = world.net.connect(world.authority()).await;
    let cookie = cookie_of(who);
    let host = world.authority();
    let head =
        format!("{method} /open HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

fn cookie_of(who: &Browser) -> String {
    let names = ["__Host-superid-gateway", "superid-gateway"];
    let value = |name: &&str| who.jar.value(name).map(|value| format!("{name}={value}"));
    names.iter().find_map(value).unwrap()
}

/// A WebSocket whose app has said hello.
pub async fn tunnel(world: &World, who: &Browser) -> Box<dyn Stream> {
    let mut tunnel = asked(world, who, "GET", UPGRADE).await;
    let mut came = Vec::new();
    while !came.ends_with(b"hello") {
        assert!(read_some(&mut tunnel, &mut came).await > 0, "{}", came.escape_ascii());
    }
    tunnel
}

/// Everything until the gateway closes.
async fn rest(stream: &mut Box<dyn Stream>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while read_some(stream, &mut bytes).await > 0 {}
    bytes
}

/// Shows that what a client says comes back.
async fn talks(tunnel: &mut Box<dyn Stream>) {
    tunnel.write_all(PING).await.unwrap();
    let mut heard = Vec::new();
    while heard != PING {
        assert!(read_some(tunnel, &mut heard).await > 0, "{}", heard.escape_ascii());
    }
}

#[tokio::test]
async fn a_websocket_hears_1008_on_both_sides_when_somebody_signs_out_and_nobody_elses_does() {
    let world = World::new().await;
    let mut astrid = world.signed_in(ASTRID).await;
    let jonas = world.signed_in(JONAS).await;
    world.app.says(Reply::Echo(switched("hello")));
    let mut others = tunnel(&world, &jonas).await;
    world.app.says(Reply::Listen(switched("hello")));
    let mut own = tunnel(&world, &astrid).await;
    own.write_all(PING).await.unwrap();
    let heard = world.app.requests().len();
    astrid.visit(&world.url("/auth/sign_out")).await;
    assert_eq!(rest(&mut own).await, b"\x88\x0e\x03\xf0session over");
    world.app.hears_more_than(heard).await;
    let heard = world.app.last().body;
    let (frames, close) = heard.split_once(r"mask\x01\x02\x03").unwrap();
    assert_eq!(frames, r"\x81\x83");
    assert!(close.starts_with(r"\x88\x8e"), "{close}");
    talks(&mut others).await;
    assert_eq!(world.metric("session_connections_closed_total{reason=\"ended\"}").await, 1);
}

#[tokio::test]
async fn a_websocket_whose_frame_is_not_whole_is_closed_without_a_word_into_it() {
    let world = World::new().await;
    let mut astrid = world.signed_in(ASTRID).await;
    world.app.says(Reply::Echo(switched("hello") + "\u{1}\u{5}hel"));
    let mut own = asked(&world, &astrid, "GET", UPGRADE).await;
    let mut came = Vec::new();
    while !came.ends_with(b"\x01\x05hel") {
        assert!(read_some(&mut own, &mut came).await > 0, "{}", came.escape_ascii());
    }
    astrid.visit(&world.url("/auth/sign_out")).await;
    assert_eq!(rest(&mut own).await, b"");
}

#[tokio::test]
async fn a_websocket_lives_while_its_session_is_used_elsewhere_and_ends_with_either_lifetime() {
    let world = World::with(&format!("{NOTHING}[session]\nidle = \"1h\"\nabsolute = \"2h\"")).await;
    let mut astrid = world.signed_in(ASTRID).await;
    let jonas = world.signed_in(JONAS).await;
    world.app.says(Reply::Echo(switched("hello")));
    let mut used = tunnel(&world, &astrid).await;
    let mut unused = tunnel(&world, &jonas).await;
    world.app.says_with("");
    world.turn_clock(40 * 60);
    assert_eq!(astrid.visit(&world.url("/orders")).await.status, 200);
    // It set out beside the visit, and is not to be forty minutes on its way.
    let refreshed = "session_refreshes_total{outcome=\"refreshed\"}";
    until("the tokens are had anew", async || world.metric(refreshed).await == 1).await;
    world.turn_clock(40 * 60);
    assert_eq!(rest(&mut unused).await, b"\x88\x0e\x03\xf0session over");
    assert_eq!(world.metric("session_connections_closed_total{reason=\"idle\"}").await, 1);
    assert_eq!(astrid.visit(&world.url("/orders")).await.status, 200);
    talks(&mut used).await;
    world.turn_clock(40 * 60);
    assert_eq!(rest(&mut used).await, b"\x88\x0e\x03\xf0session over");
    assert_eq!(world.metric("session_connections_closed_total{reason=\"too_old\"}").await, 1);
}

#[tokio::test]
async fn events_end_and_a_download_is_cut_and_what_waits_is_sent_to_sign_in() {
    let world = World::with("[session]\nstore = \"memory\"").await;
    let mut astrid = world.signed_in(ASTRID).await;
    world.app.says(Reply::Echo(stream_of("text/event-stream")));
    let mut events = asked(&world, &astrid, "GET", "Accept: text/event-stream\r\n").await;
    world.app.hears_more_than(0).await;
    world.app.says(Reply::Echo(stream_of("application/pdf")));
    let mut download = asked(&world, &astrid, "GET", "").await;
    world.app.hears_more_than(1).await;
    world.app.says(Reply::Held);
    let mut waits = asked(&world, &astrid, "GET", "").await;
    world.app.hears_more_than(2).await;
    let mut navigates = asked(&world, &astrid, "GET", "Accept: text/html\r\n").await;
    world.app.hears_more_than(3).await;
    let mut sends = asked(&world, &astrid, "POST", "Content-Length: 99999999\r\n").await;
    sends.write_all(&[b'x'; 4096]).await.unwrap();
    until("all are on their way", async || world.metric("requests_in_flight").await == 5).await;
    astrid.visit(&world.url("/auth/sign_out")).await;
    assert_eq!(read_answer(&mut events, "GET").await.expect("a whole body").body, "data: 1\n\n");
    let cut = rest(&mut download).await;
    assert!(find(&cut, b"data: 1").is_some() && find(&cut, b"\r\n0\r\n").is_none());
    let waited = read_answer(&mut waits, "GET").await.unwrap();
    assert_eq!((waited.status, waited.header("connection")), (401, "close"));
    assert_eq!(waited.json()["error"], "sign_in_required");
    let navigated = read_answer(&mut navigates, "GET").await.unwrap();
    assert!(navigated.location().starts_with("/auth/start?rd="), "{:?}", navigated.headers);
    assert_eq!(read_answer(&mut sends, "POST").await.unwrap().status, 401);
    assert_eq!(world.metric("session_connections_closed_total{reason=\"ended\"}").await, 5);
}

#[tokio::test]
async fn over_http_2_events_end_a_download_is_reset_and_an_upload_hears_401() {
    let secure = Secure::new("live-h2").await;
    let world = &secure.world;
    let mut astrid = world.signed_in(ASTRID).await;
    let cookie = cookie_of(&astrid);
    let client = secure.h2_client().await;
    let get = async || {
        let request = Request::get(world.url("/open")).header("cookie", &cookie);
        let mut ready = client.clone().ready().await.unwrap();
        let (answer, _) = ready.send_request(request.body(()).unwrap(), true).unwrap();
        answered(answer).await
    };
    world.app.says(Reply::Echo(stream_of("text/event-stream")));
    let (_, _, mut events) = get().await;
    world.app.says(Reply::Echo(stream_of("application/pdf")));
    let (_, _, mut download) = get().await;
    assert_eq!(piece(&mut download).await, Some(text("data: 1\n\n")));
    world.app.says(Reply::Held);
    let seen = world.app.requests().len();
    let headers = [("cookie", cookie.as_str())];
    let (waits, mut nothing) = post(&client, &world.url("/open"), &headers).await;
    nothing.send_data(Bytes::new(), true).unwrap();
    world.app.hears_more_than(seen).await;
    let (sends, mut body) = post(&client, &world.url("/open"), &headers).await;
    body.send_data(Bytes::from_static(&[b'x'; 4096]), false).unwrap();
    astrid.visit(&world.url("/auth/sign_out")).await;
    assert_eq!(text_of(&mut events).await, "data: 1\n\n");
    assert!(download.data().await.unwrap().is_err(), "it is no whole answer");
    assert_eq!(answered(waits).await.0, 401);
    assert_eq!(answered(sends).await.0, 401);
}

#[tokio::test]
async fn with_an_app_of_http_2_it_is_the_same_over_http_1_and_http_2() {
    let app = H2App::start().await;
    let secure = Secure::with("live-h2-app", &app.behind_all()).await;
    let world = &secure.world;
    let mut astrid = world.browser();
    astrid.sign_in(&world.url("/"), ASTRID).await;
    app.hands_over();
    let cookie = cookie_of(&astrid);
    let client = secure.h2_client().await;
    let headers = [("cookie", cookie.as_str())];
    let (talk, mut talking) = post(&client, &world.url("/open"), &headers).await;
    talking.send_data(text("ask"), false).unwrap();
    let mut asked_of_app = app.next().await;
    let mut answering = asked_of_app.begins(&[("content-type", "application/grpc")]);
    answering.send_data(text("told"), false).unwrap();
    let (_, _, mut told) = answered(talk).await;
    assert_eq!(piece(&mut told).await, Some(text("told")));
    let (waits, _saying) = post(&client, &world.url("/open"), &headers).await;
    let _unanswered = app.next().await;
    let mut events = asked(world, &astrid, "GET", "").await;
    let mut asked_of_app = app.next().await;
    let mut eventful = asked_of_app.begins(&[("content-type", "text/event-stream")]);
    eventful.send_data(text("data: 1\n\n"), false).unwrap();
    astrid.visit(&world.url("/auth/sign_out")).await;
    assert!(told.data().await.unwrap().is_err(), "it is no whole answer");
    assert_eq!(answered(waits).await.0, 401);
    assert_eq!(read_answer(&mut events, "GET").await.expect("a whole body").body, "data: 1\n\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_is_closed_when_its_session_ends_at_another_replica() {
    let Some(server) = RedisServer::start() else { return };
    let socket = server.socket();
    let redis = format!(
        "{NOTHING}[session]\nstore = \"redis\"\n[redis]\nurl = \"unix://{}\"",
        socket.display()
    );
    let world = World::with(&redis).await;
    let mut astrid = world.signed_in(ASTRID).await;
    world.app.says(Reply::Echo(switched("hello")));
    let mut own = tunnel(&world, &astrid).await;
    // From here on the browser meets the other one.
    let other = world.beside("").await;
    let address = other.addresses()[0].1;
    world.net.lead(world.authority(), Door { address, tls: None });
    let ended = std::time::Instant::now();
    assert_eq!(astrid.visit(&world.url("/auth/sign_out")).await.status, 303);
    assert_eq!(rest(&mut own).await, b"\x88\x0e\x03\xf0session over");
    println!("ended at another replica, closed here after {:?}", ended.elapsed());
}

pub fn switched(says: &str) -> String {
    let length = char::from(says.len() as u8);
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u{1}{length}{says}"
    )
}

fn stream_of(kind: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n\
         9\r\ndata: 1\n\n\r\n"
    )
}

/// What a client says: a masked frame of three bytes.
const PING: &[u8] = b"\x81\x83mask\x01\x02\x03";
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
