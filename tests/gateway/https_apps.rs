//! Apps that speak https: reached as those that speak http are, and told apart by whom they are.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{HandshakeKind, ServerConfig};
use superid_gateway::config::{Destination, Server, Settings, Upstream, UpstreamScheme};
use superid_gateway::crypto::Authorities;
use superid_gateway::telemetry::Drained;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use crate::recorder::{Recorder, Reply};
use crate::tls::{Secure, asked, text_of};
use crate::wire::{read_answer, read_some};
use crate::world::{ASTRID, World};

/// An app with a certificate for `app.test`, and who vouches for it.
struct HttpsApp {
    recorder: Recorder,
    authorities: Authorities,
}

impl HttpsApp {
    async fn start() -> Self {
        superid_gateway::crypto::install_provider();
        let made = rcgen::generate_simple_self_signed(vec!["app.test".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], PrivateKeyDer::from(key))
            .unwrap();
        let recorder = Recorder::behind(Some(TlsAcceptor::from(Arc::new(config)))).await;
        let authorities = Authorities::from_pem(&made.cert.pem()).unwrap();
        Self { recorder, authorities }
    }

    /// Makes it the app of every route.
    fn is_meant_by(&self, settings: &mut Settings) {
        for route in &mut settings.routes {
            let Destination::App(upstream) = &mut route.upstream else { continue };
            self.stands_behind(upstream);
        }
    }

    fn stands_behind(&self, upstream: &mut Upstream) {
        let servers = Arc::make_mut(&mut upstream.servers);
        let at = Server::at("127.0.0.1", self.recorder.address.port());
        servers.each = vec![Server { scheme: UpstreamScheme::Https, ..at }];
        servers.tls.authorities = Some(self.authorities.clone());
        servers.tls.server_name = Some("app.test".to_owned());
    }
}

#[tokio::test]
async fn an_https_app_is_told_who_asks_and_its_connections_are_used_again() {
    let app = HttpsApp::start().await;
    let world = World::tuned("", |settings| app.is_meant_by(settings)).await;
    let mut browser = world.signed_in(ASTRID).await;
    app.recorder.clear();
    let before = app.recorder.connections();
    for _ in 0..3 {
        assert_eq!(browser.visit(&world.url("/orders")).await.body, "the app");
    }
    let seen = app.recorder.requests();
    assert_eq!((seen.len(), app.recorder.connections()), (3, before));
    assert_eq!(seen[2].header("X-SuperOffice-User"), Some(ASTRID));
    assert_eq!(seen[2].target, "/orders");
    assert_eq!(app.recorder.handshakes()[0].name.as_deref(), Some("app.test"));
}

#[tokio::test]
async fn a_second_connection_to_an_https_app_resumes_the_first() {
    let app = HttpsApp::start().await;
    let world = World::tuned("", |settings| app.is_meant_by(settings)).await;
    app.recorder.says_with("Connection: close\r\n");
    for _ in 0..2 {
        assert_eq!(world.api().get(&world.url("/public")).await.status, 200);
    }
    let kinds: Vec<_> = app.recorder.handshakes().iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed]);
}

