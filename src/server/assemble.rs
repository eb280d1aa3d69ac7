//! From settings to something that can run: the site, its listeners, TLS.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use pingora::server::configuration::ServerConf;
use socket2::{Domain, Protocol, Socket, Type};

use crate::clock::Clock;
use crate::config::ListenAddress;
use crate::credentials::StoresFailed;
use crate::crypto::Random;
use crate::gateway::Site;
use crate::limits::{Crowds, Guest, House, Member};
use crate::redis_link::LinkState;
use crate::session::Note;
use crate::telemetry::catalogue::CONNECTIONS_OPEN;
use crate::telemetry::{
    AccessLog, AuditLog, HeaderRefusal, Levels, Limit, Metrics, Tracer, TurnedAway,
};
use crate::web::{Peer, Subscriber};

use super::certificates::TlsFailed;
use super::socket::Listening;
use super::unix_socket::{self, SocketFailed};

/// What is not in the configuration file.
pub struct Options {
    pub clock: Clock,
    pub random: Random,
    /// Threads that serve; 0 means one for each core.
    pub workers: usize,
    pub access: Option<AccessLog>,
    /// Where it is recorded who did what.
    pub audit: AuditLog,
    pub tracer: Option<Tracer>,
    /// Sockets that listen already, by the name of their listener; `admin` is the admin listener's.
    pub open: Vec<(String, Listening)>,
    /// What a process before this one remembers.
    pub inherited: Vec<Note>,
}

impl Options {
    /// The machine's clock and randomness, a worker for each core, no logs.
    pub fn ordinary() -> Self {
        Self {
            clock: Clock::system(),
            random: Random::system(),
            workers: 0,
            access: None,
            audit: AuditLog::default(),
            tracer: None,
            open: Vec::new(),
            inherited: Vec::new(),
        }
    }

    /// Lets what logs and traces lose be counted.
    pub(super) fn watched_by(&self, metrics: &Metrics) {
        let logs = self.access.as_ref().map(AccessLog::outlet).into_iter();
        logs.chain(self.audit.outlet()).for_each(|outlet| metrics.tell(outlet.losses()));
        self.tracer.iter().for_each(|tracer| metrics.tell(tracer.counted()));
    }

