//! An app with an endless answer, a large one, and a small one.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Starts it on a thread of its own; says its port.
pub fn start() -> u16 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        runtime.block_on(async {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
    });
    port
}

async fn serve(mut stream: TcpStream) {
    let mut request = Vec::new();
    loop {
        request.clear();
        while !request.ends_with(b"\r\n\r\n") {
            if !matches!(stream.read_buf(&mut request).await, Ok(1..)) {
                return;
            }
        }
        if request.starts_with(b"GET /held ") {
            let _until_it_is_given_up = stream.read_buf(&mut request).await;
            return;
        }
        let length = match request.as_slice() {
            [b'G', b'E', b'T', b' ', b'/', b'l', ..] => LARGE,
            [b'G', b'E', b'T', b' ', b'/', b'p', ..] => PAGE,
            _ => 5,
        };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        let answer = [head.into_bytes(), vec![b'x'; length]].concat();
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

const LARGE: usize = 4 << 20;
const PAGE: usize = 16 << 10;
