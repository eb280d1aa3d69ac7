//! Apps of HTTP/1.1 and of HTTP/2 that take bodies, give bodies, and tell what happens.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{Request, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// Serves HTTP/1.1 on a thread of its own until the program ends; its port.
pub fn http1(began: Instant) -> u16 {
    serving(move |stream| Box::pin(serve1(stream, began)))
}

/// The same for HTTP/2, from the first byte.
pub fn http2(began: Instant) -> u16 {
    serving(move |stream| Box::pin(serve2(stream, began)))
}

/// One event, which tells when it was sent.
pub fn event(began: Instant) -> String {
    format!("data: {:020}\n\n", began.elapsed().as_nanos())
}

type Served = Pin<Box<dyn Future<Output = Option<()>> + Send>>;

fn serving(serve: impl Fn(TcpStream) -> Served + Send + 'static) -> u16 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        runtime.block_on(async {
            while let Ok((stream, _)) = listener.accept().await {
                let _latency_only = stream.set_nodelay(true);
                tokio::spawn(serve(stream));
            }
        });
    });
    port
}

/// The number at the end of a path: bytes to give, or events to tell.
fn wanted(path: &str) -> usize {
    path.rsplit('/').next().and_then(|last| last.parse().ok()).unwrap_or(0)
}

async fn serve1(mut stream: TcpStream, began: Instant) -> Option<()> {
    let mut buffer = vec![0; PIECE];
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).ok()?.to_ascii_lowercase();
        let path = head.split(' ').nth(1)?.to_owned();
        let length = head.split_once("content-length: ").map_or("0", |(_, rest)| rest);
        let mut left: usize = length.lines().next()?.parse().ok()?;
        while left > 0 {
            let most = left.min(PIECE);
            left -= stream.read(&mut buffer[..most]).await.ok().filter(|read| *read > 0)?;
        }
        if path.contains("/events/") {
            stream.write_all(EVENTS).await.ok()?;
            for _ in 0..wanted(&path) {
                sleep(BETWEEN).await;
                let event = event(began);
                let chunk = format!("{:x}\r\n{event}\r\n", event.len());
                stream.write_all(chunk.as_bytes()).await.ok()?;
            }
            stream.write_all(b"0\r\n\r\n").await.ok()?;
            continue;
        }
        let bytes = wanted(&path);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.ok()?;
        let piece = vec![b'x'; PIECE];
        let mut left = bytes;
        while left > 0 {
            let most = left.min(PIECE);
            stream.write_all(&piece[..most]).await.ok()?;
            left -= most;
        }
    }
}

async fn serve2(stream: TcpStream, began: Instant) -> Option<()> {
    let mut terms = h2::server::Builder::new();
    terms.initial_window_size(1 << 20).initial_connection_window_size(1 << 20);
    let mut connection = terms.handshake(stream).await.ok()?;
    while let Some(Ok((request, respond))) = connection.accept().await {
        tokio::spawn(answer2(request, respond, began));
    }
    Some(())
}

async fn answer2(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    began: Instant,
) -> Option<()> {
    let (head, mut body) = request.into_parts();
    while let Some(piece) = body.data().await {
        let _freed = body.flow_control().release_capacity(piece.ok()?.len());
    }
    let path = head.uri.path();
    let bytes = wanted(path);
    if path.contains("/events/") {
        let mut answer = respond.send_response(Response::new(()), false).ok()?;
        for _ in 0..bytes {
            sleep(BETWEEN).await;
            answer.send_data(event(began).into(), false).ok()?;
        }
        return answer.send_data(Bytes::new(), true).ok();
    }
    let head = Response::builder().header("content-length", bytes).body(()).ok()?;
    give(&mut respond.send_response(head, false).ok()?, bytes).await
}

/// Sends so many bytes as the other side takes them, and the end.
pub async fn give(stream: &mut SendStream<Bytes>, bytes: usize) -> Option<()> {
    let piece = Bytes::from(vec![b'x'; PIECE]);
    let mut left = bytes;
    while left > 0 {
        stream.reserve_capacity(left.min(PIECE));
        let room = poll_fn(|context| stream.poll_capacity(context)).await?.ok()?;
        let most = room.min(left).min(PIECE);
        stream.send_data(piece.slice(..most), false).ok()?;
        left -= most;
    }
    stream.send_data(Bytes::new(), true).ok()
}

const EVENTS: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
    Transfer-Encoding: chunked\r\n\r\n";
const PIECE: usize = 64 << 10;
/// Between two events.
const BETWEEN: Duration = Duration::from_millis(2);
