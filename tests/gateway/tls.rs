//! TLS: `__Host-` cookies, HTTP/1.1 and HTTP/2 alike.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use http::{HeaderMap, Request};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use superid_gateway::config::Settings;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::recorder::Reply;
use crate::wire::until;
use crate::world::{ASTRID, World};

/// A world whose gateway is on https, and how to trust it.
pub struct Secure {
    pub world: World,
    pub certificate: CertificateDer<'static>,
    _folder: Folder,
}

pub struct Folder(PathBuf);

/// What reads and writes for a client of HTTP/2.
pub type Talk = h2::client::Connection<TlsStream<TcpStream>, Bytes>;

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

impl Secure {
    pub async fn new(name: &str) -> Self {
        Self::with(name, "").await
    }

    pub async fn with(name: &str, more: &str) -> Self {
        Self::built(name, more, |_| {}).await
    }

    pub async fn tuned(name: &str, tune: impl Fn(&mut Settings)) -> Self {
        Self::built(name, "", tune).await
    }

    async fn built(name: &str, more: &str, tune: impl Fn(&mut Settings)) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let folder = format!("superid-gateway-tls-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let (chain, key) = (folder.join("chain.pem"), folder.join("key.pem"));
        std::fs::write(&chain, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let changes = format!(
            "[listener.web]\ncertificate = {:?}\nkey = {:?}\n\
             [host.main]\norigin = \"https://localhost:$PORT\"\n{more}",
            chain.display().to_string(),
            key.display().to_string()
        );
        let certificate = made.cert.der().clone();
        let connector = connector(&certificate, &[b"http/1.1"]);
        let world = World::built(&changes, tune, None, Some(connector)).await;
        Self { world, certificate, _folder: Folder(folder) }
    }

    /// A connection of HTTP/2.
    pub async fn h2_client(&self) -> SendRequest<Bytes> {
        Self::connected(&self.certificate, self.world.port).await
    }

    /// One whose client has terms of its own.
    pub async fn h2_client_with(&self, terms: &Builder) -> SendRequest<Bytes> {
        Self::agreed(&self.certificate, self.world.port, terms).await
    }

    /// The same when the world is taken apart.
    pub async fn connected(certificate: &CertificateDer<'static>, port: u16) -> SendRequest<Bytes> {
        Self::agreed(certificate, port, &Builder::new()).await
    }

    async fn agreed(
        certificate: &CertificateDer<'static>,
        port: u16,
        terms: &Builder,
    ) -> SendRequest<Bytes> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (client, connection) = Self::greeted(certificate, stream, terms).await;
        tokio::spawn(connection);
        client
    }

    /// A connection of HTTP/2 on which nothing is read or written but while it is awaited, and its
    /// socket, to see what waits there.
    pub async fn h2_client_by_hand(&self) -> (SendRequest<Bytes>, Talk, TcpStream) {
        let stream = std::net::TcpStream::connect(("127.0.0.1", self.world.port)).unwrap();
        stream.set_nonblocking(true).unwrap();
        let unread = TcpStream::from_std(stream.try_clone().unwrap()).unwrap();
        let stream = TcpStream::from_std(stream).unwrap();
        let (client, talk) = Self::greeted(&self.certificate, stream, &Builder::new()).await;
        (client, talk, unread)
    }

    async fn greeted(
        certificate: &CertificateDer<'static>,
        stream: TcpStream,
        terms: &Builder,
    ) -> (SendRequest<Bytes>, Talk) {
        let connector = connector(certificate, &[b"h2"]);
        stream.set_nodelay(true).unwrap();
        let stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        terms.handshake(stream).await.unwrap()
    }

