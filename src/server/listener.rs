//! The accept loop of one listener on one worker, and the life of a connection.

use std::sync::Arc;
use std::time::Duration;

use pingora::apps::ServerApp as _;
use pingora::listeners::tls::Acceptor;
use pingora::protocols::l4::stream::Stream as Connection;
use pingora::protocols::{GetSocketDigest as _, SocketDigest, Stream};
use pingora::proxy::HttpProxy;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::gateway::Gateway;

use super::assemble::Load;
use super::buffered::Buffered;
use super::doors::DoorPlan;

/// Accepts until told to stop or the listener is closed, then waits for the connections that are
/// open.
pub(super) async fn accept(
    plan: DoorPlan,
    proxy: Arc<HttpProxy<Gateway>>,
    load: Arc<Load>,
    mut stop: watch::Receiver<bool>,
) {
    let DoorPlan { socket, tls, mut closed } = plan;
    let Ok(socket) = TcpListener::from_std(socket) else { return };
    let mut open = JoinSet::new();
    let stopping = stop.clone();
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    let held = load.entered();
                    let (proxy, stop) = (proxy.clone(), stopping.clone());
                    let acceptor = tls.as_ref().map(|tls| {
                        Acceptor::from_server_config(tls.load_full())
                    });
                    open.spawn(async move {
                        serve(stream, acceptor, proxy, stop).await;
                        drop(held);
                    });
                }
                // Out of descriptors or memory: connections wait in the backlog meanwhile.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = open.join_next() => {}
            () = is_true(&mut stop) => break,
            () = is_true(&mut closed) => break,
        }
    }
    drop(socket);
    while open.join_next().await.is_some() {}
}

/// Waits until a flag is set, or nobody is left to set it.
async fn is_true(flag: &mut watch::Receiver<bool>) {
    let _set_or_gone = flag.wait_for(|set| *set).await.is_ok();
}

async fn serve(
    stream: TcpStream,
    acceptor: Option<Acceptor>,
    proxy: Arc<HttpProxy<Gateway>>,
    stop: watch::Receiver<bool>,
) {
    let _latency_only = stream.set_nodelay(true);
    let Some(mut stream) = secured(stream, acceptor.as_ref()).await else { return };
    while let Some(next) = proxy.process_new(stream, &stop).await {
        stream = next;
    }
}

/// The connection, through TLS where the listener has it. A client that does not finish its
/// handshake in time is dropped.
async fn secured(stream: TcpStream, acceptor: Option<&Acceptor>) -> Option<Stream> {
    let peer = stream.peer_addr().ok()?;
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&stream);
    let mut connection: Connection = stream.into();
    let digest = SocketDigest::from_raw_fd(descriptor);
    let _unset_before = digest.peer_addr.set(Some(peer.into()));
    connection.set_socket_digest(digest);
    match acceptor {
        None => Some(Box::new(Buffered::new(connection))),
        Some(acceptor) => {
            let handshake = acceptor.tls_handshake(connection);
            let secured = timeout(HANDSHAKE, handshake).await.ok()?.ok()?;
            Some(Box::new(Buffered::new(secured)))
        }
    }
}

/// The longest a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Between two tries to accept when the system has no room.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
