//! The life of one client's connection: TLS where there is any, then HTTP/2, or HTTP/1 behind the
//! guard.

use std::net::SocketAddr;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::StatusCode;
use pingora::apps::HttpServerApp as _;
use pingora::http::ResponseHeader;
use pingora::listeners::tls::Acceptor;
use pingora::protocols::http::ServerSession;
use pingora::protocols::l4::stream::Stream as Connection;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::tls::TlsRef;
use pingora::protocols::{
    ALPN, GetProxyDigest as _, GetSocketDigest as _, IO, Peek as _, SocketDigest, Ssl as _,
};
use pingora::proxy::HttpProxy;
use rustls_pki_types::CertificateDer;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::config::Serves;
use crate::crypto::stands_for;
use crate::gateway::{Behind, Gateway, Line, Living, Site, Whence};
use crate::telemetry::{AccessLog, HandshakeFailure, Limit};
use crate::web::{JobDoor, Peer, ServerName, Shown};

use super::assemble::Load;
use super::certificates::Presented;
use super::doors::Serving;
use super::drain::{Course, Stage};
use super::guard::{Guard, Opening, Terms};
use super::handshake;
use super::noting::Noting;
use super::seldom::Seldom;
use super::socket::Arrived;

/// Whether a listener does what it did when a connection came.
type Stays<'a> = &'a (dyn Fn() -> bool + Sync);

