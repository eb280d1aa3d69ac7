//! The PROXY protocol: a balancer says whose a connection is, and an app is told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use h2::client;
use http::Request;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use superid_gateway::config::Settings;
use superid_gateway::telemetry::AccessLog;
use superid_gateway::web::{HeaderSoFar, Proxies, ProxyHeader, ProxyPlace, ProxyVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::paper::Paper;
use crate::tls::{Secure, text_of};
use crate::wire::{Answer, PATIENCE, find, read_answer, read_some, until};
use crate::world::World;

const BALANCED: &str = "[listener.web]\nproxy_protocol_from = [\"127.0.0.1\"]\n";

fn from(client: &str) -> ProxyHeader {
    let server = "198.51.100.1:443".parse().unwrap();
    ProxyHeader::Client { client: client.parse().unwrap(), server }
}

/// A connection that says whose it is.
async fn connected(world: &World, header: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    stream.write_all(header).await.unwrap();
    stream
}

/// One request by a connection that begins so.
async fn asked(world: &World, header: &[u8], more: &str) -> Option<Answer> {
    let mut stream = connected(world, header).await;
    let own = world.authority();
    let head = format!("GET /public HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n{more}\r\n");
    // It may be closed by now.
    let _gone = stream.write_all(head.as_bytes()).await;
    timeout(PATIENCE, read_answer(&mut stream, "GET")).await.expect("an answer or an end")
}

async fn refused(world: &World, reason: &str) -> u64 {
    world.metric(&format!("proxy_headers_refused_total{{reason=\"{reason}\"}}")).await
}

#[tokio::test]
async fn the_client_that_a_balancer_names_is_the_client_everywhere() {
    let paper = Paper::default();
    let (access, writer) = AccessLog::to(paper.clone());
    let changes = format!("{BALANCED}[forwarded]\ntrusted_proxies = [\"203.0.113.0/24\"]");
    let world = World::built(&changes, |_| {}, Some(access), None).await;
    let lie = "X-Forwarded-For: 192.0.2.1\r\n";
    for version in [ProxyVersion::V1, ProxyVersion::V2] {
        for (client, chain, address) in [
            ("198.51.100.7:4711", "198.51.100.7", "198.51.100.7"),
            ("[2001:db8::7]:4711", "2001:db8::7", "2001:db8::7"),
            // A proxy that is believed connected to the balancer.
            ("203.0.113.9:4711", "192.0.2.1, 203.0.113.9", "192.0.2.1"),
        ] {
            let answer = asked(&world, &from(client).spelled(version), lie).await.unwrap();
            assert_eq!(answer.status, 200, "{client}");
            assert_eq!(world.app.last().header("X-Forwarded-For"), Some(chain));
            assert_eq!(world.app.last().header("X-Real-IP"), Some(address));
        }
        // Whoever cannot be named is the balancer.
        asked(&world, &ProxyHeader::Nobodys.spelled(version), lie).await.unwrap();
        assert_eq!(world.app.last().header("X-Forwarded-For"), Some("127.0.0.1"));
    }
    world.gateway.stop().await;
    drop(writer);
    let lines = paper.lines();
    assert_eq!(lines[0]["client"], "198.51.100.7");
    assert_eq!(lines[3]["client"], "127.0.0.1");
}

#[tokio::test]
async fn who_is_not_introduced_by_whom_we_believe_is_closed_unanswered_and_counted() {
    let mut world = World::tuned(BALANCED, |settings| {
        settings.limits.handshake_timeout = Duration::from_secs(1)
    })
    .await;
    let summed = [&from("198.51.100.7:1").spelled(ProxyVersion::V2)[..14], &[0, 19], &[1; 12]];
    let summed = [&summed.concat()[..], &[3, 0, 4, 0, 0, 0, 0]].concat();
    for (begins, reason) in [
        (&b""[..], "absent"),
        (b"PROXY TCP4 198.51.100.7 198.51.100.1 1\r\n-----------", "malformed"),
        (&summed, "checksum"),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", "too_long"),
    ] {
        assert!(asked(&world, begins, "").await.is_none(), "{}", begins.escape_ascii());
        assert_eq!(refused(&world, reason).await, 1, "{reason}");
    }
    drop(connected(&world, b"PROXY TCP4 198.51").await);
    until("its end is noticed", async || refused(&world, "closed").await == 1).await;
    let mut silent = connected(&world, b"PROXY TCP4 198.51").await;
    assert_eq!(read_some(&mut silent, &mut Vec::new()).await, 0, "its time is over");
    assert_eq!(refused(&world, "timed_out").await, 1);
    assert_eq!(world.metric("limit_hits_total{limit=\"handshake_timeout\"}").await, 1);
    assert_eq!(world.metric("connections_accepted_total").await, 0);

    // Nobody is believed but those who are named, from the next connection on.
    let introduced = from("198.51.100.7:1").spelled(ProxyVersion::V1);
    let mut before = connected(&world, &introduced).await;
    assert!(asked(&world, &introduced, "").await.is_some());
    world.app.clear();
    world.reload("[listener.web]\nproxy_protocol_from = [\"192.0.2.1\"]").unwrap();
    until("the old listener is closed", async || asked(&world, &introduced, "").await.is_none())
        .await;
    let strangers = refused(&world, "stranger").await;
    assert!(strangers >= 1, "{strangers}");
    let head = format!("GET /public HTTP/1.1\r\nHost: {}\r\n\r\n", world.authority());
    before.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut before, "GET").await.unwrap().status, 200, "it lives on");
    world.reload("[listener.web]\nproxy_protocol_from = \"-\"").unwrap();
    until("headers are no headers any more", async || {
        asked(&world, b"", "").await.is_some_and(|answer| answer.status == 200)
    })
    .await;
    assert_eq!(asked(&world, &introduced, "").await.unwrap().status, 400);
}

