//! HTTP/1.1 by hand: what goes out is exactly what a test wrote.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::ServerName;
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Where the authorities of addresses lead: the name service and the cables of the tests.
#[derive(Clone, Default)]
pub struct Net(Arc<Mutex<HashMap<String, Door>>>);

/// A socket, and TLS where it wants that.
#[derive(Clone)]
pub struct Door {
    pub address: SocketAddr,
    pub tls: Option<TlsConnector>,
}

/// A connection of either kind.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Net {
    pub fn lead(&self, authority: &str, door: Door) {
        self.0.lock().unwrap().insert(authority.to_owned(), door);
    }

    /// Connects to an authority; one that was not led anywhere is an IP address and a port.
    pub async fn connect(&self, authority: &str) -> Box<dyn Stream> {
        let known = self.0.lock().unwrap().get(authority).cloned();
        let door = known.unwrap_or_else(|| {
            let address = authority.parse().unwrap_or_else(|_| panic!("no way to {authority}"));
            Door { address, tls: None }
        });
        let stream = TcpStream::connect(door.address).await.unwrap();
        let Some(connector) = door.tls else { return Box::new(stream) };
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host).to_owned();
        let name = ServerName::try_from(host).unwrap();
        Box::new(connector.connect(name, stream).await.unwrap())
    }

    /// Sends these bytes and reads one answer; `None` when the connection ends without one.
    pub async fn ask(&self, authority: &str, request: &[u8]) -> Option<Answer> {
        let mut stream = self.connect(authority).await;
        stream.write_all(request).await.ok()?;
        let method = if request.starts_with(b"HEAD ") { "HEAD" } else { "GET" };
        timeout(PATIENCE, read_answer(&mut stream, method)).await.expect("an answer in time")
    }
}

/// Looks again and again until something holds; says what it waited for where it never does.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("in vain until {what}"));
}

/// An address where nobody listens, and nobody else can, until it does.
pub struct Nobodys(Socket);

impl Nobodys {
    pub fn new() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        Self(socket)
    }

    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap().as_socket().unwrap()
    }

    pub fn listening(self) -> TcpListener {
        self.0.listen(64).unwrap();
        self.0.set_nonblocking(true).unwrap();
        TcpListener::from_std(self.0.into()).unwrap()
    }
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was asked for; empty where a test wrote the request by hand.
    pub url: String,
    /// Whether another site had a hand in the navigation.
    pub foreign: bool,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    /// The first header of a name, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.all(name).first().copied().unwrap_or_default()
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("JSON, not {}", self.body))
    }

    pub fn location(&self) -> &str {
        assert!(matches!(self.status, 302 | 303), "{} {}", self.status, self.body);
        self.header("location")
    }

    /// A parameter of the address it redirects to.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.location().split_once('?')?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// The value of the first hidden field of this name, unescaped.
    pub fn field(&self, name: &str) -> Option<String> {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\" value=\""))?;
        Some(unescaped(rest.split_once('"')?.0))
    }

    /// Where its form is posted.
    pub fn action(&self) -> Option<String> {
        let (_, rest) = self.body.split_once("method=\"post\" action=\"")?;
        Some(unescaped(rest.split_once('"')?.0))
    }

    /// Whether it is a page of ours, which says so in its policy and is kept by nobody.
    #[track_caller]
    pub fn is_page(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.body);
        assert!(self.header("content-type").starts_with("text/html"), "{:?}", self.headers);
        let policy = self.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        self
    }

    /// Whether it sets the session cookie of any name.
    pub fn signs_in(&self) -> bool {
        self.all("set-cookie").iter().any(|cookie| {
            let (name, value) = cookie.split_once('=').unwrap();
            let name = name.trim_start_matches("__Host-");
            name == "superid-gateway" && !value.starts_with(';')
        })
    }
}

/// Reads one answer to a request with this method: one to HEAD has no body.
pub async fn read_answer(stream: &mut (impl AsyncRead + Unpin), method: &str) -> Option<Answer> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = find(&bytes, b"\r\n\r\n") {
            break at;
        }
        if read_some(stream, &mut bytes).await == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let pairs = lines.filter_map(|line| line.split_once(':'));
    let headers = pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
    let mut answer =
        Answer { url: String::new(), foreign: false, status, headers, body: String::new() };
    let mut rest = bytes.split_off(end + 4);
    if method != "HEAD" && status >= 200 && !matches!(status, 204 | 304) {
        rest = read_body(stream, rest, &answer).await?;
        answer.body = String::from_utf8_lossy(&rest).into_owned();
    }
    Some(answer)
}

async fn read_body(
    stream: &mut (impl AsyncRead + Unpin),
    mut body: Vec<u8>,
    head: &Answer,
) -> Option<Vec<u8>> {
    if head.header("transfer-encoding").eq_ignore_ascii_case("chunked") {
        loop {
            if let Some(whole) = dechunked(&body) {
                return Some(whole);
            }
            if read_some(stream, &mut body).await == 0 {
                return None;
            }
        }
    }
    let length = head.header("content-length").parse::<usize>().ok();
    while length.is_none_or(|length| body.len() < length) {
        if read_some(stream, &mut body).await == 0 {
            return length.is_none().then_some(body);
        }
    }
    Some(body)
}

/// The content of a chunked body, when all of it is there.
pub fn dechunked(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let line = find(bytes, b"\r\n")?;
        let size = std::str::from_utf8(&bytes[..line]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        bytes = &bytes[line + 2..];
        if size == 0 {
            return find(bytes, b"\r\n").map(|_| whole);
        }
        whole.extend_from_slice(bytes.get(..size)?);
        bytes = bytes.get(size + 2..)?;
    }
}

/// Some bytes, or none at an end, within [`PATIENCE`].
pub async fn read_some(stream: &mut (impl AsyncRead + Unpin), to: &mut Vec<u8>) -> usize {
    timeout(PATIENCE, read_any(stream, to)).await.expect("bytes, or an end, in time")
}

/// The same, however long it takes.
pub async fn read_any(stream: &mut (impl AsyncRead + Unpin), to: &mut Vec<u8>) -> usize {
    let mut buffer = [0; 16 << 10];
    let read = stream.read(&mut buffer).await.unwrap_or(0);
    to.extend_from_slice(&buffer[..read]);
    read
}

pub fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn unescaped(text: &str) -> String {
    [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, letter)| text.replace(entity, letter))
}

/// How long a test waits before it says that something hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);
