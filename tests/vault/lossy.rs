//! A socket before Redis' that loses an answer when it is told to.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

pub struct Lossy {
    pub socket: PathBuf,
    armed: Arc<AtomicBool>,
}

impl Lossy {
    /// Listens in the same folder, and passes everything on.
    pub fn before(redis: &Path) -> Self {
        let socket = redis.with_file_name("lossy.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let armed = Arc::new(AtomicBool::new(false));
        let (redis, lose) = (redis.to_owned(), armed.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&redis).await.unwrap();
                tokio::spawn(pass(client, server, lose.clone()));
            }
        });
        Self { socket, armed }
    }

    /// Breaks the connection in place of the next answer to a change.
    pub fn lose_the_next_answer(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    pub fn has_lost_it(&self) -> bool {
        !self.armed.load(Ordering::SeqCst)
    }
}

async fn pass(client: UnixStream, server: UnixStream, lose: Arc<AtomicBool>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let change = Arc::new(AtomicBool::new(false));
    let seen = change.clone();
    let asking = tokio::spawn(async move {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from_client.read(&mut bytes).await {
            let text = String::from_utf8_lossy(&bytes[..count]);
            seen.fetch_or(text.contains("local function done"), Ordering::SeqCst);
            if to_server.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    });
    let mut bytes = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from_server.read(&mut bytes).await {
        if change.swap(false, Ordering::SeqCst) && lose.swap(false, Ordering::SeqCst) {
            break;
        }
        if to_client.write_all(&bytes[..count]).await.is_err() {
            break;
        }
    }
    asking.abort();
}
