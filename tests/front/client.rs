//! A client that sends exactly the bytes it is told to.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub struct Client {
    stream: TcpStream,
    bytes: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, bytes: Vec::new() }
    }

    /// The gateway may have closed already; what it said is read all the same.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _closed = self.stream.write_all(bytes.as_ref()).await;
    }

    /// The next answer; `None` when the gateway closed without one.
    pub async fn answer(&mut self) -> Option<Answer> {
        loop {
            if let Some((answer, length)) = parsed(&self.bytes) {
                self.bytes.drain(..length);
                return Some(answer);
            }
            if !self.more().await {
                assert!(self.bytes.is_empty(), "half an answer: {:?}", self.bytes.escape_ascii());
                return None;
            }
        }
    }

    /// Whether the gateway closes, with no byte before.
    pub async fn is_closed(&mut self) -> bool {
        self.bytes.is_empty() && !self.more().await && self.bytes.is_empty()
    }

    /// Everything until this many bytes have come.
    pub async fn raw(&mut self, count: usize) -> Vec<u8> {
        while self.bytes.len() < count && self.more().await {}
        let count = count.min(self.bytes.len());
        self.bytes.drain(..count).collect()
    }

    async fn more(&mut self) -> bool {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.bytes)).await;
        matches!(read.expect("the gateway to do something"), Ok(1..))
    }
}

fn parsed(bytes: &[u8]) -> Option<(Answer, usize)> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let status = text.split(' ').nth(1)?.parse().unwrap();
    let lower = text.to_ascii_lowercase();
    let length = lower
        .split("content-length: ")
        .nth(1)
        .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse::<usize>().unwrap());
    let body = bytes.get(head..head + length)?;
    let body = String::from_utf8_lossy(body).into_owned();
    Some((Answer { status, head: text, body }, head + length))
}

/// How long a test waits before it says that something hangs.
const PATIENCE: Duration = Duration::from_secs(20);
