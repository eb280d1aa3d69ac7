//! A server that keeps every byte it is sent and answers as it is told: the app, or a SuperID that
//! lies.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::{HandshakeKind, ServerConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Notify, Semaphore};
use tokio_rustls::TlsAcceptor;

use crate::wire::{Stream, dechunked, find, read_any};

/// Stops with the test's runtime.
#[derive(Clone)]
pub struct Recorder {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    requests: Mutex<Vec<Recorded>>,
    reply: Mutex<Reply>,
    arrived: Notify,
    connections: AtomicUsize,
    gate: Semaphore,
    handshakes: Mutex<Vec<Handshake>>,
}

/// How a TLS connection began.
#[derive(Clone, Debug)]
pub struct Handshake {
    pub kind: HandshakeKind,
    /// The name the client asked for.
    pub name: Option<String>,
    /// Whether the client showed a certificate.
    pub shown: bool,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub method: String,
    pub target: String,
    /// Names as they were spelled.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// These bytes.
    Bytes(String),
    /// These bytes, and then every byte that comes is sent back.
    Echo(String),
    /// These bytes, and every byte that comes until the end is noted, escaped, as a request's body.
    Listen(String),
    /// Nothing until the gate is opened, then an ordinary answer.
    Held,
    /// The connection is closed.
    HangUp,
    /// These bytes, and then the connection is closed.
    Last(String),
}

impl Recorder {
    pub async fn start() -> Self {
        Self::behind(None).await
    }

    /// One that speaks TLS, where there is an acceptor.
    pub async fn behind(tls: Option<TlsAcceptor>) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), tls)
    }

    /// One on a socket that listens.
    pub fn on(listener: TcpListener, tls: Option<TlsAcceptor>) -> Self {
        let recorder = Self::silent(listener.local_addr().unwrap());
        let serving = recorder.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (serving, tls) = (serving.clone(), tls.clone());
                serving.state.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    match tls {
                        None => serving.serve(Box::new(stream)).await,
                        Some(tls) => {
                            let Ok(stream) = tls.accept(stream).await else { return };
                            serving.noted(stream.get_ref().1);
                            serving.serve(Box::new(stream)).await;
                        }
                    }
                });
            }
        });
        recorder
    }

    /// One on a socket of the file system; its address is nobody's.
    pub fn at(path: &Path) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let recorder = Self::silent(([0, 0, 0, 0], 0).into());
        let serving = recorder.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                serving.state.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move { serving.serve(Box::new(stream)).await });
            }
        });
        recorder
    }

    fn silent(address: SocketAddr) -> Self {
        let state = Arc::new(State {
            requests: Mutex::default(),
            reply: Mutex::new(Reply::Bytes(ordinary(""))),
            arrived: Notify::new(),
            connections: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            handshakes: Mutex::default(),
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What every request is answered with from now on.
    pub fn says(&self, reply: Reply) {
        *self.state.reply.lock().unwrap() = reply;
    }

    /// An ordinary answer with more header lines, each ended by CR LF.
    pub fn says_with(&self, headers: &str) {
        self.says(Reply::Bytes(ordinary(headers)));
    }

    /// A JSON answer of this status.
    pub fn says_json(&self, status: u16, body: &str) {
        let length = body.len();
        self.says(Reply::Bytes(format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )));
    }

    /// Everything it was sent so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.state.requests.lock().unwrap().clone()
    }

    /// The latest request.
    #[track_caller]
    pub fn last(&self) -> Recorded {
        self.requests().pop().expect("a request that reached the app")
    }

    /// Shows that nothing came.
    #[track_caller]
    pub fn heard_nothing(&self) {
        assert!(self.requests().is_empty(), "{:?}", self.requests());
    }

    /// Forgets what came.
    pub fn clear(&self) {
        self.state.requests.lock().unwrap().clear();
    }

    /// Waits for a request after the first `seen`.
    pub async fn hears_more_than(&self, seen: usize) {
        loop {
            let arrived = self.state.arrived.notified();
            if self.requests().len() > seen {
                return;
            }
            arrived.await;
        }
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// Lets held requests have their answers.
    pub fn open(&self) {
        self.state.gate.add_permits(1_000);
    }

    /// How each of its TLS connections began.
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.state.handshakes.lock().unwrap().clone()
    }

    fn noted(&self, agreed: &ServerConnection) {
        self.state.handshakes.lock().unwrap().push(Handshake {
            kind: agreed.handshake_kind().unwrap(),
            name: agreed.server_name().map(str::to_owned),
            shown: agreed.peer_certificates().is_some(),
        });
    }

    async fn serve(&self, mut stream: Box<dyn Stream>) {
        let mut bytes = Vec::new();
        while let Some(request) = read_request(&mut stream, &mut bytes).await {
            self.state.requests.lock().unwrap().push(request);
            self.state.arrived.notify_waiters();
            let reply = self.state.reply.lock().unwrap().clone();
            let text = match reply {
                Reply::Bytes(text) => text,
                Reply::Echo(text) => return echo(stream, text).await,
                Reply::HangUp => return,
                Reply::Last(text) => {
                    let _gone = said(&mut stream, &text).await;
                    return;
                }
                Reply::Listen(text) => {
                    let _gone = said(&mut stream, &text).await;
                    let _gone = stream.read_to_end(&mut bytes).await;
                    let body = bytes.escape_ascii().to_string();
                    let headers = Vec::new();
                    let (method, target) = ("TUNNEL".to_owned(), String::new());
                    let heard = Recorded { method, target, headers, body };
                    self.state.requests.lock().unwrap().push(heard);
                    return self.state.arrived.notify_waiters();
                }
                Reply::Held => {
                    self.state.gate.acquire().await.unwrap().forget();
                    ordinary("")
                }
            };
            if said(&mut stream, &text).await.is_err() {
                return;
            }
        }
    }
}

