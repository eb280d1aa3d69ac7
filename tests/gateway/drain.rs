//! The end of the process: what is in flight is finished, what waits may ask once more, and what
//! has no end is given one.

use std::time::Duration;

use http::Request;
use superid_gateway::server::Running;
use superid_gateway::telemetry::Drained;
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::recorder::{Recorder, Reply};
use crate::tls::{Secure, asked, text_of, told_to_go};
use crate::wire::{Answer, Net, PATIENCE, Stream, read_answer, read_some, until};
use crate::world::World;

/// A world whose gateway is taken out, so that it can be stopped.
struct Leaving {
    net: Net,
    app: Recorder,
    own: String,
    admin: String,
}

impl Leaving {
    fn of(world: World) -> (Self, Running) {
        let (own, admin) = (world.authority().to_owned(), world.gateway.admin().unwrap());
        let World { net, app, gateway, .. } = world;
        (Self { net, app, own, admin: admin.to_string() }, gateway)
    }

    /// Begins the end, and waits until readiness says so.
    async fn stop(&self, gateway: Running) -> JoinHandle<Drained> {
        let stopping = tokio::spawn(gateway.stop());
        let ready = "GET /ready HTTP/1.1\r\nHost: admin\r\n\r\n";
        until("readiness says so", async || {
            self.net.ask(&self.admin, ready.as_bytes()).await.unwrap().status == 503
        })
        .await;
        stopping
    }

    async fn connect(&self) -> Box<dyn Stream> {
        self.net.connect(&self.own).await
    }

    async fn send(&self, stream: &mut Box<dyn Stream>, path: &str, headers: &str) {
        let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", self.own);
        stream.write_all(head.as_bytes()).await.unwrap();
    }

    async fn ask(&self, stream: &mut Box<dyn Stream>) -> Answer {
        self.send(stream, "/public/x", "").await;
        read_answer(stream, "GET").await.expect("an answer")
    }

    /// Everything until the gateway closes.
    async fn rest(&self, stream: &mut Box<dyn Stream>) -> Vec<u8> {
        let mut bytes = Vec::new();
        while read_some(stream, &mut bytes).await > 0 {}
        bytes
    }
}

#[tokio::test]
async fn while_others_notice_connections_are_taken_and_every_answer_says_close() {
    let world = World::tuned("", |settings| settings.limits.drain_delay = A_WHILE).await;
    let (leaving, gateway) = Leaving::of(world);
    let mut kept = leaving.connect().await;
    assert_ne!(leaving.ask(&mut kept).await.header("connection"), "close");
    leaving.app.says(Reply::Held);
    let mut begun = leaving.connect().await;
    leaving.send(&mut begun, "/public/x", "").await;
    leaving.app.hears_more_than(1).await;
    let stopping = leaving.stop(gateway).await;
    leaving.app.open();
    let answer = read_answer(&mut begun, "GET").await.unwrap();
    assert_eq!(answer.header("connection"), "close", "begun before");
    assert_eq!(leaving.ask(&mut kept).await.header("connection"), "close", "kept before");
    let mut fresh = leaving.connect().await;
    assert_eq!(leaving.ask(&mut fresh).await.header("connection"), "close", "taken since");
    let mut own = leaving.connect().await;
    leaving.send(&mut own, "/orders", "").await;
    let answer = read_answer(&mut own, "GET").await.unwrap();
    assert_eq!((answer.status, answer.header("connection")), (401, "close"), "a page of our own");
    for mut stream in [begun, kept, fresh, own] {
        assert_eq!(leaving.rest(&mut stream).await, b"");
    }
    assert!(!stopping.is_finished());
    stopping.abort();
}

#[tokio::test]
async fn a_connection_that_waits_may_bring_one_last_request_when_nothing_is_taken_any_more() {
    let world = World::tuned("", |settings| settings.limits.drain_idle = LONG).await;
    let (leaving, gateway) = Leaving::of(world);
    let address = leaving.own.replace("localhost", "127.0.0.1");
    let mut kept = leaving.connect().await;
    leaving.ask(&mut kept).await;
    let stopping = leaving.stop(gateway).await;
    let refused = async || tokio::net::TcpStream::connect(&address).await.is_err();
    until("nothing is taken any more", refused).await;
    let answer = leaving.ask(&mut kept).await;
    assert_eq!((answer.status, answer.header("connection")), (200, "close"));
    assert_eq!(stopping.await.unwrap(), Drained { closed: 0, cut: 0, finished: 1 });
}

