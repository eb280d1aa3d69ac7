//! What the gateway is taught, and how often each of it is shown.

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::app::BIG;
use crate::configuration::{self, Configuration, Ports};
use crate::message::Message;
use crate::secure::{self, Certificate};
use crate::{job, setting};

/// Who runs.
pub struct Load {
    pub ports: Ports,
    pub secure: u16,
    pub certificate: Certificate,
    pub configuration: Configuration,
}

impl Load {
    pub async fn runs(&self) {
        let request = self.configuration.request();
        let fresh = (0..1_000).map(|_| self.configuration.request()).collect();
        self.by_http1("signed in", self.ports.people, vec![request.clone()], 1_500).await;
        self.by_http1("cookies that are new", self.ports.people, fresh, 31).await;
        let (sent, called) = (vec![configuration::navigation()], vec![job::request()]);
        self.by_http1("sent to sign in", self.ports.people, sent, 300).await;
        self.by_http1("jobs", self.ports.jobs, called, 500).await;
        self.by_http1("bodies", self.ports.people, with_bodies(&request), 150).await;
        self.by_tls("signed in by TLS", vec![request.clone()], 600).await;
        self.by_tls("bodies by TLS", with_bodies(&request), 60).await;
        self.by_http2("signed in by HTTP/2", &request, 300).await;
        self.anew("connections made anew", &request, 30).await;
    }

    /// So many requests on each of [`CLIENTS`] connections, which begin at different ones of these.
    async fn by_http1(&self, kind: &str, port: u16, requests: Vec<Vec<u8>>, each: usize) {
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            stream.set_nodelay(true).unwrap();
            clients.spawn(ask(stream, turned(&requests, number), each));
        }
        told(kind, clients, each).await;
    }

    async fn by_tls(&self, kind: &str, requests: Vec<Vec<u8>>, each: usize) {
        let (connector, mut clients) = (self.certificate.connector(b"http/1.1"), JoinSet::new());
        for number in 0..CLIENTS {
            let stream = secure::connect(&connector, self.secure).await;
            clients.spawn(ask(stream, turned(&requests, number), each));
        }
        told(kind, clients, each).await;
    }

    async fn by_http2(&self, kind: &str, request: &[u8], each: usize) {
        let (connector, mut clients) = (self.certificate.connector(b"h2"), JoinSet::new());
        for _ in 0..CONNECTIONS_OF_HTTP2 {
            let stream = secure::connect(&connector, self.secure).await;
            let (client, connection) = h2::client::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            for _ in 0..CLIENTS / CONNECTIONS_OF_HTTP2 {
                clients.spawn(ask_by_http2(client.clone(), of_http2(request), each));
            }
        }
        told(kind, clients, each).await;
    }

    /// One request on each connection, by turns with TLS and without.
    async fn anew(&self, kind: &str, request: &[u8], each: usize) {
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (connector, port) = (self.certificate.connector(b"http/1.1"), self.ports.people);
            let (secure, requests) = (self.secure, vec![request.to_vec()]);
            clients.spawn(async move {
                for _ in 0..each {
                    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    ask(stream, requests.clone(), 1).await;
                    ask(secure::connect(&connector, secure).await, requests.clone(), 1).await;
                }
            });
        }
        told(kind, clients, 2 * each).await;
    }
}

async fn told(kind: &str, clients: JoinSet<()>, each: usize) {
    let asked = clients.len() * each;
    clients.join_all().await;
    println!("{asked:>7} {kind}");
}

async fn ask(stream: impl AsyncRead + AsyncWrite + Unpin, requests: Vec<Vec<u8>>, times: usize) {
    let mut message = Message::over(stream);
    for request in requests.iter().cycle().take(times) {
        message.write(request).await.expect("the gateway reads");
        let head = message.read().await.expect("the gateway answers");
        let is_good = head.starts_with("HTTP/1.1 200") || head.starts_with("HTTP/1.1 303");
        assert!(is_good, "{head}");
    }
}

async fn ask_by_http2(client: SendRequest<Bytes>, request: Request<()>, times: usize) {
    for _ in 0..times {
        let mut client = client.clone().ready().await.unwrap();
        let (answer, _) = client.send_request(request.clone(), true).unwrap();
        let mut answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200);
        while let Some(piece) = answer.body_mut().data().await {
            let length = piece.unwrap().len();
            answer.body_mut().flow_control().release_capacity(length).unwrap();
        }
    }
}

/// Large answers, and posts whose length is said and is not.
fn with_bodies(request: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8(request.to_vec()).unwrap();
    let head = text.replace("GET ", "POST ");
    let head = head.strip_suffix("\r\n").unwrap();
    let body = "b".repeat(POSTED);
    vec![
        text.replace(setting::TARGET, BIG).into_bytes(),
        format!("{head}content-length: {POSTED}\r\n\r\n{body}").into_bytes(),
        format!("{head}transfer-encoding: chunked\r\n\r\n{POSTED:x}\r\n{body}\r\n0\r\n\r\n")
            .into_bytes(),
    ]
}

fn of_http2(request: &[u8]) -> Request<()> {
    let text = std::str::from_utf8(request).unwrap();
    let mut of_http2 = Request::get(format!("https://{}{}", setting::HOST, setting::TARGET));
    for line in text.lines().skip(1).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        if !name.eq_ignore_ascii_case("host") {
            of_http2 = of_http2.header(name, value);
        }
    }
    of_http2.body(()).unwrap()
}

fn turned(requests: &[Vec<u8>], by: usize) -> Vec<Vec<u8>> {
    let mut turned = requests.to_vec();
    turned.rotate_left(by * requests.len() / CLIENTS % requests.len());
    turned
}

/// Each with one request in flight.
const CLIENTS: usize = 32;
const CONNECTIONS_OF_HTTP2: usize = 8;
const POSTED: usize = 16 << 10;
