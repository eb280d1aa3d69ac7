//! The accept loop of one listener on one worker.

use std::net::SocketAddr;
use std::pin::Pin;
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
/// open. While one connection waits for its place, no other is accepted: they wait in the backlog,
/// where they cost nothing.
pub(super) async fn accept(plan: DoorPlan, front: Arc<Front>, mut course: Course) {
    let DoorPlan { socket, tls, jobs, mut closed } = plan;
    let Ok(socket) = TcpListener::from_std(socket) else { return };
    let mut open = JoinSet::new();
    let fresh = course.clone();
    let enter = async |stream: TcpStream, peer: SocketAddr| {
        let held = front.load.admit(peer.ip()).await?;
        let (front, course) = (front.clone(), fresh.clone());
        let (presented, jobs) = (tls.as_ref().map(|tls| tls.load_full()), jobs.clone());
        let served: Served = Box::pin(async move {
            front.serve(stream, jobs.as_deref(), presented, course).await;
            drop(held);
        });
        Some(served)
    };
    // Who stands at the door; everything else goes on meanwhile.
    let mut door: Option<Door<'_>> = None;
    loop {
        tokio::select! {
            entered = async { door.as_mut()?.await }, if door.is_some() => {
                door = None;
                if let Some(served) = entered {
                    open.spawn(served);
                }
            }
            accepted = socket.accept(), if door.is_none() => match accepted {
                Ok((stream, peer)) => door = Some(Box::pin(enter(stream, peer))),
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
    if let Some(entered) = door
        && let Some(served) = entered.await
    {
        open.spawn(served);
    }
    let theirs = course.has_reached(Stage::Shut) && course.backlog() == Backlog::Theirs;
    if let (false, Ok(socket)) = (theirs, socket.into_std()) {
        // Those that wait would be reset with the socket.
        while let Ok((stream, peer)) = socket.accept() {
            let whole = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            if let Ok(stream) = whole
                && let Some(served) = enter(stream, peer).await
            {
                open.spawn(served);
            }
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

/// The whole life of a connection that was let in.
type Served = Pin<Box<dyn Future<Output = ()> + Send>>;
/// The wait for it.
type Door<'a> = Pin<Box<dyn Future<Output = Option<Served>> + Send + 'a>>;

/// Between two tries to accept when the system has no room.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
