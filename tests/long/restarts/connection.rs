//! A client's connection of HTTP/1.1, kept to its rules.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::Load;
use crate::counts::{Begun, Loss};

/// An answer: its head, and as much of its body as has come.
pub struct Answer {
    pub head: String,
    pub body: Vec<u8>,
}

/// Connects, from one of several addresses: there are only so many ports.
pub async fn connect(load: &Load, number: usize) -> Result<TcpStream, Loss> {
    let failed = |error: io::Error| Loss::of(&error, Begun::Not);
    let socket = TcpSocket::new_v4().map_err(failed)?;
    let from: SocketAddr = format!("127.0.0.{}:0", 2 + number % 16).parse().unwrap();
    socket.bind(from).map_err(failed)?;
    let stream = socket.connect(([127, 0, 0, 1], load.port).into());
    let stream = timeout(PATIENCE, stream).await.map_err(|_| Loss::Refused)?.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    load.counts.connected();
    Ok(stream)
}

/// Sends a request and reads the answer's head.
pub async fn ask(stream: &mut TcpStream, request: &[u8]) -> Result<Answer, Loss> {
    stream.write_all(request).await.map_err(|error| Loss::of(&error, Begun::Not))?;
    let mut bytes = Vec::with_capacity(1 << 10);
    loop {
        if let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let body = bytes.split_off(head + 4);
            let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
            return Ok(Answer { head, body });
        }
        more(stream, &mut bytes).await?;
    }
}

/// Reads the rest of a body of stated length.
pub async fn rest(stream: &mut TcpStream, answer: &mut Answer) -> Result<(), Loss> {
    let length = field(&answer.head, "content-length").and_then(|text| text.parse().ok());
    let length: usize = length.ok_or(Loss::Otherwise)?;
    while answer.body.len() < length {
        more(stream, &mut answer.body).await.map_err(|loss| match loss {
            Loss::Unanswered => Loss::Cut,
            other => other,
        })?;
    }
    Ok(())
}

pub fn is_ok(answer: &Answer) -> bool {
    answer.head.starts_with("http/1.1 200 ")
}

/// Whether the connection is to be left after this answer.
pub fn closes(answer: &Answer) -> bool {
    field(&answer.head, "connection") == Some("close")
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
    lines.find(|(known, _)| *known == name).map(|(_, value)| value)
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<(), Loss> {
    let begun = if bytes.is_empty() { Begun::Not } else { Begun::Yes };
    let end = || Loss::of(&io::ErrorKind::UnexpectedEof.into(), begun);
    match timeout(PATIENCE, stream.read_buf(bytes)).await {
        Ok(Ok(0)) | Err(_) => Err(end()),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Loss::of(&error, begun)),
    }
}

/// Longer than anything takes that is not lost.
const PATIENCE: Duration = Duration::from_secs(20);
