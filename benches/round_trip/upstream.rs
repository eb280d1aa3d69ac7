//! An app that costs next to nothing: every request gets the same 512 bytes.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::child::serve_until_told;

/// Serves on a free port until told to end.
pub fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let port = listener.local_addr().expect("a bound address").port();
    std::thread::spawn(move || runtime.block_on(accept(listener)));
    serve_until_told(port);
}

async fn accept(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let _latency_only = stream.set_nodelay(true);
        tokio::spawn(answer(stream));
    }
}

/// One request at a time, none with a body: that is all a pooled connection of pingora's sends.
async fn answer(mut stream: TcpStream) {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n\
         Date: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Length: {BODY}\r\n\r\n{}",
        "x".repeat(BODY)
    );
    let mut request = Vec::with_capacity(8 << 10);
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

const BODY: usize = 512;