#[tokio::test]
async fn bodies_to_and_from_an_https_app_arrive_whole() {
    let app = HttpsApp::start().await;
    let world = World::tuned("", |settings| app.is_meant_by(settings)).await;
    let body = "0123456789abcdef".repeat(40_000);
    let length = body.len();
    app.recorder
        .says(Reply::Bytes(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}")));
    let own = world.authority().to_owned();
    let head = format!("PUT /public HTTP/1.1\r\nHost: {own}\r\nContent-Length: {length}\r\n\r\n");
    let answer = world.net.ask(&own, (head + &body).as_bytes()).await.unwrap();
    assert!(answer.body == body && app.recorder.last().body == body);
}

#[tokio::test]
async fn an_https_app_that_cannot_prove_who_it_is_hears_nothing() {
    let (app, other) = (HttpsApp::start().await, HttpsApp::start().await);
    for case in ["another authority", "another name", "no name TLS knows"] {
        let world = World::tuned("", |settings| {
            app.is_meant_by(settings);
            for route in &mut settings.routes {
                let Destination::App(upstream) = &mut route.upstream else { continue };
                let tls = &mut Arc::make_mut(&mut upstream.servers).tls;
                match case {
                    "another authority" => tls.authorities = Some(other.authorities.clone()),
                    "another name" => tls.server_name = Some("other.test".to_owned()),
                    _ => tls.server_name = Some("no name".to_owned()),
                }
            }
        });
        let world = world.await;
        assert_eq!(world.api().get(&world.url("/public")).await.status, 502, "{case}");
        app.recorder.heard_nothing();
    }
}

#[tokio::test]
async fn a_connection_to_an_https_app_is_used_by_no_route_that_believes_others() {
    let (app, other) = (HttpsApp::start().await, HttpsApp::start().await);
    let more = "[route.twin]\npath = \"/twin\"\nupstream = \"$APP\"\naccess = \"public\"";
    let world = World::tuned(more, |settings| {
        app.is_meant_by(settings);
        let twin = settings.routes.iter_mut().find(|route| route.name == "twin").unwrap();
        let Destination::App(upstream) = &mut twin.upstream else { panic!("an app") };
        let tls = &mut Arc::make_mut(&mut upstream.servers).tls;
        tls.authorities = Some(other.authorities.clone());
    });
    let world = world.await;
    for (path, status) in [("/public", 200), ("/twin", 502), ("/public", 200)] {
        assert_eq!(world.api().get(&world.url(path)).await.status, status, "{path}");
    }
    assert_eq!(app.recorder.handshakes().len(), 1);
}

#[tokio::test]
async fn requests_over_http_2_share_a_connection_to_an_https_app_until_it_closes_that() {
    let app = HttpsApp::start().await;
    let secure = Secure::tuned("https-shared", |settings| app.is_meant_by(settings)).await;
    let (client, url) = (secure.h2_client().await, secure.world.url("/public"));
    for _ in 0..5 {
        assert_eq!(asked(&client, &url).await, 200);
    }
    assert_eq!(app.recorder.connections(), 1);
    let last = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlast";
    app.recorder.says(Reply::Bytes(last.to_owned()));
    assert_eq!(asked(&client, &url).await, 200);
    assert_eq!((asked(&client, &url).await, app.recorder.connections()), (200, 2));
}

#[tokio::test]
async fn a_large_answer_of_an_https_app_arrives_whole_over_http_2() {
    let app = HttpsApp::start().await;
    let secure = Secure::tuned("https-large", |settings| app.is_meant_by(settings)).await;
    let body = "x".repeat(8 << 20);
    let whole = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    app.recorder.says(Reply::Bytes(whole));
    let client = secure.h2_client().await;
    let request = Request::get(secure.world.url("/public")).body(()).unwrap();
    let (response, _) = client.ready().await.unwrap().send_request(request, true).unwrap();
    let mut body = response.await.unwrap().into_body();
    assert_eq!(text_of(&mut body).await.len(), 8 << 20);
}

#[tokio::test]
async fn an_https_app_that_is_silent_is_a_504() {
    let app = HttpsApp::start().await;
    let world = World::tuned("", |settings| {
        app.is_meant_by(settings);
        for route in &mut settings.routes {
            let Destination::App(upstream) = &mut route.upstream else { continue };
            upstream.read_timeout = Duration::from_millis(80);
        }
    });
    let world = world.await;
    app.recorder.says(Reply::Held);
    assert_eq!(world.api().get(&world.url("/public")).await.status, 504);
}

#[tokio::test]
async fn a_websocket_to_an_https_app_passes_both_ways_and_hears_1001_at_the_end() {
    let app = HttpsApp::start().await;
    let world = World::tuned("", |settings| {
        app.is_meant_by(settings);
        settings.limits.drain_timeout = SHORT;
    });
    let world = world.await;
    app.recorder.says(Reply::Listen(SWITCHED.to_owned() + "\u{1}\u{5}hello"));
    let own = world.authority().to_owned();
    let mut tunnel = world.net.connect(&own).await;
    let head = format!("GET /public/ws HTTP/1.1\r\nHost: {own}\r\n{UPGRADE}\r\n");
    tunnel.write_all(head.as_bytes()).await.unwrap();
    let mut came = Vec::new();
    while !came.ends_with(b"hello") {
        assert!(read_some(&mut tunnel, &mut came).await > 0);
    }
    tunnel.write_all(b"\x81\x83mask\x01\x02\x03").await.unwrap();
    let drained = world.gateway.stop().await;
    let mut rest = Vec::new();
    tunnel.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"\x88\x02\x03\xe9");
    assert_eq!(drained, Drained { closed: 1, cut: 0, finished: 0 });
    app.recorder.hears_more_than(1).await;
    let heard = app.recorder.last().body;
    let (frames, close) = heard.split_once(r"mask\x01\x02\x03").unwrap();
    assert_eq!(frames, r"\x81\x83");
    assert!(close.starts_with(r"\x88\x82"), "{close}");
}

#[tokio::test]
async fn at_the_end_of_its_time_an_https_apps_event_stream_comes_to_a_proper_end() {
    let app = HttpsApp::start().await;
    app.recorder.says(Reply::Echo(EVENTS.to_owned()));
    let world = World::tuned("", |settings| {
        app.is_meant_by(settings);
        settings.limits.drain_timeout = SHORT;
    });
    let world = world.await;
    let own = world.authority().to_owned();
    let mut stream = world.net.connect(&own).await;
    let head = format!("GET /public/events HTTP/1.1\r\nHost: {own}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    app.recorder.hears_more_than(0).await;
    let (answer, drained) = tokio::join!(read_answer(&mut stream, "GET"), world.gateway.stop());
    assert_eq!(answer.expect("a whole body").body, "data: 1\n\n");
    assert_eq!(drained, Drained { closed: 1, cut: 0, finished: 0 });
}

#[tokio::test]
async fn at_the_end_of_its_time_an_https_apps_event_stream_over_http_2_comes_to_a_proper_end() {
    let app = HttpsApp::start().await;
    app.recorder.says(Reply::Echo(EVENTS.to_owned()));
    let secure = Secure::tuned("https-events", |settings| {
        app.is_meant_by(settings);
        settings.limits.drain_timeout = SHORT;
    });
    let secure = secure.await;
    let client = secure.h2_client().await;
    let request = Request::get(secure.world.url("/public/events")).body(()).unwrap();
    let (response, _) = client.ready().await.unwrap().send_request(request, true).unwrap();
    let mut body = response.await.unwrap().into_body();
    let (text, drained) = tokio::join!(text_of(&mut body), secure.world.gateway.stop());
    assert_eq!(text, "data: 1\n\n");
    assert_eq!(drained, Drained { closed: 1, cut: 0, finished: 0 });
}

const SHORT: Duration = Duration::from_millis(200);
const EVENTS: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
    Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n";
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