/// What every connection of a worker is served with.
pub(super) struct Front {
    pub(super) gateway: Gateway,
    /// For tunnels, and what comes by HTTP/2.
    pub(super) proxy: Arc<HttpProxy<Gateway>>,
    /// What its requests have open under sessions.
    pub(super) living: Arc<Living>,
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
        arrived: Arrived,
        (serving, jobs): (&Serving, Option<&str>),
        tls: Option<Arc<ArcSwap<Presented>>>,
        course: Course,
    ) {
        let peer = arrived.peer;
        let mut connection = identified(arrived);
        let serves = serving.now();
        let (terms, handshake_timeout) = {
            let site = self.site.load();
            let limits = &site.settings.limits;
            (Terms::of(limits), limits.handshake_timeout)
        };
        let line = Line::to(jobs.map(JobDoor::new)).of_user(peer.user()).that(serves.clone());
        let line = line.in_house(&self.load.house);
        let is_told = jobs.is_some()
            || tls.is_some()
            || peer.user().is_some()
            || serves != Serves::Everything;
        if is_told {
            carry(&mut connection, line.clone());
        }
        match tls {
            None => {
                if serves == Serves::EverythingAndH2c {
                    match self.begins(&mut connection, course.clone()).await {
                        Some(Begins::Http1) => {}
                        Some(Begins::Http2) => {
                            let connection = Box::new(connection);
                            return Box::pin(self.http2(connection, peer, line, course)).await;
                        }
                        None => return,
                    }
                }
                let stays = || serving.now() == serves;
                let connection = Box::new(connection);
                let from = (peer, is_told.then_some(line));
                Box::pin(self.http1(connection, terms, from, course, &stays)).await;
            }
            Some(tls) => {
                let handshake = self.handshake(connection, &line, tls, handshake_timeout);
                let Some(secured) = Box::pin(handshake).await else { return };
                Box::pin(self.secured(secured, terms, peer, line, course)).await;
            }
        }
    }

    /// What a client without TLS speaks: no request of HTTP/1 begins as the preface of HTTP/2 does
    /// (RFC 9113 §3.4). None where it said nothing in time.
    async fn begins(&self, connection: &mut Connection, course: Course) -> Option<Begins> {
        let most = self.site.load().settings.limits.header_timeout;
        let mut first = [0; PREFACE.len()];
        let peeked = tokio::select! {
            biased;
            peeked = timeout(most, connection.try_peek(&mut first)) => peeked,
            () = self.is_wanted(course) => return None,
        };
        match peeked {
            Ok(Ok(_)) if first == PREFACE => Some(Begins::Http2),
            Ok(Ok(_)) => Some(Begins::Http1),
            Ok(Err(_)) => None,
            Err(_) => {
                self.load.met(Limit::HeaderTimeout);
                None
            }
        }
    }

    /// Ready when the place of a connection that has said nothing yet is wanted, or nothing more is
    /// to be said.
    async fn is_wanted(&self, mut course: Course) {
        let since = Instant::now();
        let leaves = async {
            course.reaches(Stage::Quiet).await;
            sleep(course.idle()).await;
        };
        let asked = async {
            loop {
                self.load.house.asked(self.lobby, since).await;
                if self.load.house.queue() {
                    return self.load.yielded();
                }
            }
        };
        tokio::select! {
            () = leaves => {}
            () = asked => {}
        }
    }

    /// In a future of its own, like everything large: what it needs is given back afterwards, and
    /// connections without TLS have no room for it.
    async fn handshake(
        &self,
        connection: Connection,
        line: &Line,
        tls: Arc<ArcSwap<Presented>>,
        most: Duration,
    ) -> Option<Box<impl IO + use<>>> {
        let presented = tls.load_full();
        let acceptor = Acceptor::from_server_config(presented.config.clone());
        let secured = match timeout(most, acceptor.tls_handshake(connection)).await {
            Ok(Ok(secured)) => secured,
            Ok(Err(error)) => {
                let metrics = self.load.metrics();
                metrics.connections().handshake_failed(handshake::failure(&error));
                return None;
            }
            Err(_) => {
                self.load.met(Limit::HandshakeTimeout);
                let metrics = self.load.metrics();
                metrics.connections().handshake_failed(HandshakeFailure::TimedOut);
                return None;
            }
        };
        if handshake::is_a_proof(&secured) {
            // Whoever wanted to see it has; nothing is said on such a connection (RFC 8737 §3).
            return None;
        }
        let version = handshake::version(secured.get_ssl().and_then(TlsRef::version));
        self.load.metrics().connections().shook_hands(version);
        let shown = secured.get_ssl().and_then(TlsRef::peer_certificate_der);
        if let (Some(door), Some(certificate)) = (&line.jobs, shown) {
            let certificate = CertificateDer::from(certificate.to_vec());
            let (by, now) = (presented.authorities.clone(), tls);
            door.showed(Shown {
                stands_for: Box::new(move |name| stands_for(&certificate, name)),
                is_believed: Box::new(move || now.load().authorities.include(&by)),
            });
        }
        if let Some(asked) = secured.get_ssl().and_then(TlsRef::server_name) {
            let named = asked.to_owned();
            let covers = move |host: &str| presented.covers(&named, host);
            let _once = line.named.set(ServerName::new(asked, covers));
        }
        Some(Box::new(secured))
    }

    async fn secured<S: IO + 'static>(
        &self,
        connection: Box<S>,
        terms: Terms,
        client: Peer,
        line: Line,
        course: Course,
    ) {
        if matches!(connection.selected_alpn_proto(), Some(ALPN::H2)) {
            Box::pin(self.http2(connection, client, line, course)).await;
        } else {
            Box::pin(self.http1(connection, terms, (client, Some(line)), course, &|| true)).await;
        }
    }

    async fn http1<S: IO + 'static>(
        &self,
        connection: Box<S>,
        terms: Terms,
        (client, line): (Peer, Option<Line>),
        mut course: Course,
        stays: Stays<'_>,
    ) {
        let whence = Whence { socket: connection.get_socket_digest(), line };
        let (guard, way_back) = Guard::new(connection, terms);
        let farewell = guard.farewell();
        let mut serving = Box::pin(self.messages(Box::new(guard), whence, course.clone(), stays));
        let mut ending = pin!(course.reaches(Stage::Ending));
        tokio::select! {
            biased;
            () = &mut serving => {}
            () = Seldom::new(ending.as_mut()) => {
                farewell.say();
                serving.await;
            }
        }
        let Some(parted) = way_back.take() else { return };
        parted.limit().into_iter().for_each(|limit| self.load.met(limit));
        if let Some(fault) = parted.fault() {
            let noting = Noting::new(self.load.clone(), self.access.clone(), client);
            noting.refused(fault.status(), fault.reason(), &fault.to_string());
        }
        Box::pin(parted.end()).await;
    }

    /// Serves message after message until one ends the connection.
    /// What its listener does may change meanwhile: then the connection ends before it asks for more.
    async fn messages<S: IO + 'static>(
        &self,
        mut guard: Box<Guard<S>>,
        whence: Whence,
        course: Course,
        stays: Stays<'_>,
    ) {
        let since = Instant::now();
        let mut told = course.clone();
        let mut quiet = pin!(told.reaches(Stage::Quiet));
        let mut quiet = Seldom::new(quiet.as_mut());
        while self.next(&mut guard, &course, &mut quiet).await == Opening::Message {
            if !stays() {
                return;
            }
            let mut behind = Behind::Open;
            if self.load.house.takes_turn(since) {
                self.load.yielded();
                behind = Behind::Closed;
            }
            if guard.asks_upgrade() {
                let Some(same) = self.tunnel(guard, behind, &course.stop).await else { return };
                guard = same;
                continue;
            }
            let served = self.gateway.serve(guard.as_mut(), &whence, behind, &course.stop);
            if Box::pin(served).await == Behind::Closed {
                return;
            }
        }
    }

    /// A message that may lead into a tunnel goes pingora's own way. What is left of the connection
    /// where it has not, and goes on.
    async fn tunnel<S: IO + 'static>(
        &self,
        guard: Box<Guard<S>>,
        behind: Behind,
        stop: &watch::Receiver<bool>,
    ) -> Option<Box<Guard<S>>> {
        let mut session = ServerSession::new_http1(guard);
        // Without an end: the guard's deadlines are the ones that count.
        session.set_keepalive(Some(0));
        if behind == Behind::Closed {
            // The answer says so: `Connection: close`.
            session.set_keepalive_reuses_remaining(Some(0));
        }
        let (stream, _) = self.proxy.process_new_http(session, stop).await?.consume();
        stream.into_any().downcast().ok()
    }

    /// Waits for a message. One that has been idle when others wait for its place is closed.
    /// Towards the end of the gateway a connection has some time for one last message, counted from
    /// its last answer where that came late: that answer may have promised that the connection
    /// stays.
    ///
    /// `quiet` is ready when [`Stage::Quiet`] is reached; one for the whole connection, because to
    /// begin to wait costs more than to go on.
    async fn next<S: IO>(
        &self,
        guard: &mut Guard<S>,
        course: &Course,
        mut quiet: impl Future<Output = ()> + Unpin,
    ) -> Opening {
        let house = &self.load.house;
        loop {
            if course.has_reached(Stage::Quiet) {
                let last = timeout(course.idle(), guard.next_message()).await;
                if let Ok(opening) = last {
                    return opening;
                }
                break;
            }
            let since = guard.idle_since();
            tokio::select! {
                biased;
                opening = guard.next_message() => return opening,
                () = &mut quiet => break,
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
}

/// How a connection without TLS begins.
enum Begins {
    Http1,
    Http2,
}

/// Lets requests on this connection find what is known of it. pingora carries one thing of its users'
/// from a connection to its requests, and this is it.
fn carry(connection: &mut Connection, line: Line) {
    if let Ok(nobodys) = ResponseHeader::build(StatusCode::OK, Some(0)) {
        let digest = ProxyDigest::new(Box::new(nobodys), Some(Box::new(line)));
        connection.set_proxy_digest(digest);
    }
}

fn identified(arrived: Arrived) -> Connection {
    let descriptor = arrived.as_fd().as_raw_fd();
    let (mut connection, ends) = arrived.into_connection();
    let digest = SocketDigest::from_raw_fd(descriptor);
    let _unset_before = digest.peer_addr.set(ends.client.map(SocketAddr::into));
    if let Some(server) = ends.server {
        let _unset_before = digest.local_addr.set(Some(server.into()));
    }
    connection.set_socket_digest(digest);
    connection
}

const PREFACE: [u8; 4] = *b"PRI ";
