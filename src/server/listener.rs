//! The accept loop of one listener on one worker.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::telemetry::Limit;

use super::assemble::DoorKind;
use super::connection::Front;
use super::doors::DoorPlan;
use super::drain::{Backlog, Course, Stage};
use super::socket::{Arrived, Entrance};

/// Accepts until told to stop or the listener is closed, then waits for the connections that are
/// open. While one connection waits for its place, no other is accepted: they wait in the backlog,
/// where they cost nothing.
pub(super) async fn accept(plan: DoorPlan, front: Arc<Front>, mut course: Course) {
    let DoorPlan { serving, socket, tls, jobs, mut closed } = plan;
    let Ok(socket) = Entrance::of(socket) else { return };
    let (fresh, mut open) = (course.clone(), JoinSet::new());
    let kind = jobs.as_deref().map_or(DoorKind::Public, DoorKind::Jobs);
    let enter = async |arrived: Arrived| {
        let admitted = front.load.admit(arrived.peer, kind).await;
        let away = |limit| turn_away(&arrived, limit);
        let held = admitted.map_err(|limit| tls.is_none().then(|| away(limit))).ok()?;
        let (front, course) = (front.clone(), fresh.clone());
        let (serving, tls, jobs) = (serving.clone(), tls.clone(), jobs.clone());
        let served: Served = Box::pin(async move {
            front.serve(arrived, (&serving, jobs.as_deref()), tls, course).await;
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
                Ok(arrived) => door = Some(Box::pin(enter(arrived))),
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
    if let (false, Ok(socket)) = (theirs, socket.into_listening()) {
        // Those that wait would be reset with the socket.
        while let Ok(arrived) = socket.accept_waiting() {
            if let Some(served) = enter(arrived).await {
                open.spawn(served);
            }
        }
    }
    while open.join_next().await.is_some() {}
}

/// Tells a client why it is closed, in one write that waits for nobody. Under TLS nothing can be
/// said without the handshake, which costs more than a request. What it has asked by now is read
/// first: closed over it, the connection would be reset, and the answer with it.
fn turn_away(stream: &impl AsFd, limit: Limit) {
    let (status, after) = match limit {
        Limit::ConnectionsPerAddress => ("429 Too Many Requests", "1"),
        _ => ("503 Service Unavailable", "10"),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nRetry-After: {after}\r\nContent-Length: 0\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    );
    let socket = SockRef::from(stream);
    let _nothing_yet = socket.recv(&mut [MaybeUninit::uninit(); 4 << 10]);
    let _gone = socket.send(answer.as_bytes());
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn who_is_turned_away_is_told_why_and_when_to_come_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        for (limit, told, after) in [
            (Limit::Connections, "HTTP/1.1 503 Service Unavailable\r\n", "Retry-After: 10\r\n"),
            (
                Limit::ConnectionsPerAddress,
                "HTTP/1.1 429 Too Many Requests\r\n",
                "Retry-After: 1\r\n",
            ),
        ] {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            turn_away(&stream, limit);
            drop(stream);
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with(told) && answer.contains(after), "{answer}");
            assert!(answer.ends_with("\r\nConnection: close\r\n\r\n"), "{answer}");
        }
    }
}
