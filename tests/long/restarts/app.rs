//! An app with short answers, bodies that are read, slow downloads and a WebSocket that echoes.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Serves on a thread of its own until the program ends.
pub struct App {
    pub port: u16,
}

impl App {
    /// A download takes as long as it is told.
    pub fn start(download: Duration) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            runtime.block_on(async {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, download));
                }
            });
        });
        Self { port }
    }
}

async fn serve(stream: TcpStream, download: Duration) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut stream = BufReader::new(stream);
    loop {
        let head = head(&mut stream).await?;
        body(&mut stream, &head).await?;
        if head.contains(" /ws ") {
            return echo(stream).await;
        }
        if head.contains(" /download ") {
            slowly(&mut stream, download).await?;
        } else {
            stream.write_all(ANSWER).await.ok()?;
        }
    }
}

/// In small letters.
async fn head(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    Some(head.to_ascii_lowercase())
}

async fn body(stream: &mut BufReader<TcpStream>, head: &str) -> Option<()> {
    if head.contains("transfer-encoding: chunked") {
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.ok()?;
            let size = u64::from_str_radix(line.trim(), 16).ok()?;
            skip(stream, size + 2).await?;
            if size == 0 {
                return Some(());
            }
        }
    }
    let Some((_, rest)) = head.split_once("content-length: ") else { return Some(()) };
    skip(stream, rest.lines().next()?.parse().ok()?).await
}

async fn skip(stream: &mut (impl AsyncRead + Unpin), bytes: u64) -> Option<()> {
    let skipped = tokio::io::copy(&mut stream.take(bytes), &mut tokio::io::sink()).await.ok()?;
    (skipped == bytes).then_some(())
}

async fn slowly(stream: &mut BufReader<TcpStream>, download: Duration) -> Option<()> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {DOWNLOAD}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    let mut turns = tokio::time::interval(download / PIECES);
    for _ in 0..PIECES {
        turns.tick().await;
        stream.write_all(&[b'd'; PIECE]).await.ok()?;
    }
    Some(())
}

async fn echo(mut stream: BufReader<TcpStream>) -> Option<()> {
    stream.write_all(SWITCHING).await.ok()?;
    loop {
        let mut head = [0; 6];
        stream.read_exact(&mut head).await.ok()?;
        let mut payload = vec![0; usize::from(head[1] & 0x7f)];
        stream.read_exact(&mut payload).await.ok()?;
        let frame = [&[head[0], head[1] & 0x7f][..], &payload].concat();
        stream.write_all(&frame).await.ok()?;
        if head[0] == 0x88 {
            return None;
        }
    }
}

/// Bytes of a download.
pub const DOWNLOAD: usize = PIECE * PIECES as usize;
const PIECE: usize = 4 << 10;
const PIECES: u32 = 100;
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nthe app";
const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
