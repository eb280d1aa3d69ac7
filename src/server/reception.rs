//! What becomes of a connection between the listener that accepted it and the one that serves it: its
//! place, its PROXY header, and an answer where there is no place.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use socket2::SockRef;

use crate::telemetry::{HeaderRefusal, Limit};
use crate::web::{Proxies, ProxyHeader};

use super::assemble::{DoorKind, Held};
use super::certificates::Presented;
use super::connection::Front;
use super::doors::Serving;
use super::drain::Course;
use super::introduction;
use super::socket::Arrived;

/// A listener's, on one worker.
#[derive(Clone)]
pub(super) struct Reception {
    pub(super) front: Arc<Front>,
    pub(super) serving: Arc<Serving>,
    pub(super) tls: Option<Arc<ArcSwap<Presented>>>,
    pub(super) jobs: Option<Arc<str>>,
    /// Who says whose each connection is, where somebody does.
    pub(super) introducers: Option<Arc<Proxies>>,
    pub(super) course: Course,
}

/// The whole life of a connection that was let in.
pub(super) type Served = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Reception {
    /// Waits for a place. `None` where there is none, or the connection comes from somebody who was to
    /// be introduced and cannot be.
    pub(super) async fn enter(&self, arrived: Arrived) -> Option<Served> {
        let load = &self.front.load;
        let Some(introducers) = &self.introducers else {
            let admitted = load.admit(arrived.peer, self.kind()).await;
            let held = admitted.map_err(|limit| self.turn_away(&arrived, limit)).ok()?;
            return Some(self.clone().served(arrived, held));
        };
        if !introducers.trusts(arrived.peer) {
            load.not_introduced(HeaderRefusal::Stranger);
            return None;
        }
        let place = load.place().await;
        let guest = place.map_err(|limit| self.turn_away(&arrived, limit)).ok()?;
        let held = Held::without_crowd(guest);
        Some(Box::pin(self.clone().introduced(arrived, held)))
    }

    /// Hears whose the connection is, and counts it with theirs. What it says of itself is counted with
    /// nobody's: it is the balancer's own.
    async fn introduced(self, mut arrived: Arrived, mut held: Held) {
        let load = &self.front.load;
        let most = load.site().settings.limits.handshake_timeout;
        match introduction::heard(&mut arrived, most).await {
            Err(refusal) => return load.not_introduced(refusal),
            Ok(ProxyHeader::Nobodys) => {}
            Ok(ProxyHeader::Client { client, server }) => {
                arrived.is_from(client, server);
                match load.join(arrived.peer, self.kind()) {
                    Ok(member) => held.counts_with(member),
                    Err(limit) => return self.turn_away(&arrived, limit),
                }
            }
        }
        load.admitted();
        self.served(arrived, held).await;
    }

    fn served(self, arrived: Arrived, held: Held) -> Served {
        let tls = self.tls.clone();
        Box::pin(async move {
            let Self { front, serving, jobs, course, .. } = self;
            front.serve(arrived, (&serving, jobs.as_deref()), tls, course).await;
            drop(held);
        })
    }

    fn kind(&self) -> DoorKind<'_> {
        self.jobs.as_deref().map_or(DoorKind::Public, DoorKind::Jobs)
    }

    /// Under TLS nothing can be said without the handshake, which costs more than a request.
    fn turn_away(&self, arrived: &Arrived, limit: Limit) {
        if self.tls.is_none() {
            turn_away(arrived, limit);
        }
    }
}

/// Tells a client why it is closed, in one write that waits for nobody. What it has asked by now is read
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