    /// Takes the open socket of a listener out.
    pub(super) fn taken(&mut self, name: &str) -> Option<Listening> {
        let at = self.open.iter().position(|(known, _)| known == name)?;
        Some(self.open.swap_remove(at).1)
    }
}

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartFailed {
    #[error("{address}: cannot listen there: {source}; is another program using it?")]
    Address { address: SocketAddr, source: io::Error },
    #[error("{}: {source}", path.display())]
    Socket { path: PathBuf, source: SocketFailed },
    #[error(transparent)]
    Stores(#[from] StoresFailed),
    #[error("a worker thread cannot start: {0}")]
    Thread(io::Error),
    #[error(transparent)]
    Tls(#[from] TlsFailed),
}

/// Connections the workers hold: how many there may be, and how many there are.
pub(super) struct Load {
    site: Arc<ArcSwap<Site>>,
    pub(super) house: Arc<House>,
    crowds: Arc<Crowds>,
    refused: AtomicU64,
}

/// Who comes in through a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DoorKind<'a> {
    /// Background jobs, at the listener of this name.
    Jobs(&'a str),
    Public,
}

/// One open connection, counted until dropped.
pub(super) struct Held {
    _guest: Guest,
    _member: Option<Member>,
}

impl Held {
    /// Counted among all, and with nobody's.
    pub(super) fn without_crowd(guest: Guest) -> Self {
        Self { _guest: guest, _member: None }
    }

    /// Counted with those of its address, too.
    pub(super) fn counts_with(&mut self, member: Option<Member>) {
        self._member = member;
    }
}

impl Load {
    pub(super) fn new(site: Arc<ArcSwap<Site>>) -> Arc<Self> {
        let refused = AtomicU64::new(0);
        Arc::new(Self { site, house: Arc::default(), crowds: Arc::default(), refused })
    }

    pub(super) fn open(&self) -> usize {
        self.house.guests()
    }

    /// HTTP/1 messages refused by their bytes, since the start.
    pub(super) fn refusals(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// What is counted; the same under every configuration.
    pub(super) fn metrics(&self) -> Arc<Metrics> {
        self.site.load().metrics.clone()
    }

    /// The configuration in force.
    pub(super) fn site(&self) -> Arc<Site> {
        self.site.load_full()
    }

    /// A message was refused by its bytes; `reason` is one of a fixed set of words.
    pub(super) fn refused(&self, status: u16, reason: &str) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        let metrics = self.metrics();
        metrics.refused(reason);
        let reason = reason.to_owned();
        metrics.recent().refused(TurnedAway { status, reason, ..TurnedAway::default() });
    }

    /// Counts a connection from `peer`, unless there are too many from there or in all. In the
    /// latter case it waits for a while: others go, if they can.
    ///
    /// # Errors
    /// The limit that leaves it no place.
    pub(super) async fn admit(&self, peer: Peer, door: DoorKind<'_>) -> Result<Held, Limit> {
        let member = self.join(peer, door)?;
        let guest = self.place().await?;
        self.admitted();
        Ok(Held { _guest: guest, _member: member })
    }

    /// Counts a connection with others from `peer`, where those are counted.
    ///
    /// # Errors
    /// When there are too many.
    pub(super) fn join(&self, peer: Peer, door: DoorKind<'_>) -> Result<Option<Member>, Limit> {
        let site = self.site.load();
        let Some((from, most)) = crowd(&site, peer, door) else { return Ok(None) };
        let member = self.crowds.enter(from, most);
        if member.is_none() {
            site.metrics.limit_hit(Limit::ConnectionsPerAddress);
            site.metrics.connections().refused(Limit::ConnectionsPerAddress);
            return Err(Limit::ConnectionsPerAddress);
        }
        Ok(member)
    }

    /// Counts a connection among all, and waits for a while where there are too many.
    ///
    /// # Errors
    /// The limit that leaves it no place.
    pub(super) async fn place(&self) -> Result<Guest, Limit> {
        let site = self.site.load_full();
        let most = &site.settings.limits.crowd;
        let guest = match self.house.enter(most.connections) {
            Some(guest) => Some(guest),
            None => {
                site.metrics.limit_hit(Limit::Connections);
                self.house.wait(most.connections).await
            }
        };
        if guest.is_none() {
            site.metrics.connections().refused(Limit::Connections);
        }
        guest.ok_or(Limit::Connections)
    }

    /// A connection is served.
    pub(super) fn admitted(&self) {
        self.site.load().metrics.connections().accepted();
    }

    /// A connection was closed because nobody we believe says whose it is.
    pub(super) fn not_introduced(&self, why: HeaderRefusal) {
        let site = self.site.load();
        if why == HeaderRefusal::TimedOut {
            site.metrics.limit_hit(Limit::HandshakeTimeout);
        }
        site.metrics.connections().not_introduced(why);
    }

    /// A connection is closed so that another may be.
    pub(super) fn yielded(&self) {
        self.site.load().metrics.connections().yielded();
    }

    /// Somebody met a limit on a connection.
    pub(super) fn met(&self, limit: Limit) {
        self.site.load().metrics.limit_hit(limit);
    }

    /// How the links to the store that replicas share stand, by name.
    pub(super) fn links(&self) -> Vec<(&'static str, LinkState)> {
        self.site.load().users.links()
    }

    /// What stands now.
    pub(super) fn levels(&self, site: &Site) -> Levels {
        let mut levels = site.levels();
        levels.count(&CONNECTIONS_OPEN, &[], self.open());
        levels
    }
}

/// Whom a connection is counted with, and how many there may be. Trusted proxies and machines that
/// call are few, and have many connections each. A user of this machine has as many as the
/// listener takes calls at once: more could carry nothing.
fn crowd(site: &Site, peer: Peer, door: DoorKind<'_>) -> Option<(Subscriber, usize)> {
    match (peer, door) {
        (Peer::Address(_), DoorKind::Jobs(_)) => None,
        (peer, DoorKind::Public) if site.trusts(peer) => None,
        (Peer::Address(address), DoorKind::Public) => {
            let most = site.settings.limits.crowd.connections_per_address;
            Some((Subscriber::of(address), most))
        }
        (Peer::User(user), DoorKind::Public) => {
            let most = site.settings.limits.crowd.connections_per_address;
            Some((Subscriber::local(user), most))
        }
        (Peer::User(user), DoorKind::Jobs(name)) => {
            let listener = site.settings.job_listeners.iter().find(|one| one.name == name)?;
            Some((Subscriber::local(user), listener.bounds.max_requests))
        }
    }
}

/// pingora's own settings. It makes no TLS connections, and would read whom this machine believes for
/// each worker twice.
pub(super) fn pingora_settings() -> Arc<ServerConf> {
    Arc::new(ServerConf {
        threads: 1,
        max_retries: MOST_TRIES,
        upstream_keepalive_pool_size: POOL,
        ca_file: Some("/dev/null".to_owned()),
        ..ServerConf::default()
    })
}

/// Opens a socket that listens.
///
/// # Errors
/// [`StartFailed`] names the address or the path.
pub(super) fn open(address: &ListenAddress) -> Result<Listening, StartFailed> {
    match address {
        ListenAddress::Network(address) => listen(*address).map(Listening::Network),
        ListenAddress::Unix(socket) => {
            let failed = |source| StartFailed::Socket { path: socket.path.clone(), source };
            unix_socket::listen(socket, BACKLOG).map(Listening::Unix).map_err(failed)
        }
    }
}

/// Opens a socket on the network.
///
/// # Errors
/// [`StartFailed::Address`].
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, StartFailed> {
    let failed = |source| StartFailed::Address { address, source };
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))
        .map_err(failed)?;
    socket.set_reuse_address(true).map_err(failed)?;
    if address.is_ipv6() {
        socket.set_only_v6(false).map_err(failed)?;
    }
    socket.set_nonblocking(true).map_err(failed)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_notsent_lowat(UNSENT).map_err(failed)?;
    socket.bind(&address.into()).map_err(failed)?;
    socket.listen(BACKLOG).map_err(failed)?;
    Ok(socket.into())
}

/// Once; once more for a connection that had died in the pool, for a ticket that had, and for an
/// address: each is counted by itself, and this bounds them all.
const MOST_TRIES: usize = 5;
/// Unused connections to apps that each worker keeps.
const POOL: usize = 512;
/// Bytes of an answer that wait in the system until the client's side takes them. Its connections
/// have it from the listener. Without a bound a client that reads nothing is given megabytes.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 128 << 10;
/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;
