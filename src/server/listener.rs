//! The accept loop of one listener on one worker.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::telemetry::Limit;

use super::connection::Front;
use super::doors::DoorPlan;
use super::drain::{Backlog, Course, Stage};

/// Accepts until told to stop or the listener is closed, then waits for the connections that are
/// open.
pub(super) async fn accept(plan: DoorPlan, front: Arc<Front>, mut course: Course) {
    let DoorPlan { socket, tls, mut closed } = plan;
    let Ok(socket) = TcpListener::from_std(socket) else { return };
    let mut open = JoinSet::new();
    let fresh = course.clone();
    let take = |open: &mut JoinSet<()>, stream: TcpStream, peer: SocketAddr| {
        let Some(held) = front.load.admit(peer.ip()) else { return };
        let (front, course) = (front.clone(), fresh.clone());
        let presented = tls.as_ref().map(|tls| tls.load_full());
        open.spawn(async move {
            front.serve(stream, presented, course).await;
            drop(held);
        });
    };
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, peer)) => take(&mut open, stream, peer),
                // Out of descriptors or memory: connections wait in the backlog meanwhile.
                Err(_) => {
                    front.load.met(Limit::Descriptors);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = open.join_next() => {}
            () = course.reaches(Stage::Shut) => break,
            () = is_closed(&mut closed) => break,
        }
    }
    let theirs = course.has_reached(Stage::Shut) && course.backlog() == Backlog::Theirs;
    if let (false, Ok(socket)) = (theirs, socket.into_std()) {
        // Those that wait would be reset with the socket.
        while let Ok((stream, peer)) = socket.accept() {
            let whole = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            whole.into_iter().for_each(|stream| take(&mut open, stream, peer));
        }
    }
    while open.join_next().await.is_some() {}
}

/// Waits until a listener is closed, which may never be.
async fn is_closed(closed: &mut watch::Receiver<bool>) {
    if closed.wait_for(|closed| *closed).await.is_err() {
        std::future::pending().await
    }
}

/// Between two tries to accept when the system has no room.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