#[tokio::test]
async fn a_connection_that_waits_in_vain_is_closed_and_keeps_nobody() {
    let idle = Duration::from_millis(50);
    let world = World::tuned("", |settings| settings.limits.drain_idle = idle).await;
    let (leaving, gateway) = Leaving::of(world);
    let mut kept = leaving.connect().await;
    leaving.ask(&mut kept).await;
    let drained = gateway.stop().await;
    assert_eq!(leaving.rest(&mut kept).await, b"");
    assert_eq!(drained, Drained::default());
}

#[tokio::test]
async fn http2_is_told_to_go_and_its_request_in_flight_is_finished() {
    let secure = Secure::new("goaway").await;
    let client = secure.h2_client().await;
    secure.world.app.says(Reply::Held);
    let url = secure.world.url("/public/slow");
    let mut ready = client.clone().ready().await.unwrap();
    let request = Request::get(url).body(()).unwrap();
    let (response, _) = ready.send_request(request, true).unwrap();
    secure.world.app.hears_more_than(0).await;
    let Secure { world, .. } = secure;
    let (app, stopping) = (world.app, tokio::spawn(world.gateway.stop()));
    let told = told_to_go(&client).await;
    assert!(told.is_go_away() && told.reason() == Some(h2::Reason::NO_ERROR), "{told}");
    app.open();
    let (head, mut body) = response.await.unwrap().into_parts();
    assert_eq!((head.status.as_u16(), text_of(&mut body).await.as_str()), (200, "the app"));
    assert_eq!(stopping.await.unwrap(), Drained { closed: 0, cut: 0, finished: 1 });
}

/// A ping is answered before anything else (RFC 9113 §6.7), so a client's answer says nothing of the
/// requests it made before it heard.
#[tokio::test]
async fn a_request_that_was_made_before_goaway_was_heard_is_answered_though_it_comes_behind_a_ping()
{
    let secure = Secure::new("behind").await;
    let (client, connection, unread) = secure.h2_client_by_hand().await;
    let mut connection = std::pin::pin!(connection);
    let url = secure.world.url("/public/x");
    let first = asked(&client, &url);
    let status = tokio::select! {
        status = first => status,
        _ = &mut connection => panic!("the connection ended"),
    };
    assert_eq!(status, 200);
    // Nothing is read or written for the client from here on.
    let stopping = tokio::spawn(secure.world.gateway.stop());
    timeout(PATIENCE, unread.peek(&mut [0])).await.expect("GOAWAY").unwrap();
    let mut ready = client.clone().ready().await.expect("a client that has not heard");
    let (response, _) = ready.send_request(Request::get(url).body(()).unwrap(), true).unwrap();
    // Whoever closes first, the other may find it closed.
    let (answer, _closed) = tokio::join!(response, connection);
    assert_eq!(answer.expect("an answer").status(), 200);
    assert_eq!(stopping.await.unwrap(), Drained { closed: 0, cut: 0, finished: 1 });
}

