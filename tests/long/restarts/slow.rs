//! What takes long: downloads, and WebSockets that nobody ends.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use crate::Load;
use crate::app::DOWNLOAD;
use crate::connection::{ask, connect, is_ok, rest};
use crate::counts::{Kind, Loss};

/// One download after another, each whole.
pub async fn download(load: Load) {
    while !load.counts.is_over() {
        match one_download(&load).await {
            Ok(()) => load.counts.answered(Kind::Download),
            Err(loss) => load.counts.lost(loss, "a download"),
        }
    }
}

async fn one_download(load: &Load) -> Result<(), Loss> {
    let mut stream = connect(load, 0).await?;
    let request = b"GET /download HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut answer = ask(&mut stream, request).await?;
    rest(&mut stream, &mut answer).await?;
    match is_ok(&answer) && answer.body.len() == DOWNLOAD {
        true => Ok(()),
        false => Err(Loss::Otherwise),
    }
}

/// A message every tenth of a second, and its echo; a new WebSocket when one was closed properly.
pub async fn websocket(load: Load, number: usize) {
    while !load.counts.is_over() {
        match conversation(&load, number).await {
            Ok(()) => load.counts.answered(Kind::Closed),
            Err(loss) => load.counts.lost(loss, "a WebSocket"),
        }
    }
}

/// Until it is closed with 1001, or the test is over.
async fn conversation(load: &Load, number: usize) -> Result<(), Loss> {
    let mut stream = connect(load, number).await?;
    let answer = ask(&mut stream, UPGRADE).await?;
    if !answer.head.starts_with("http/1.1 101 ") {
        return Err(Loss::Otherwise);
    }
    let mut turns = interval(Duration::from_millis(100));
    while !load.counts.is_over() {
        turns.tick().await;
        let _closed_is_read = stream.write_all(MESSAGE).await;
        match frame(&mut stream).await? {
            0x82 => load.counts.answered(Kind::Message),
            0x88 => return Ok(()),
            _ => return Err(Loss::Otherwise),
        }
    }
    Ok(())
}

/// Reads a frame; its first byte.
async fn frame(stream: &mut TcpStream) -> Result<u8, Loss> {
    let mut head = [0; 2];
    let read = timeout(Duration::from_secs(20), stream.read_exact(&mut head)).await;
    read.map_err(|_| Loss::Unanswered)?.map_err(|_| Loss::Cut)?;
    let mut payload = vec![0; usize::from(head[1])];
    stream.read_exact(&mut payload).await.map_err(|_| Loss::Cut)?;
    let proper = head[0] != 0x88 || payload == [0x03, 0xe9];
    if proper { Ok(head[0]) } else { Err(Loss::Otherwise) }
}

const UPGRADE: &[u8] = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";
/// Four bytes, masked.
const MESSAGE: &[u8] = b"\x82\x84mask\x01\x02\x03\x04";