    /// One HTTP/2 request on a connection of its own.
    async fn h2(&self, path: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, String) {
        let client = self.h2_client().await;
        let mut request = Request::get(self.world.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut client = client.ready().await.unwrap();
        let (response, _) = client.send_request(request.body(()).unwrap(), true).unwrap();
        let (head, mut body) = response.await.unwrap().into_parts();
        (head.status.as_u16(), head.headers, text_of(&mut body).await)
    }
}

/// All of a body.
pub async fn text_of(body: &mut h2::RecvStream) -> String {
    let mut text = Vec::new();
    while let Some(data) = body.data().await {
        let data: Bytes = data.unwrap();
        let _freed = body.flow_control().release_capacity(data.len());
        text.extend_from_slice(&data);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Waits until a client of HTTP/2 has heard that it is to go.
pub async fn told_to_go(client: &SendRequest<Bytes>) -> h2::Error {
    let mut told = None;
    until("the client hears GOAWAY", async || {
        told = client.clone().ready().await.err();
        told.is_some()
    })
    .await;
    told.unwrap()
}

/// The status of one request's answer, read to its end.
pub async fn asked(client: &SendRequest<Bytes>, url: &str) -> u16 {
    let mut ready = client.clone().ready().await.unwrap();
    let request = Request::get(url).body(()).unwrap();
    let (head, mut body) = ready.send_request(request, true).unwrap().0.await.unwrap().into_parts();
    text_of(&mut body).await;
    head.status.as_u16()
}

fn connector(certificate: &CertificateDer<'static>, protocols: &[&[u8]]) -> TlsConnector {
    superid_gateway::crypto::install_provider();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

const HTML: (&str, &str) = ("accept", "text/html");

#[tokio::test]
async fn a_person_signs_in_over_https_with_cookies_pinned_to_the_host() {
    let secure = Secure::new("h1").await;
    let world = &secure.world;
    let mut browser = world.browser();
    let begun = browser.visit(&world.url("/orders?a=%2F")).await;
    let cookie = begun.all("set-cookie")[0];
    assert!(cookie.starts_with("__Host-superid-gateway-binding="), "{cookie}");
    for attribute in ["; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"));
    let answer = browser.sign_in(&world.url("/orders?a=%2F"), ASTRID).await;
    assert_eq!((answer.status, answer.url), (200, world.url("/orders?a=%2F")));
    let session = browser.jar.value("__Host-superid-gateway").unwrap();
    assert_eq!(world.app.last().header("X-Forwarded-Proto"), Some("https"));
    assert_eq!(world.app.last().header("Cookie"), None);
    world.app.clear();

    for name in ["superid-gateway", "__Secure-superid-gateway", "__host-superid-gateway"] {
        let headers = format!("Cookie: {name}={session}\r\n");
        let answer = world.api().send("GET", &world.url("/x"), &headers).await;
        assert_eq!(answer.status, 401, "{name}");
    }
    world.app.heard_nothing();
    let out = browser.visit(&world.url("/auth/sign_out")).await;
    for cookie in out.all("set-cookie") {
        assert!(cookie.contains("; Secure") && cookie.contains("; Path=/"), "{cookie}");
    }
    assert!(browser.jar.named("__Host-").is_empty());
}

#[tokio::test]
async fn a_person_signs_in_over_http_2_and_crumbled_cookies_are_one_header_for_the_app() {
    let secure = Secure::new("h2").await;
    let world = &secure.world;
    let (status, headers, _) = secure.h2("/orders?tab=2", &[HTML]).await;
    assert_eq!(status, 303);
    let binding = pair(&headers, "__Host-superid-gateway-binding");
    let mut browser = world.browser();
    let page = browser.visit(headers["location"].to_str().unwrap()).await;
    let callback = browser.pick(&page, ASTRID, "").await.location().to_owned();
    let path = callback.strip_prefix(&world.origin).unwrap();
    let (status, headers, _) = secure.h2(path, &[HTML, ("cookie", &binding)]).await;
    assert_eq!(status, 303);
    assert_eq!(headers["location"], world.url("/orders?tab=2").as_str());
    let session = pair(&headers, "__Host-superid-gateway");
    let crumbs = [("cookie", "a=1"), ("cookie", &session), ("cookie", &binding), ("cookie", "b=2")];
    let (status, _, body) = secure.h2("/orders?tab=2", &crumbs).await;
    assert_eq!((status, body.as_str()), (200, "the app"));
    let request = world.app.last();
    assert_eq!(request.header("Cookie"), Some("a=1; b=2"));
    assert_eq!(request.header("Host"), Some(world.authority()));
    assert_eq!(request.header("X-SuperOffice-User"), Some(ASTRID));
    assert_eq!(request.target, "/orders?tab=2");
}

#[tokio::test]
async fn http_2_gets_the_same_refusals() {
    let secure = Secure::new("refused").await;
    let world = &secure.world;
    let (status, headers, body) = secure.h2("/orders", &[("accept", "*/*")]).await;
    assert_eq!(status, 401);
    assert!(body.contains("sign_in_required") && !headers.contains_key("set-cookie"));
    for (path, headers, expected) in [
        ("/public/../secret", &[][..], 400),
        ("/public%2f..", &[], 400),
        ("/public//x", &[], 400),
        ("/x", &[("cookie", "__Host-superid-gateway=1.x")], 401),
        ("/x", &[("host", "evil.example")], 400),
        ("/x", &[("so_ticket", "x"), ("x-superoffice-user", "evil")], 401),
        ("/public", &[("content-type", "text/plain"), ("content-type", "text/html")], 400),
        ("/public", &[("origin", "https://a.example"), ("origin", "null")], 400),
        ("/public", &[("content_length", "3")], 400),
        ("/public", &[("transfer_encoding", "chunked")], 400),
        ("/public", &[("expect", "200-ok")], 417),
        ("/public", &[("x-many", "1"); 101], 431),
    ] {
        assert_eq!(secure.h2(path, headers).await.0, expected, "{path} {headers:?}");
    }
    world.app.heard_nothing();
    let forged = [("so_ticket", "forged"), ("x-superoffice-user", "forged"), ("x-kept", "yes")];
    assert_eq!(secure.h2("/public", &forged).await.0, 200);
    let request = world.app.last();
    assert!(request.headers.iter().all(|(_, value)| value != "forged"));
    assert_eq!(request.header("x-kept"), Some("yes"));
}

#[tokio::test]
async fn an_http_2_connection_has_so_many_streams_and_so_large_a_header() {
    let changes = "[limits]\nh2_streams = 3\nh2_header_bytes = \"16KiB\"\n";
    let secure = Secure::with("bounds", changes).await;
    let connector = connector(&secure.certificate, &[b"h2"]);
    let stream = TcpStream::connect(("127.0.0.1", secure.world.port)).await.unwrap();
    let stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let request = Request::get(secure.world.url("/public")).body(()).unwrap();
    let (response, _) = client.send_request(request, true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
    assert_eq!(client.current_max_send_streams(), 3);

    let padding = "x".repeat(15 << 10);
    assert_eq!(secure.h2("/public", &[("x-padding", &padding)]).await.0, 200);
    let padding = "x".repeat(17 << 10);
    assert_eq!(secure.h2("/public", &[("x-padding", &padding)]).await.0, 431);
}

#[tokio::test]
async fn an_http_2_body_that_drips_is_given_up_after_the_grace() {
    let changes = "[limits]\nbody_grace = \"1s\"\nbody_rate = 1000000\n";
    let secure = Secure::with("drips", changes).await;
    let connector = connector(&secure.certificate, &[b"h2"]);
    let stream = TcpStream::connect(("127.0.0.1", secure.world.port)).await.unwrap();
    let stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post(secure.world.url("/public")).body(()).unwrap();
    let mut client = client.ready().await.unwrap();
    let (mut response, mut body) = client.send_request(request, false).unwrap();
    let answer = loop {
        body.send_data("x".into(), false).unwrap();
        if let Ok(answer) = timeout(Duration::from_millis(50), &mut response).await {
            break answer.unwrap();
        }
    };
    assert_eq!(answer.status(), 408);
    let line = "limit_hits_total{limit=\"body_rate\"}";
    assert!(secure.world.metric(line).await > 0);
}

#[tokio::test]
async fn plain_http_on_a_tls_listener_is_no_way_in() {
    let secure = Secure::new("plain").await;
    let world = &secure.world;
    let head = format!("GET /public HTTP/1.1\r\nHost: {}\r\n\r\n", world.authority());
    let address = format!("127.0.0.1:{}", world.port);
    assert!(world.net.ask(&address, head.as_bytes()).await.is_none());
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_terminator_in_front_changes_nothing_about_cookies_and_addresses() {
    let world = World::with("[host.main]\norigin = \"https://app.example\"").await;
    let mut browser = world.browser();
    let begun = browser.visit("https://app.example/orders").await;
    assert_eq!(begun.parameter("redirect_uri").unwrap(), "https://app.example/auth/callback");
    let answer = browser.sign_in("https://app.example/orders", ASTRID).await;
    assert_eq!((answer.status, answer.url.as_str()), (200, "https://app.example/orders"));
    assert!(browser.jar.named("__Host-superid-gateway").iter().all(|cookie| cookie.secure));
    let request = world.app.last();
    assert_eq!(request.header("X-Forwarded-Proto"), Some("https"));
    assert_eq!(request.header("Host"), Some("app.example"));
}

fn pair(headers: &HeaderMap, name: &str) -> String {
    let start = format!("{name}=");
    let mut lines = headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let line = lines.find(|line| line.starts_with(&start)).expect("the cookie");
    line.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn requests_over_http_2_share_a_connection_to_the_app_until_it_closes_that() {
    let secure = Secure::new("shared").await;
    let (client, url) = (secure.h2_client().await, secure.world.url("/public"));
    for _ in 0..5 {
        assert_eq!(asked(&client, &url).await, 200);
    }
    assert_eq!(secure.world.app.connections(), 1);
    let last = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlast";
    secure.world.app.says(Reply::Bytes(last.to_owned()));
    assert_eq!(asked(&client, &url).await, 200);
    assert_eq!((asked(&client, &url).await, secure.world.app.connections()), (200, 2));
}

#[tokio::test]
async fn an_answer_that_its_client_gave_up_leaves_nothing_to_the_next_request() {
    let secure = Secure::new("given-up").await;
    let (client, url) = (secure.h2_client().await, secure.world.url("/public"));
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    secure.world.app.says(Reply::Echo(half.to_owned()));
    let mut ready = client.clone().ready().await.unwrap();
    let (answer, _) = ready.send_request(Request::get(&url).body(()).unwrap(), true).unwrap();
    assert_eq!(answer.await.unwrap().into_body().data().await.unwrap().unwrap(), "half");
    let whole = "HTTP/1.1 203 OK\r\nContent-Length: 5\r\n\r\nwhole";
    secure.world.app.says(Reply::Bytes(whole.to_owned()));
    assert_eq!((asked(&client, &url).await, secure.world.app.connections()), (203, 2));
}
