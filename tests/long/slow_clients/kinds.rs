//! The kinds of clients that dawdle, and how long each may.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How a client keeps its connection without making use of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    BodyDrip,
    HalfHello,
    HalfRead,
    HeaderDrip,
    IdleHttp2,
    ReadsNothing,
    Silent,
}

/// Where they dawdle.
pub struct Place {
    pub plain: SocketAddr,
    pub tls: SocketAddr,
    pub http2: Arc<ClientConfig>,
    /// `idle_timeout` and `write_timeout`; the other deadlines are the defaults.
    pub idle: Duration,
    pub write: Duration,
}

impl Kind {
    pub const EVERY: [Self; 7] = [
        Self::Silent,
        Self::HalfHello,
        Self::HeaderDrip,
        Self::BodyDrip,
        Self::ReadsNothing,
        Self::HalfRead,
        Self::IdleHttp2,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::BodyDrip => "body, 100 B/s",
            Self::HalfHello => "half a TLS hello",
            Self::HalfRead => "keep-alive, half read",
            Self::HeaderDrip => "header, a line in 3 s",
            Self::IdleHttp2 => "HTTP/2, idle",
            Self::ReadsNothing => "reads nothing of 32 MiB",
            Self::Silent => "silent from the start",
        }
    }

    /// How many of a hundred are of this kind.
    pub fn share(self) -> usize {
        match self {
            Self::BodyDrip | Self::IdleHttp2 => 5,
            Self::HalfHello | Self::Silent => 20,
            Self::HalfRead => 19,
            Self::HeaderDrip => 30,
            // Dear: `max_requests` of a route bounds how many there can be.
            Self::ReadsNothing => 1,
        }
    }

    /// The key that bounds it.
    pub fn key(self) -> &'static str {
        match self {
            Self::BodyDrip => "body_grace, body_rate",
            Self::HalfHello => "handshake_timeout",
            Self::HalfRead | Self::IdleHttp2 => "idle_timeout",
            Self::HeaderDrip | Self::Silent => "header_timeout",
            Self::ReadsNothing => "write_timeout",
        }
    }

    /// When it has to be over, counted from the connection's begin.
    pub fn deadline(self, place: &Place) -> Duration {
        match self {
            // 500 B/s are asked: each second of waiting earns a fifth of a second back.
            Self::BodyDrip => Duration::from_millis(12_500),
            Self::HalfHello | Self::HeaderDrip | Self::Silent => Duration::from_secs(10),
            Self::HalfRead | Self::IdleHttp2 => place.idle,
            Self::ReadsNothing => place.write,
        }
    }

    pub fn address(self, place: &Place) -> SocketAddr {
        match self {
            Self::HalfHello | Self::IdleHttp2 => place.tls,
            _ => place.plain,
        }
    }

    /// Dawdles until the gateway ends the connection.
    pub async fn dawdle(self, stream: TcpStream, place: &Place) -> Option<()> {
        match self {
            Self::BodyDrip => {
                let head = "POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n";
                drip(stream, &format!("{head}\r\n"), &"x".repeat(100), Duration::from_secs(1)).await
            }
            Self::HalfHello => half_hello(stream, place).await,
            Self::HalfRead => half_read(stream).await,
            Self::HeaderDrip => {
                let begin = "GET /orders HTTP/1.1\r\nHost: localhost\r\n";
                drip(stream, begin, "X-More: and more\r\n", Duration::from_secs(3)).await
            }
            Self::IdleHttp2 => idle_http2(stream, place).await,
            Self::ReadsNothing => reads_nothing(stream, place).await,
            Self::Silent => ended(stream).await,
        }
    }
}

/// Reads until the other side closes.
async fn ended(mut stream: TcpStream) -> Option<()> {
    while stream.read(&mut [0; 1024]).await.ok()? > 0 {}
    Some(())
}

/// Sends `piece` after each pause, and reads until the other side closes.
async fn drip(stream: TcpStream, begin: &str, piece: &str, pause: Duration) -> Option<()> {
    let (mut read, mut write) = stream.into_split();
    write.write_all(begin.as_bytes()).await.ok()?;
    let dripping = async {
        loop {
            sleep(pause).await;
            if write.write_all(piece.as_bytes()).await.is_err() {
                return;
            }
        }
    };
    let mut answer = [0; 1024];
    let reading = async { while read.read(&mut answer).await.is_ok_and(|count| count > 0) {} };
    tokio::select! {
        () = dripping => {}
        () = reading => {}
    }
    Some(())
}

async fn half_hello(mut stream: TcpStream, place: &Place) -> Option<()> {
    let name = "localhost".try_into().ok()?;
    let mut hello = Vec::new();
    let mut connection = rustls::ClientConnection::new(place.http2.clone(), name).ok()?;
    connection.write_tls(&mut hello).ok()?;
    stream.write_all(&hello[..hello.len() / 2]).await.ok()?;
    ended(stream).await
}

async fn half_read(mut stream: TcpStream) -> Option<()> {
    stream.write_all(b"GET /orders HTTP/1.1\r\nHost: localhost\r\n\r\n").await.ok()?;
    stream.read_exact(&mut [0; 20]).await.ok()?;
    // What is left unread hides no end: the kernel tells it apart.
    while !stream.ready(Interest::READABLE).await.ok()?.is_read_closed() {
        sleep(Duration::from_millis(250)).await;
    }
    Some(())
}

async fn idle_http2(stream: TcpStream, place: &Place) -> Option<()> {
    let connector = tokio_rustls::TlsConnector::from(place.http2.clone());
    let secured = connector.connect("localhost".try_into().ok()?, stream).await.ok()?;
    let (_sender, connection) = h2::client::handshake(secured).await.ok()?;
    let _closed = connection.await;
    Some(())
}

/// Bytes are sent, late and few, for one reason: a connection that was given up answers them with
/// a reset, and nothing else tells somebody who does not read.
async fn reads_nothing(mut stream: TcpStream, place: &Place) -> Option<()> {
    let begin = Instant::now();
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n").await.ok()?;
    sleep_until(begin + place.write - Duration::from_secs(2)).await;
    while stream.write_all(b"\r").await.is_ok() {
        let ready = stream.ready(Interest::READABLE | Interest::ERROR);
        let ready = timeout(Duration::from_millis(500), ready).await;
        if ready.is_ok_and(|ready| ready.is_ok_and(|ready| ready.is_read_closed())) {
            break;
        }
        sleep(Duration::from_millis(500)).await;
    }
    Some(())
}