#[tokio::test]
async fn each_named_client_has_its_own_share_of_connections_and_the_balancer_none() {
    let crowded = |settings: &mut Settings| settings.limits.crowd.connections_per_address = 1;
    let world = World::tuned(BALANCED, crowded).await;
    let one = from("198.51.100.7:1").spelled(ProxyVersion::V2);
    let other = from("198.51.100.8:1").spelled(ProxyVersion::V2);
    let own = ProxyHeader::Nobodys.spelled(ProxyVersion::V2);
    let mut first = connected(&world, &one).await;
    let head = format!("GET /public HTTP/1.1\r\nHost: {}\r\n\r\n", world.authority());
    first.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut first, "GET").await.unwrap().status, 200);
    let second = asked(&world, &one, "").await.unwrap();
    assert_eq!((second.status, second.header("retry-after")), (429, "1"));
    assert_eq!(asked(&world, &other, "").await.unwrap().status, 200);
    let mut looks = Vec::new();
    for _ in 0..3 {
        let mut look = connected(&world, &own).await;
        look.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(read_answer(&mut look, "GET").await.unwrap().status, 200);
        looks.push(look);
    }
}

#[tokio::test]
async fn a_header_comes_before_tls_and_is_for_every_request_of_http_2() {
    let secure = Secure::tuned("proxied", |settings| {
        let balancer = ProxyPlace::Network("127.0.0.1/32".parse().unwrap());
        settings.listeners[0].introduced_by = Some(Proxies::new(vec![balancer]));
    })
    .await;
    let world = &secure.world;
    let stream = connected(world, &from("198.51.100.7:1").spelled(ProxyVersion::V2)).await;
    let mut roots = RootCertStore::empty();
    roots.add(secure.certificate.clone()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let stream = connector.connect(name, stream).await.unwrap();
    let (client, connection) = client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..2 {
        let mut ready = client.clone().ready().await.unwrap();
        let request = Request::get(world.url("/public")).body(()).unwrap();
        let (head, mut body) =
            ready.send_request(request, true).unwrap().0.await.unwrap().into_parts();
        text_of(&mut body).await;
        assert_eq!(head.status, 200);
        assert_eq!(world.app.last().header("X-Forwarded-For"), Some("198.51.100.7"));
    }
    let mut bare = connected(world, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00").await;
    assert_eq!(read_some(&mut bare, &mut Vec::new()).await, 0, "a hello without a header");
    assert_eq!(refused(world, "absent").await, 1);
}

/// An app that wants to be told whose each connection is.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<(ProxyHeader, usize)>>>);

impl Told {
    /// Where it listens.
    async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, told) = (listener.local_addr().unwrap(), self.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(told.clone().serve(stream));
            }
        });
        address
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        let header = loop {
            match ProxyHeader::look(&bytes).expect("a header before anything else") {
                HeaderSoFar::Whole(header, _) => break header,
                HeaderSoFar::Lacks(lacks) => {
                    let mut piece = vec![0; lacks];
                    stream.read_exact(&mut piece).await.unwrap();
                    bytes.extend(piece);
                }
            }
        };
        for number in 0.. {
            let mut request = Vec::new();
            while find(&request, b"\r\n\r\n").is_none() {
                if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                    return;
                }
            }
            self.0.lock().unwrap().push((header, number));
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            stream.write_all(answer).await.unwrap();
        }
    }

    fn heard(&self) -> Vec<(ProxyHeader, usize)> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn an_app_hears_by_a_header_of_its_own_whose_each_connection_is() {
    for version in ["v1", "v2"] {
        let told = Told::default();
        let address = told.start().await;
        let upstream = format!(
            "[upstream.told]\nservers = [\"http://{address}\"]\nproxy_protocol = \"{version}\"\n\
             [route.open]\nupstream = \"told\"\n[forwarded]\ntrusted_proxies = [\"203.0.113.9\"]"
        );
        let world = World::with(&format!("{BALANCED}{upstream}")).await;
        let one = from("198.51.100.7:4711").spelled(ProxyVersion::V2);
        let other = from("[2001:db8::7]:4711").spelled(ProxyVersion::V2);
        let behind = from("203.0.113.9:4711").spelled(ProxyVersion::V2);
        let own = ProxyHeader::Nobodys.spelled(ProxyVersion::V1);
        for header in [&one, &one, &other] {
            assert_eq!(asked(&world, header, "").await.unwrap().body, "ok");
        }
        let forwarded = "X-Forwarded-For: 192.0.2.1\r\n";
        assert_eq!(asked(&world, &behind, forwarded).await.unwrap().body, "ok");
        assert_eq!(asked(&world, &own, "").await.unwrap().body, "ok");
        let heard = told.heard();
        let clients: Vec<SocketAddr> = heard
            .iter()
            .map(|(header, number)| {
                assert_eq!(*number, 0, "no connection is used for a second request");
                let ProxyHeader::Client { client, server } = header else { panic!("{header:?}") };
                let server = server.ip().to_canonical().to_string();
                assert!(["198.51.100.1", "127.0.0.1"].contains(&server.as_str()), "{server}");
                *client
            })
            .collect();
        let named = ["198.51.100.7:4711", "198.51.100.7:4711", "[2001:db8::7]:4711", "192.0.2.1:0"];
        assert_eq!(clients[..4], named.map(|client| client.parse::<SocketAddr>().unwrap()));
        assert_eq!(clients[4].ip().to_string(), "127.0.0.1");
    }
}

#[tokio::test]
async fn a_tunnel_and_a_look_at_health_begin_with_a_header_too() {
    let told = Told::default();
    let address = told.start().await;
    let upstream = format!(
        "[upstream.told]\nservers = [\"http://{address}\"]\nproxy_protocol = \"v2\"\n\
         health_path = \"/health\"\n[route.open]\nupstream = \"told\""
    );
    let world = World::with(&upstream).await;
    until("it was looked at", async || told.heard().contains(&(ProxyHeader::Nobodys, 0))).await;
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    let from = stream.local_addr().unwrap();
    let head = format!("GET /public HTTP/1.1\r\nHost: {}\r\n{upgrade}\r\n", world.authority());
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream, "GET").await.unwrap().body, "ok");
    let server = SocketAddr::from(([127, 0, 0, 1], world.port));
    assert!(told.heard().contains(&(ProxyHeader::Client { client: from, server }, 0)));
}
