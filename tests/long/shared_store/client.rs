//! A client behind a balancer: asks any replica, and another one where a connection fails.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Kept connections, one to each replica.
pub struct Client {
    ports: Vec<u16>,
    kept: Vec<Option<TcpStream>>,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// The app was asked, and was told that this is who asks.
    Served(String),
    /// An answer of the gateway's own.
    Refused(u16),
    /// No replica answered.
    Nothing,
}

impl Client {
    pub fn new(ports: Vec<u16>) -> Self {
        let kept = ports.iter().map(|_| None).collect();
        Self { ports, kept }
    }

    /// Asks with this cookie, beginning with the replica of this number; and the longest that one of
    /// them took to answer.
    pub async fn ask(&mut self, cookie: &str, first: usize) -> (Came, Duration) {
        for turn in 0..self.ports.len() * 2 {
            let at = (first + turn) % self.ports.len();
            let asked = Instant::now();
            if let Some(came) = self.once(at, cookie).await {
                return (came, asked.elapsed());
            }
            self.kept[at] = None;
        }
        (Came::Nothing, Duration::ZERO)
    }

    async fn once(&mut self, at: usize, cookie: &str) -> Option<Came> {
        let mut stream = match self.kept[at].take() {
            Some(stream) => stream,
            None => TcpStream::connect(("127.0.0.1", self.ports[at])).await.ok()?,
        };
        let head = format!(
            "GET /orders HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\
             Cookie: {cookie}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        let (came, stays) = timeout(PATIENCE, answer(&mut stream)).await.ok()??;
        if stays {
            self.kept[at] = Some(stream);
        }
        Some(came)
    }
}

async fn answer(stream: &mut TcpStream) -> Option<(Came, bool)> {
    let mut heard = Vec::new();
    loop {
        if stream.read_buf(&mut heard).await.ok()? == 0 {
            return None;
        }
        let Some(end) = heard.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&heard[..end]).ok()?.to_ascii_lowercase();
        let length: usize = head.split_once("content-length: ")?.1.lines().next()?.parse().ok()?;
        if heard.len() < end + 4 + length {
            continue;
        }
        let status: u16 = head.split(' ').nth(1)?.parse().ok()?;
        let body = String::from_utf8_lossy(&heard[end + 4..end + 4 + length]).into_owned();
        let came = if status == 200 { Came::Served(body) } else { Came::Refused(status) };
        return Some((came, !head.contains("connection: close")));
    }
}

/// Longer than a replica may take for anything.
const PATIENCE: Duration = Duration::from_secs(10);
