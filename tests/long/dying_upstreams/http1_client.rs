//! Clients of HTTP/1.1: one connection for many requests, or for each.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::http1_server::field;
use crate::judge::{PATIENCE, Saw};
use crate::load::Asking;

/// A client and the connection it has.
pub struct Client {
    to: SocketAddr,
    keeps: Keeps,
    kept: Option<TcpStream>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    Nothing,
    Connections,
}

impl Client {
    pub fn new(to: SocketAddr, keeps: Keeps) -> Self {
        Self { to, keeps, kept: None }
    }

    pub async fn ask(&mut self, asking: Asking) -> Saw {
        let mut saw = Saw::Nothing;
        match timeout(PATIENCE, self.whole(asking, &mut saw)).await {
            Ok(Ok(whole)) => whole,
            Ok(Err(_)) | Err(_) => saw,
        }
    }

    async fn whole(&mut self, asking: Asking, saw: &mut Saw) -> io::Result<Saw> {
        let mut stream = match self.kept.take() {
            Some(stream) => stream,
            None => TcpStream::connect(self.to).await?,
        };
        stream.set_nodelay(true)?;
        let (method, path, number) = (asking.method.as_str(), asking.path(), asking.number);
        let close = if self.keeps == Keeps::Nothing { "Connection: close\r\n" } else { "" };
        let body = asking.body();
        let length = match body.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Number: {number}\r\n{length}{close}\r\n"
        );
        stream.write_all(&[head.as_bytes(), &body].concat()).await?;
        let mut bytes = Vec::with_capacity(4 << 10);
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            more(&mut stream, &mut bytes).await?;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
        *saw = Saw::Cut;
        let length = field(&head, "content-length").ok_or(io::ErrorKind::InvalidData)? as usize;
        while bytes.len() < end + length {
            more(&mut stream, &mut bytes).await?;
        }
        if self.keeps == Keeps::Connections && !head.contains("connection: close") {
            self.kept = Some(stream);
        }
        let server = field(&head, "x-server").map(|server| server as usize);
        Ok(Saw::Whole { status, server, length })
    }
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    match stream.read_buf(bytes).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}
