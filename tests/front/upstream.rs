//! An app that keeps every byte it gets and reads it strictly.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};

use crate::strict::{self, Request};

#[derive(Clone)]
pub struct Upstream {
    pub address: SocketAddr,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    eager: AtomicBool,
    book: Mutex<Book>,
    news: Notify,
    gate: Gate,
}

struct Gate(Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

/// What came.
#[derive(Clone, Default, Debug)]
pub struct Book {
    /// Requests of which at least a byte came.
    pub begun: usize,
    /// Requests that came whole.
    pub whole: Vec<Request>,
    /// Bytes with no reading, or more than one.
    pub ambiguous: Vec<String>,
    /// Connections that ended inside a request.
    pub cut: usize,
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let upstream = Self { address, kept: Arc::default() };
        let serving = upstream.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve(stream).await });
            }
        });
        upstream
    }

    pub fn book(&self) -> Book {
        self.kept.book.lock().unwrap().clone()
    }

    /// The whole requests since the last time.
    pub fn take_whole(&self) -> Vec<Request> {
        std::mem::take(&mut self.kept.book.lock().unwrap().whole)
    }

    /// Fails when a byte came that is not plainly part of one request.
    #[track_caller]
    pub fn heard_nothing_ambiguous(&self) {
        let book = self.book();
        assert!(book.ambiguous.is_empty(), "{:#?}", book.ambiguous);
    }

    /// Waits until the book says so.
    pub async fn until(&self, holds: impl Fn(&Book) -> bool) {
        loop {
            let news = self.kept.news.notified();
            if holds(&self.book()) {
                return;
            }
            news.await;
        }
    }

    /// From now on every connection is told 101 before it has asked for anything.
    pub fn is_eager(&self) {
        self.kept.eager.store(true, Ordering::Relaxed);
    }

    /// Lets one request to `/held` have its answer.
    pub fn release(&self) {
        self.kept.gate.0.add_permits(1);
    }

    fn note(&self, change: impl FnOnce(&mut Book)) {
        change(&mut self.kept.book.lock().unwrap());
        self.kept.news.notify_waiters();
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        if self.kept.eager.load(Ordering::Relaxed) {
            let _gone = stream.write_all(SWITCHING.as_bytes()).await;
            let _request = self.next(&mut stream, &mut bytes).await;
            return echo(stream, &bytes).await;
        }
        loop {
            match self.next(&mut stream, &mut bytes).await {
                Some(Heard::Whole(request)) => {
                    self.note(|book| book.whole.push(request.clone()));
                    if request.target == "/held" {
                        self.kept.gate.0.acquire().await.unwrap().forget();
                    }
                    let upgrade = request
                        .headers
                        .iter()
                        .any(|(name, _)| name.eq_ignore_ascii_case("upgrade"));
                    if request.target == "/101" || (upgrade && request.target == "/tunnel") {
                        return echo(stream, &[SWITCHING.as_bytes(), &bytes].concat()).await;
                    }
                    if stream.write_all(&answer(&request)).await.is_err() {
                        return;
                    }
                }
                // Said once more, unasked.
                Some(Heard::Early(request)) => {
                    self.note(|book| book.whole.push(request));
                    let _gone = stream.write_all(ok("early").as_bytes()).await;
                }
                None => return,
            }
        }
    }

    async fn next(&self, stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Heard> {
        let (mut begun, mut early) = (false, false);
        loop {
            if !bytes.is_empty() && !begun {
                begun = true;
                self.note(|book| book.begun += 1);
            }
            match strict::request(bytes) {
                Ok(Some(request)) => {
                    bytes.drain(..request.length);
                    return Some(if early { Heard::Early(request) } else { Heard::Whole(request) });
                }
                Ok(None) => {}
                Err(problem) => {
                    let shown = bytes.escape_ascii().to_string();
                    self.note(|book| book.ambiguous.push(format!("{problem}: {shown}")));
                    return None;
                }
            }
            let head = strict::head(bytes).ok().flatten();
            if !early && head.is_some_and(|(_, target, ..)| target == "/early") {
                early = true;
                let _gone = stream.write_all(ok("early").as_bytes()).await;
            }
            if stream.read_buf(bytes).await.ok().is_none_or(|count| count == 0) {
                if begun {
                    self.note(|book| book.cut += 1);
                }
                return None;
            }
        }
    }
}

enum Heard {
    /// One whose answer was given before its body had come.
    Early(Request),
    Whole(Request),
}

/// 200 whose body names what was asked: method, target, body.
fn answer(request: &Request) -> Vec<u8> {
    if request.method == "HEAD" {
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec();
    }
    let body = String::from_utf8_lossy(&request.body);
    ok(&format!("{} {} {body}", request.method, request.target)).into_bytes()
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Says `first`, then everything it hears. What was read together with the request belongs in
/// `first`: a client that has seen the 101 may already have spoken.
async fn echo(mut stream: TcpStream, first: &[u8]) {
    if stream.write_all(first).await.is_err() {
        return;
    }
    let (mut read, mut write) = stream.split();
    let _end = tokio::io::copy(&mut read, &mut write).await;
}

const SWITCHING: &str =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
