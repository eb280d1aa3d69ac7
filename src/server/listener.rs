//! The accept loop of one listener on one worker.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::telemetry::Limit;

use super::connection::Front;
use super::doors::{DoorPlan, Fate};
use super::drain::{Backlog, Course, Stage};
use super::reception::{Reception, Served};
use super::socket::Entrance;

/// Accepts until told to stop or the listener is closed, then waits for the connections that are
/// open. While one connection waits for its place, no other is accepted: they wait in the backlog,
/// where they cost nothing.
pub(super) async fn accept(plan: DoorPlan, front: Arc<Front>, mut course: Course) {
    let DoorPlan { serving, socket, tls, jobs, introducers, mut fate } = plan;
    let Ok(socket) = Entrance::of(socket) else { return };
    let mut open = JoinSet::new();
    let reception = Reception { front, serving, tls, jobs, introducers, course: course.clone() };
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
                Ok(arrived) => door = Some(Box::pin(reception.enter(arrived))),
                // Out of descriptors or memory: connections wait in the backlog meanwhile.
                Err(_) => {
                    reception.front.load.met(Limit::Descriptors);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = open.join_next() => {}
            () = course.reaches(Stage::Shut) => break,
            () = is_closed(&mut fate) => break,
        }
    }
    if let Some(entered) = door
        && let Some(served) = entered.await
    {
        open.spawn(served);
    }
    let successors = course.has_reached(Stage::Shut) && course.backlog() == Backlog::Theirs;
    let theirs = successors || *fate.borrow() == Fate::HandedOn;
    if let (false, Ok(socket)) = (theirs, socket.into_listening()) {
        // Those that wait would be reset with the socket.
        while let Ok(arrived) = socket.accept_waiting() {
            if let Some(served) = reception.enter(arrived).await {
                open.spawn(served);
            }
        }
    }
    while open.join_next().await.is_some() {}
}

/// Waits until a listener is closed, which may never be.
async fn is_closed(fate: &mut watch::Receiver<Fate>) {
    if fate.wait_for(|fate| *fate != Fate::Open).await.is_err() {
        std::future::pending().await
    }
}

/// The wait of a connection for its place.
type Door<'a> = Pin<Box<dyn Future<Output = Option<Served>> + Send + 'a>>;

/// Between two tries to accept when the system has no room.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
