//! What is on both sides of a proxy: the app behind it and the clients before it, in one thread that
//! never sleeps while there is load, so that waking it is not counted as the proxy's.

use std::io::BufRead as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::number;
use crate::requests::Requests;

#[path = "../setting/app.rs"]
mod app;

use app::{BODY, accept, say};

/// Prints the app's port, then carries out each order it reads, and says `done`:
/// `open PORT CONNECTIONS FILE`, `load REQUESTS`, `close`.
pub fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let port = listener.local_addr().expect("a bound address").port();
    runtime.spawn(accept(listener));
    say(&port.to_string());
    let mut clients = Clients { requests: None, turn: Arc::default(), open: Vec::new() };
    for order in std::io::stdin().lock().lines() {
        let order = order.expect("an order in UTF-8");
        match order.split(' ').collect::<Vec<_>>().as_slice() {
            ["open", port, connections, file] => {
                clients.read(file);
                clients.connect(&runtime, number(port), number(connections));
            }
            ["load", requests] => clients.ask(&runtime, number(requests)),
            ["close"] => clients.open.clear(),
            other => panic!("{other:?} is no order"),
        }
        say("done");
    }
}

/// Those that are connected, and what they ask.
struct Clients {
    requests: Option<(String, Arc<Requests>)>,
    /// How many requests were sent.
    turn: Arc<AtomicUsize>,
    open: Vec<TcpStream>,
}

impl Clients {
    fn read(&mut self, file: &str) {
        if self.requests.as_ref().is_none_or(|(known, _)| known != file) {
            self.requests = None;
            let requests = Arc::new(Requests::read(Path::new(file)));
            self.requests = Some((file.to_owned(), requests));
        }
    }

    /// Few at a time, and they ask before the next come: a listener's queue is short, and a
    /// connection that says nothing is closed.
    fn connect(&mut self, runtime: &Runtime, port: u16, connections: usize) {
        let mut connected = Vec::new();
        while connected.len() < connections {
            for _ in 0..AT_ONCE.min(connections - connected.len()) {
                let stream = runtime.block_on(TcpStream::connect(("127.0.0.1", port)));
                let stream = stream.expect("the proxy accepts");
                stream.set_nodelay(true).expect("a live socket");
                self.open.push(stream);
            }
            self.ask(runtime, self.open.len());
            connected.append(&mut self.open);
        }
        self.open = connected;
    }

    /// Asks so many requests over all connections, each the next when it has its answer.
    fn ask(&mut self, runtime: &Runtime, requests: usize) {
        let (_, what) = self.requests.as_ref().expect("they were opened");
        let left = Arc::new(AtomicUsize::new(requests));
        let mut asking = JoinSet::new();
        let _inside = runtime.enter();
        for stream in self.open.drain(..) {
            asking.spawn(ask(stream, what.clone(), self.turn.clone(), left.clone()));
        }
        let awake = runtime.spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        self.open = runtime.block_on(asking.join_all());
        awake.abort();
    }
}

async fn ask(
    mut stream: TcpStream,
    requests: Arc<Requests>,
    turn: Arc<AtomicUsize>,
    left: Arc<AtomicUsize>,
) -> TcpStream {
    let mut answer = Vec::with_capacity(2 << 10);
    let take = |left: usize| left.checked_sub(1);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
        let request = requests.at(turn.fetch_add(1, Ordering::Relaxed));
        stream.write_all(request).await.expect("the proxy reads");
        answer.clear();
        while !is_whole(&answer) {
            let read = stream.read_buf(&mut answer).await.expect("the proxy answers");
            assert_ne!(read, 0, "the proxy hung up: {}", String::from_utf8_lossy(&answer));
        }
    }
    stream
}

fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = memchr::memmem::find(answer, b"\r\n\r\n") else { return false };
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(answer));
    answer.len() >= head + 4 + BODY
}

/// Connections that are made before they ask.
const AT_ONCE: usize = 64;
