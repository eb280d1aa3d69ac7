//! A small HTTP/1 server: bounded connections, a header deadline, and a stop that waits.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::answer::Body;

/// Answers requests. An error closes the connection without a response.
pub(super) trait Handler: Send + Sync + 'static {
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Body>, Hangup>> + Send;
}

/// The handler wants the connection closed without a word.
#[derive(Debug)]
pub(super) struct Hangup;

impl std::fmt::Display for Hangup {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("the connection is dropped on purpose")
    }
}

impl std::error::Error for Hangup {}

/// A running server. Dropping it stops it without waiting.
pub(super) struct Running {
    stop: watch::Sender<()>,
    accepting: JoinHandle<()>,
}

const MOST_CONNECTIONS: usize = 4_096;
const HEADER_DEADLINE: Duration = Duration::from_secs(15);
const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// Binds, and gives the address that was bound.
pub(super) async fn bind(listen: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

impl Running {
    pub(super) fn start(listener: TcpListener, handler: Arc<impl Handler>) -> Self {
        let (stop, stopping) = watch::channel(());
        let accepting = tokio::spawn(accept(listener, handler, stopping));
        Self { stop, accepting }
    }

    /// Takes no more connections, lets requests under way end, and waits two seconds at most.
    pub(super) async fn stop(self) {
        drop(self.stop);
        // A panic in the accept loop has been printed already; there is nobody else to tell.
        let _ = self.accepting.await;
    }
}

async fn accept<H: Handler>(listener: TcpListener, handler: Arc<H>, stopping: watch::Receiver<()>) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut stopped = stopping.clone();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            break;
        };
        let stream = tokio::select! {
            _ = stopped.changed() => break,
            accepted = listener.accept() => accepted,
        };
        while connections.try_join_next().is_some() {}
        // Accepting fails when file descriptors run out; those come back as connections end.
        let Ok((stream, _)) = stream else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let serving = serve(stream, handler.clone(), stopping.clone());
        connections.spawn(async move {
            serving.await;
            drop(place);
        });
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(STOP_DEADLINE, ended).await;
}

async fn serve<H: Handler>(stream: TcpStream, handler: Arc<H>, mut stopping: watch::Receiver<()>) {
    // Without it small answers wait for the peer's acknowledgement; failing costs only time.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| handler.clone().answer(request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // Errors here are the client's doing, or a hang-up that was asked for.
        _ = connection.as_mut() => return,
        _ = stopping.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