impl Recorded {
    /// The values of a header, spelled in any case but otherwise exactly so.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The one value of a header; `None` when it is not there.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() <= 1, "{name} came {} times", all.len());
        all.first().copied()
    }

    /// A field of a posted form.
    pub fn field(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.body.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }
}

/// 200 with a short body.
pub fn ordinary(headers: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n{headers}\r\nthe app")
}

/// Writes to the end: TLS keeps the last of what it was given until it is told to go on.
async fn said(stream: &mut Box<dyn Stream>, text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await
}

async fn echo(mut stream: Box<dyn Stream>, head: String) {
    let _gone = said(&mut stream, &head).await;
    let (mut from, mut to) = tokio::io::split(stream);
    let _gone = tokio::io::copy(&mut from, &mut to).await;
}

async fn read_request(stream: &mut Box<dyn Stream>, bytes: &mut Vec<u8>) -> Option<Recorded> {
    let end = loop {
        if let Some(at) = find(bytes, b"\r\n\r\n") {
            break at;
        }
        if read_any(stream, bytes).await == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    bytes.drain(..end + 4);
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let pairs = lines.filter_map(|line| line.split_once(':'));
    let headers = pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
    let mut request = Recorded { method, target, headers, body: String::new() };
    request.body = read_body(stream, bytes, &request).await?;
    Some(request)
}

async fn read_body(
    stream: &mut Box<dyn Stream>,
    bytes: &mut Vec<u8>,
    head: &Recorded,
) -> Option<String> {
    let chunked = head.header("transfer-encoding") == Some("chunked");
    let length: usize = head.header("content-length").map_or(0, |text| text.parse().unwrap());
    loop {
        if chunked && let Some(whole) = dechunked(bytes) {
            bytes.clear();
            return Some(String::from_utf8_lossy(&whole).into_owned());
        }
        if !chunked && bytes.len() >= length {
            let body: Vec<u8> = bytes.drain(..length).collect();
            return Some(String::from_utf8_lossy(&body).into_owned());
        }
        if read_any(stream, bytes).await == 0 {
            return None;
        }
    }
}
