//! The app behind a proxy that is measured, and the words by which its process is told what to do.

use std::io::Write as _;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A line for whoever reads our standard output.
pub fn say(line: &str) {
    println!("{line}");
    std::io::stdout().flush().expect("a reader");
}

/// Serves everybody who connects.
pub async fn accept(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let _latency_only = stream.set_nodelay(true);
        tokio::spawn(answer(stream));
    }
}

/// One request at a time, none with a body.
async fn answer(mut stream: TcpStream) {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n\
         Date: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Length: {BODY}\r\n\r\n{}",
        "x".repeat(BODY)
    );
    let mut request = Vec::with_capacity(4 << 10);
    loop {
        request.clear();
        while !request.ends_with(b"\r\n\r\n") {
            match stream.read_buf(&mut request).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Bytes of its answer's body.
pub const BODY: usize = 512;
