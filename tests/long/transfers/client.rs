//! Clients of HTTP/1.1 and of HTTP/2 that send a lot, take a lot, or listen.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use rustls::ClientConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::app::give;
use crate::setting::{Gateway, client_tls};

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    Http1,
    /// Over TLS.
    Http2,
}

pub struct Client {
    speaks: Speaks,
    path: &'static str,
    plain: SocketAddr,
    tls: SocketAddr,
    config: Arc<ClientConfig>,
}

impl Client {
    pub fn new(gateway: &Gateway, speaks: Speaks, path: &'static str) -> Self {
        let config = client_tls(gateway.certificate(), &["h2"]);
        Self { speaks, path, plain: gateway.plain, tls: gateway.tls, config }
    }

    /// Who speaks with whom.
    pub fn name(&self) -> String {
        let client = match self.speaks {
            Speaks::Http1 => "HTTP/1.1",
            Speaks::Http2 => "HTTP/2 (TLS)",
        };
        let app = if self.path == "/one" { "HTTP/1.1" } else { "HTTP/2" };
        format!("{client} to an app of {app}")
    }

    /// Sends so many bytes.
    pub async fn up(&self, bytes: usize) {
        let took = match self.speaks {
            Speaks::Http1 => self.up1(bytes).await,
            Speaks::Http2 => self.up2(bytes).await,
        };
        took.expect("an upload that is answered");
    }

    /// Takes so many bytes.
    pub async fn down(&self, bytes: usize) {
        let path = format!("{}/down/{bytes}", self.path);
        let mut came = 0;
        let count = |piece: &[u8]| came += piece.len();
        let whole = match self.speaks {
            Speaks::Http1 => self.read1(&path, bytes, count).await,
            Speaks::Http2 => self.read2(&path, count).await,
        };
        whole.expect("a whole download");
        assert_eq!(came, bytes);
    }

    /// How long each of so many events took.
    pub async fn events(&self, events: usize, began: Instant) -> Vec<Duration> {
        let path = format!("{}/events/{events}", self.path);
        let (mut latencies, mut text) = (Vec::new(), Vec::new());
        let listen = |piece: &[u8]| {
            let now = began.elapsed();
            text.extend_from_slice(piece);
            while let Some(at) = text.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = text.drain(..at + 2).collect();
                let event = String::from_utf8(event).expect("events are text");
                let (_, sent) = event.split_once("data: ").expect("an event");
                let sent = Duration::from_nanos(sent.trim().parse().expect("a time"));
                latencies.push(now - sent);
            }
        };
        let whole = match self.speaks {
            Speaks::Http1 => self.read1(&path, usize::MAX, listen).await,
            Speaks::Http2 => self.read2(&path, listen).await,
        };
        whole.expect("all events");
        assert_eq!(latencies.len(), events);
        latencies
    }

    async fn up1(&self, bytes: usize) -> Option<()> {
        let mut stream = TcpStream::connect(self.plain).await.ok()?;
        let head = format!(
            "POST {}/up HTTP/1.1\r\nHost: localhost\r\nContent-Length: {bytes}\r\n\r\n",
            self.path
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        let piece = vec![b'x'; PIECE];
        let mut left = bytes;
        while left > 0 {
            let most = left.min(PIECE);
            stream.write_all(&piece[..most]).await.ok()?;
            left -= most;
        }
        let mut told = [0; 12];
        stream.read_exact(&mut told).await.ok()?;
        (&told == b"HTTP/1.1 200").then_some(())
    }

    async fn up2(&self, bytes: usize) -> Option<()> {
        let mut client = self.http2().await?;
        // The app of HTTP/1.1 here reads no chunks.
        let request = Request::post(format!("https://localhost{}/up", self.path))
            .header("content-length", bytes);
        let (answer, mut body) = client.send_request(request.body(()).ok()?, false).ok()?;
        give(&mut body, bytes).await?;
        (answer.await.ok()?.status() == 200).then_some(())
    }

    /// Until so many bytes of the body have come, or the end of its chunks.
    async fn read1(&self, path: &str, bytes: usize, mut take: impl FnMut(&[u8])) -> Option<()> {
        let mut stream = TcpStream::connect(self.plain).await.ok()?;
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(head.as_bytes()).await.ok()?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let mut buffer = vec![0; PIECE];
        let mut came = 0;
        while came < bytes {
            let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
            came += read;
            let last = buffer[..read].ends_with(b"0\r\n\r\n");
            take(&buffer[..read]);
            if bytes == usize::MAX && last {
                break;
            }
        }
        Some(())
    }

    async fn read2(&self, path: &str, mut take: impl FnMut(&[u8])) -> Option<()> {
        let mut client = self.http2().await?;
        let request = Request::get(format!("https://localhost{path}")).body(()).ok()?;
        let (answer, _) = client.send_request(request, true).ok()?;
        let mut body = answer.await.ok()?.into_body();
        while let Some(piece) = body.data().await {
            let piece = piece.ok()?;
            let _freed = body.flow_control().release_capacity(piece.len());
            take(&piece);
        }
        Some(())
    }

    async fn http2(&self) -> Option<SendRequest<Bytes>> {
        let stream = TcpStream::connect(self.tls).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let name = "localhost".try_into().ok()?;
        let stream = TlsConnector::from(self.config.clone()).connect(name, stream).await.ok()?;
        let (client, connection) = h2::client::handshake(stream).await.ok()?;
        tokio::spawn(connection);
        client.ready().await.ok()
    }
}

const PIECE: usize = 64 << 10;