#[tokio::test]
async fn an_http2_connection_that_comes_late_is_served_before_it_is_told_to_go() {
    let secure = Secure::tuned("late", |settings| settings.limits.drain_delay = A_WHILE).await;
    let before = secure.h2_client().await.ready().await.unwrap();
    let url = secure.world.url("/public/x");
    let certificate = secure.certificate.clone();
    let port = secure.world.port;
    let stopping = tokio::spawn(secure.world.gateway.stop());
    told_to_go(&before).await;
    let late = Secure::connected(&certificate, port).await;
    let request = Request::get(url).body(()).unwrap();
    let (response, _) = late.ready().await.unwrap().send_request(request, true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
    stopping.abort();
}

#[tokio::test]
async fn at_the_end_of_its_time_a_websocket_hears_1001_on_both_sides() {
    let world = World::tuned("", |settings| settings.limits.drain_timeout = SHORT).await;
    world.app.says(Reply::Listen(SWITCHED.to_owned() + "\u{1}\u{5}hello"));
    let (leaving, gateway) = Leaving::of(world);
    let mut tunnel = leaving.connect().await;
    leaving.send(&mut tunnel, "/public/ws", UPGRADE).await;
    let mut came = Vec::new();
    while !came.ends_with(b"hello") {
        assert!(read_some(&mut tunnel, &mut came).await > 0);
    }
    tunnel.write_all(b"\x81\x83mask\x01\x02\x03").await.unwrap();
    let drained = gateway.stop().await;
    assert_eq!(leaving.rest(&mut tunnel).await, b"\x88\x02\x03\xe9");
    assert_eq!(drained, Drained { closed: 1, cut: 0, finished: 0 });
    leaving.app.hears_more_than(1).await;
    let heard = leaving.app.last().body;
    let (frames, close) = heard.split_once(r"mask\x01\x02\x03").unwrap();
    assert_eq!(frames, r"\x81\x83");
    assert!(close.starts_with(r"\x88\x82"), "{close}");
}

#[tokio::test]
async fn a_websocket_over_tls_hears_1001_too() {
    let secure = Secure::tuned("wss", |settings| settings.limits.drain_timeout = SHORT).await;
    secure.world.app.says(Reply::Listen(SWITCHED.to_owned() + "\u{1}\u{5}hello"));
    let (leaving, gateway) = Leaving::of(secure.world);
    let mut tunnel = leaving.connect().await;
    leaving.send(&mut tunnel, "/public/ws", UPGRADE).await;
    let mut came = Vec::new();
    while !came.ends_with(b"hello") {
        assert!(read_some(&mut tunnel, &mut came).await > 0);
    }
    let drained = gateway.stop().await;
    assert_eq!(leaving.rest(&mut tunnel).await, b"\x88\x02\x03\xe9");
    assert_eq!(drained, Drained { closed: 1, cut: 0, finished: 0 });
}

#[tokio::test]
async fn a_websocket_whose_frame_is_not_whole_is_sent_nothing_into_it() {
    let world = World::tuned("", |settings| settings.limits.drain_timeout = SHORT).await;
    world.app.says(Reply::Listen(SWITCHED.to_owned() + "\u{1}\u{5}hel"));
    let (leaving, gateway) = Leaving::of(world);
    let mut tunnel = leaving.connect().await;
    leaving.send(&mut tunnel, "/public/ws", UPGRADE).await;
    let mut came = Vec::new();
    while !came.ends_with(b"hel") {
        assert!(read_some(&mut tunnel, &mut came).await > 0);
    }
    let drained = gateway.stop().await;
    assert_eq!(leaving.rest(&mut tunnel).await, b"");
    assert_eq!(drained.finished, 0);
}

#[tokio::test]
async fn at_the_end_of_its_time_an_event_stream_comes_to_a_proper_end() {
    let world = World::tuned("", |settings| settings.limits.drain_timeout = SHORT).await;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
    let events = format!("{head}Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
    world.app.says(Reply::Echo(events));
    let (leaving, gateway) = Leaving::of(world);
    let mut stream = leaving.connect().await;
    leaving.send(&mut stream, "/public/events", "").await;
    leaving.app.hears_more_than(0).await;
    let (answer, drained) = tokio::join!(read_answer(&mut stream, "GET"), gateway.stop());
    assert_eq!(answer.expect("a whole body").body, "data: 1\n\n");
    assert_eq!(drained, Drained { closed: 1, cut: 0, finished: 0 });
}

#[tokio::test]
async fn at_the_end_of_its_time_an_event_stream_over_http_2_comes_to_a_proper_end() {
    let secure = Secure::tuned("events", |settings| settings.limits.drain_timeout = SHORT).await;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
    let events = format!("{head}Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
    secure.world.app.says(Reply::Echo(events));
    let client = secure.h2_client().await;
    let request = Request::get(secure.world.url("/public/events")).body(()).unwrap();
    let (response, _) = client.ready().await.unwrap().send_request(request, true).unwrap();
    let mut body = response.await.unwrap().into_body();
    let (text, drained) = tokio::join!(text_of(&mut body), secure.world.gateway.stop());
    assert_eq!(text, "data: 1\n\n");
    assert_eq!(drained, Drained { closed: 1, cut: 0, finished: 0 });
}

#[tokio::test]
async fn a_request_over_http_2_that_is_not_done_at_the_end_of_its_time_hears_503() {
    let secure = Secure::tuned("waits", |settings| settings.limits.drain_timeout = SHORT).await;
    secure.world.app.says(Reply::Held);
    let client = secure.h2_client().await;
    let request = Request::get(secure.world.url("/public/slow")).body(()).unwrap();
    let (response, _) = client.ready().await.unwrap().send_request(request, true).unwrap();
    secure.world.app.hears_more_than(0).await;
    let (answer, drained) = tokio::join!(response, secure.world.gateway.stop());
    assert_eq!(answer.unwrap().status(), 503);
    assert_eq!(drained, Drained { closed: 0, cut: 1, finished: 0 });
}

#[tokio::test]
async fn a_request_that_is_not_done_at_the_end_of_its_time_hears_503_and_counts_as_cut() {
    let world = World::tuned("", |settings| settings.limits.drain_timeout = SHORT).await;
    world.app.says(Reply::Held);
    let (leaving, gateway) = Leaving::of(world);
    let mut stream = leaving.connect().await;
    leaving.send(&mut stream, "/public/slow", "").await;
    leaving.app.hears_more_than(0).await;
    let (answer, drained) = tokio::join!(read_answer(&mut stream, "GET"), gateway.stop());
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.header("connection")), (503, "close"));
    assert_eq!(drained, Drained { closed: 0, cut: 1, finished: 0 });
}

/// Nothing ends this earlier.
const A_WHILE: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(200);
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
