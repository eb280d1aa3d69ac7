//! The accept loop of one listener on one worker.

use std::sync::Arc;
use std::time::Duration;

use pingora::listeners::tls::Acceptor;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::telemetry::Limit;

use super::connection::Front;
use super::doors::DoorPlan;

/// Accepts until told to stop or the listener is closed, then waits for the connections that are
/// open. While one connection waits for its place, no other is accepted: they wait in the backlog,
/// where they cost nothing.
pub(super) async fn accept(plan: DoorPlan, front: Arc<Front>, mut stop: watch::Receiver<bool>) {
    let DoorPlan { socket, tls, mut closed } = plan;
    let Ok(socket) = TcpListener::from_std(socket) else { return };
    let mut open = JoinSet::new();
    let stopping = stop.clone();
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, peer)) => {
                    let Some(held) = front.load.admit(peer.ip()).await else { continue };
                    let (front, stop) = (front.clone(), stopping.clone());
                    let acceptor = tls.as_ref().map(|tls| {
                        Acceptor::from_server_config(tls.load_full())
                    });
                    open.spawn(async move {
                        front.serve(stream, acceptor, stop).await;
                        drop(held);
                    });
                }
                // Out of descriptors or memory: connections wait in the backlog meanwhile.
                Err(_) => {
                    front.load.met(Limit::Descriptors);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
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

/// Between two tries to accept when the system has no room.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
