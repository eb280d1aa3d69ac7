//! The life of one client's connection: TLS where there is any, then HTTP/2, or HTTP/1 behind the
//! guard.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use arc_swap::ArcSwap;
use pingora::apps::{HttpPersistentSettings, HttpServerApp as _, ServerApp as _};
use pingora::listeners::tls::Acceptor;
use pingora::protocols::http::ServerSession;
use pingora::protocols::l4::stream::Stream as Connection;
use pingora::protocols::{ALPN, GetSocketDigest as _, IO, SocketDigest};
use pingora::proxy::HttpProxy;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::gateway::{Gateway, Site};
use crate::telemetry::{AccessLog, Limit, RefusedLine};

use super::assemble::Load;
use super::buffered::Buffered;
use super::guard::{Fault, Guard, Opening, Terms};

/// What every connection of a worker is served with.
pub(super) struct Front {
    pub(super) proxy: Arc<HttpProxy<Gateway>>,
    pub(super) site: Arc<ArcSwap<Site>>,
    pub(super) access: Option<AccessLog>,
    pub(super) load: Arc<Load>,
    /// Where its idle connections are asked to go when there are too many.
    pub(super) lobby: usize,
}

impl Front {
    /// Serves a connection to its end. A client that does not finish its handshake in time is
    /// dropped. Each stage is a box of its own: a connection that waits holds what its stage needs,
    /// not what any stage could need.
    pub(super) async fn serve(
        &self,
        stream: TcpStream,
        acceptor: Option<Acceptor>,
        stop: watch::Receiver<bool>,
    ) {
        let _latency_only = stream.set_nodelay(true);
        let Ok(peer) = stream.peer_addr() else { return };
        let connection = identified(stream, peer);
        let (terms, handshake_timeout) = {
            let site = self.site.load();
            let limits = &site.settings.limits;
            (Terms::of(limits), limits.handshake_timeout)
        };
        match acceptor {
            None => Box::pin(self.http1(connection, terms, peer.ip(), stop)).await,
            Some(acceptor) => {
                let handshake = Box::pin(acceptor.tls_handshake(connection));
                let secured = match timeout(handshake_timeout, handshake).await {
                    Ok(Ok(secured)) => secured,
                    Ok(Err(_)) => return,
                    Err(_) => return self.load.met(Limit::HandshakeTimeout),
                };
                Box::pin(self.secured(secured, terms, peer.ip(), stop)).await;
            }
        }
    }

    async fn secured<S: IO + 'static>(
        &self,
        connection: S,
        terms: Terms,
        client: IpAddr,
        stop: watch::Receiver<bool>,
    ) {
        if matches!(connection.selected_alpn_proto(), Some(ALPN::H2)) {
            let _closed = self.proxy.process_new(Box::new(Buffered::new(connection)), &stop).await;
        } else {
            self.http1(connection, terms, client, stop).await;
        }
    }

    async fn http1<S: IO + 'static>(
        &self,
        connection: S,
        terms: Terms,
        client: IpAddr,
        stop: watch::Receiver<bool>,
    ) {
        let (guard, way_back) = Guard::new(connection, terms);
        Box::pin(self.messages(Box::new(guard), stop)).await;
        let Some(parted) = way_back.take() else { return };
        parted.limit().into_iter().for_each(|limit| self.load.met(limit));
        if let Some(fault) = parted.fault() {
            self.note(client, fault);
        }
        Box::pin(parted.end()).await;
    }

    /// Serves message after message, each by a session of its own, until one ends the connection.
    async fn messages<S: IO + 'static>(
        &self,
        mut guard: Box<Guard<S>>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut kept: Option<HttpPersistentSettings> = None;
        let since = Instant::now();
        while self.next(&mut guard, &mut stop).await == Opening::Message {
            let mut session = ServerSession::new_http1(guard);
            match kept.take() {
                Some(kept) => kept.apply_to_session(&mut session),
                // Without an end: the guard's deadlines are the ones that count.
                None => session.set_keepalive(Some(0)),
            }
            if self.load.house.takes_turn(since) {
                // The answer says so: `Connection: close`.
                session.set_keepalive_reuses_remaining(Some(0));
                self.load.yielded();
            }
            let Some(reused) = self.proxy.process_new_http(session, &stop).await else { return };
            let (stream, settings) = reused.consume();
            let Ok(same) = stream.into_any().downcast() else { return };
            (guard, kept) = (same, settings);
        }
    }

    /// Waits for a message. At the end of the gateway a connection without one is closed, and so
    /// is one that has been idle when others wait for its place.
    async fn next<S: IO>(&self, guard: &mut Guard<S>, stop: &mut watch::Receiver<bool>) -> Opening {
        let house = &self.load.house;
        loop {
            let since = guard.idle_since();
            tokio::select! {
                biased;
                opening = guard.next_message() => return opening,
                _ = stop.wait_for(|stopping| *stopping) => break,
                () = house.asked(self.lobby, since) => {}
            }
            match guard.is_idle() {
                true if house.queue() => {
                    self.load.yielded();
                    return Opening::Closed;
                }
                true => {}
                false => house.stays(self.lobby),
            }
        }
        if guard.is_idle() { Opening::Closed } else { guard.next_message().await }
    }

    fn note(&self, client: IpAddr, fault: Fault) {
        self.load.refused(fault.reason());
        if let Some(access) = &self.access {
            let detail = fault.to_string();
            access.write_refused(&RefusedLine { client, status: fault.status(), detail: &detail });
        }
    }
}

fn identified(stream: TcpStream, peer: SocketAddr) -> Connection {
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&stream);
    let mut connection: Connection = stream.into();
    let digest = SocketDigest::from_raw_fd(descriptor);
    let _unset_before = digest.peer_addr.set(Some(peer.into()));
    connection.set_socket_digest(digest);
    connection
}
