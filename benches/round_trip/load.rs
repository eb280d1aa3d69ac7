//! A fixed number of signed-in requests over a fixed number of kept connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::setting;

/// Sends `requests` to a proxy on this machine. Every answer must be a 200.
pub fn run(port: u16, requests: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let request: Arc<[u8]> = setting::request().into();
        let left = Arc::new(AtomicUsize::new(requests));
        let mut connections = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the proxy accepts");
            stream.set_nodelay(true).expect("a live socket");
            connections.spawn(ask(stream, request.clone(), left.clone()));
        }
        connections.join_all().await;
    });
}

async fn ask(mut stream: TcpStream, request: Arc<[u8]>, left: Arc<AtomicUsize>) {
    let mut answer = Vec::with_capacity(8 << 10);
    let take = |left: usize| left.checked_sub(1);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
        stream.write_all(&request).await.expect("the proxy reads");
        answer.clear();
        while !is_whole(&answer) {
            let read = stream.read_buf(&mut answer).await.expect("the proxy answers");
            assert_ne!(read, 0, "the proxy hung up: {}", String::from_utf8_lossy(&answer));
        }
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let text = std::str::from_utf8(&answer[..head]).expect("a head in ASCII");
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value.trim())
    });
    let length: usize = length.and_then(|text| text.parse().ok()).expect("a length");
    answer.len() >= head + 4 + length
}

const CONNECTIONS: usize = 32;
