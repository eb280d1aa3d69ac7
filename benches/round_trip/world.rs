//! What is on both sides of a proxy: the app behind it and the clients before it.
//!
//! Both are one thread that never sleeps while there is load. Were they to sleep, the proxy's
//! writes would wake them, and the waking, which on a real network is not the proxy's, would be
//! counted as its own: the more, the more often they are idle.

use std::io::BufRead as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

#[path = "../setting/app.rs"]
mod app;

use app::{accept, say};

/// Prints the app's port, then carries out each order it reads, `PORT REQUESTS COOKIE`, and says `done`.
/// Every client sends `request`, again and again; with this cookie, where there is one.
pub fn run(request: Vec<u8>) {
    let request: Arc<[u8]> = request.into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let port = listener.local_addr().expect("a bound address").port();
    runtime.spawn(accept(listener));
    say(&port.to_string());
    for order in std::io::stdin().lock().lines() {
        let order = order.expect("an order in UTF-8");
        let mut words = order.splitn(3, ' ');
        let port = words.next().and_then(|word| word.parse().ok()).expect("a port");
        let requests = words.next().and_then(|word| word.parse().ok());
        let requests = requests.expect("a number of requests");
        let request = words.next().map_or(request.clone(), |cookie| with_cookie(&request, cookie));
        runtime.block_on(load(port, requests, &request));
        say("done");
    }
}

fn with_cookie(request: &[u8], cookie: &str) -> Arc<[u8]> {
    let text = std::str::from_utf8(request).expect("a head in ASCII");
    let (before, rest) = text.split_once("cookie: ").expect("a cookie");
    let (_, after) = rest.split_once("\r\n").expect("a whole line");
    format!("{before}cookie: {cookie}\r\n{after}").into_bytes().into()
}

/// Sends `requests` over [`CONNECTIONS`] kept connections. Every answer must be a 200.
async fn load(port: u16, requests: usize, request: &Arc<[u8]>) {
    let awake = tokio::spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    let left = Arc::new(AtomicUsize::new(requests));
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the proxy accepts");
        stream.set_nodelay(true).expect("a live socket");
        connections.spawn(ask(stream, request.clone(), left.clone()));
    }
    connections.join_all().await;
    awake.abort();
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
