//! An app that answers at once, or with a lot, or waits for a whole body.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Serves on threads of its own until the program ends; its port.
pub fn start() -> u16 {
    let runtime = runtime();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (large, wanted) = unbounded_channel();
    std::thread::spawn(move || {
        // Filling a large answer's buffers takes the processor for 20 ms. Good clients wait for the
        // gateway, not for that.
        let _as_before = rustix::process::nice(10);
        self::runtime().block_on(serve_large(wanted))
    });
    std::thread::spawn(move || {
        runtime.block_on(async {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, large.clone()));
            }
        });
    });
    port
}

async fn serve(mut stream: TcpStream, large: UnboundedSender<std::net::TcpStream>) -> Option<()> {
    let _latency_only = stream.set_nodelay(true);
    let mut request = Vec::with_capacity(1 << 10);
    loop {
        request.clear();
        while !request.windows(4).any(|four| four == b"\r\n\r\n") {
            if stream.read_buf(&mut request).await.ok()? == 0 {
                return None;
            }
        }
        match request.as_slice() {
            [b'P', b'O', b'S', b'T', ..] => {
                while stream.read(&mut [0; 1024]).await.ok()? > 0 {}
                return None;
            }
            other if other.starts_with(b"GET /large") => {
                return large.send(stream.into_std().ok()?).ok();
            }
            _ => stream.write_all(ANSWER).await.ok()?,
        }
    }
}

/// Answers each of these connections with a lot, once: nobody takes all of it.
async fn serve_large(mut wanted: UnboundedReceiver<std::net::TcpStream>) {
    while let Some(stream) = wanted.recv().await {
        if let Ok(stream) = TcpStream::from_std(stream) {
            tokio::spawn(answer_with_a_lot(stream));
        }
    }
}

async fn answer_with_a_lot(mut stream: TcpStream) -> Option<()> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", PIECE * PIECES);
    stream.write_all(head.as_bytes()).await.ok()?;
    for _ in 0..PIECES {
        stream.write_all(&[b'x'; PIECE]).await.ok()?;
    }
    Some(())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nthe app";
/// A large answer: 32 MiB.
const PIECES: usize = 2 << 10;
const PIECE: usize = 16 << 10;
