//! A SuperID of two addresses that answers as scripted and writes down what it was asked.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// What a path answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Status, further header lines each ending in CRLF, body.
    Answer(u16, &'static str, String),
    /// A header that promises more than comes.
    CutOff,
    /// Nothing until the other side gives up.
    Silence,
}

impl Reply {
    pub fn ok(body: impl Into<String>) -> Self {
        Self::Answer(200, "", body.into())
    }

    pub fn status(status: u16, body: &str) -> Self {
        Self::Answer(status, "", body.to_owned())
    }
}

#[derive(Clone)]
pub struct Double {
    pub address: SocketAddr,
    replies: Arc<Mutex<HashMap<&'static str, Reply>>>,
    journal: Arc<Mutex<Vec<String>>>,
    /// A permit for each request that has arrived and is not answered yet.
    arrived: Arc<Semaphore>,
    /// A permit for each answer that may go out.
    gate: Arc<Semaphore>,
}

impl Double {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let double = Self {
            address: listener.local_addr().unwrap(),
            replies: Arc::default(),
            journal: Arc::default(),
            arrived: Arc::new(Semaphore::new(0)),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS / 2)),
        };
        let server = double.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let server = server.clone();
                tokio::spawn(async move { server.serve(stream).await });
            }
        });
        double
    }

    /// What `/jwks` or `/tokens` answers from now on.
    pub fn says(&self, path: &'static str, reply: Reply) {
        self.replies.lock().unwrap().insert(path, reply);
    }

    /// The requests to a path so far, whole.
    pub fn asked(&self, path: &str) -> Vec<String> {
        let journal = self.journal.lock().unwrap();
        let to_it = |request: &&String| request.split(' ').nth(1) == Some(path);
        journal.iter().filter(to_it).cloned().collect()
    }

    /// Holds every answer back until [`Double::open`].
    pub fn shut(&self) {
        self.gate.forget_permits(usize::MAX);
    }

    pub fn open(&self) {
        self.gate.add_permits(1_000);
    }

    /// Waits until a request has arrived.
    pub async fn is_asked(&self) {
        self.arrived.acquire().await.unwrap().forget();
    }

    async fn serve(&self, mut stream: TcpStream) {
        let request = read(&mut stream).await;
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        self.journal.lock().unwrap().push(request);
        self.arrived.add_permits(1);
        self.gate.acquire().await.unwrap().forget();
        let reply = self.replies.lock().unwrap().get(path.as_str()).cloned();
        let text = match reply.unwrap_or(Reply::status(404, "")) {
            Reply::Answer(status, headers, body) => {
                let length = body.len();
                format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
            }
            Reply::CutOff => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_owned(),
            Reply::Silence => return drop(stream.read(&mut [0; 1]).await),
        };
        let _gone = stream.write_all(text.as_bytes()).await;
    }
}

async fn read(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let lower = head.to_lowercase();
            let length = lower
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.lines().next().and_then(|digits| digits.trim().parse().ok()));
            body.len() >= length.unwrap_or(0)
        });
        if read == 0 || whole {
            return text;
        }
    }
}
