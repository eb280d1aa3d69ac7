//! The way to an app for a request whose client may take its answer more slowly than the app gives
//! it.
//!
//! pingora reads ahead: up to half a megabyte waits between the app and a client that takes nothing,
//! and a client of HTTP/2 has a hundred answers waiting at a time. Here nothing is read from the app
//! while a piece of the answer waits for its client.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use async_trait::async_trait;
use http::StatusCode;
use pingora::connectors::L4Connect;
use pingora::protocols::l4::socket;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::l4::virt::VirtualSocketStream;
use pingora::proxy::Session as Downstream;
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorType, OrErr as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::limits::{Place, Places};

use super::gauged::Returning;
use super::kept;
use super::line::Line;

/// How far one answer has come, known to the request it answers and to the connection it comes by.
#[derive(Debug)]
pub(super) struct Flow {
    /// Bytes read since the client's side took a piece.
    ahead: AtomicUsize,
    /// Its header has gone by.
    begun: AtomicBool,
    /// It comes by a connection that was used before.
    reused: AtomicBool,
    reader: Mutex<Option<Waker>>,
    answers: Arc<Places>,
    _one: Option<Place>,
}

impl Flow {
    /// One more of the `answers` that a client's connection waits for.
    pub(super) fn new(answers: &Arc<Places>) -> Arc<Self> {
        Arc::new(Self {
            ahead: AtomicUsize::new(0),
            begun: AtomicBool::new(false),
            reused: AtomicBool::new(false),
            reader: Mutex::new(None),
            answers: answers.clone(),
            _one: answers.enter(usize::MAX),
        })
    }

    /// A header goes on to the client.
    pub(super) fn begins(&self, status: StatusCode) {
        self.begun.store(!status.is_informational(), Ordering::Relaxed);
        self.goes_on();
    }

    /// A piece goes on to the client: the one before has been taken.
    pub(super) fn goes_on(&self) {
        self.ahead.store(0, Ordering::Relaxed);
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        reader.into_iter().for_each(Waker::wake);
    }

    /// Whether the app may have closed the connection before it saw the request.
    pub(super) fn is_reused(&self) -> bool {
        self.reused.load(Ordering::Relaxed)
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// So many bytes came from the app.
    pub(super) fn read(&self, bytes: usize) {
        self.ahead.fetch_add(bytes, Ordering::Relaxed);
    }

    /// How much may be read now. The more answers a client waits for at a time, the less of each.
    pub(super) fn room(&self) -> usize {
        let share = ALL / self.answers.taken().max(1);
        let ahead = self.ahead.load(Ordering::Relaxed);
        share.clamp(LEAST, MOST).saturating_sub(ahead)
    }

    /// The task is woken when there is room again.
    pub(super) fn waits(&self, context: &Context<'_>) {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if !reader.as_ref().is_some_and(|known| known.will_wake(context.waker())) {
            *reader = Some(context.waker().clone());
        }
    }
}

/// Lets `peer` be reached by a connection that is read from as its client takes what is read, where
/// that client may wait for many answers at a time. It knows itself how long the app may be silent:
/// pingora's timer would count the time in which nothing is read, too.
pub(super) fn bounded(peer: &mut HttpPeer, downstream: &Downstream) -> Option<Arc<Flow>> {
    let line = Line::of(downstream).filter(|_| downstream.is_http2())?;
    let flow = Flow::new(&line.answers);
    lead(peer, flow.clone());
    Some(flow)
}

fn lead(peer: &mut HttpPeer, flow: Arc<Flow>) {
    let options = &mut peer.options;
    options.custom_l4 = Some(Arc::new(Connector {
        group: peer.group_key,
        connect_timeout: options.connection_timeout,
        silence: options.read_timeout.take().unwrap_or(Duration::MAX),
        flow,
    }));
}

#[derive(Debug)]
struct Connector {
    group: u64,
    connect_timeout: Option<Duration>,
    silence: Duration,
    flow: Arc<Flow>,
}

#[async_trait]
impl L4Connect for Connector {
    async fn connect(&self, address: &socket::SocketAddr) -> pingora::Result<Stream> {
        let address = address
            .as_inet()
            .ok_or_else(|| Error::explain(ErrorType::ConnectError, "not an internet address"))?;
        let way = (self.group, *address);
        let kept = kept::take(way);
        self.flow.reused.store(kept.is_some(), Ordering::Relaxed);
        let stream = match kept {
            Some(stream) => stream,
            None => connected(*address, self.connect_timeout).await?,
        };
        let returning = Returning::new(stream, self.flow.clone(), self.silence, way);
        Ok(VirtualSocketStream::new(Box::new(returning)).into())
    }
}

async fn connected(address: SocketAddr, most: Option<Duration>) -> pingora::Result<TcpStream> {
    timeout(most.unwrap_or(Duration::MAX), TcpStream::connect(address))
        .await
        .or_err(ErrorType::ConnectTimedout, "connecting to the app")?
        .or_err(ErrorType::ConnectError, "connecting to the app")
}

/// Bytes of all answers to one client that are read at a time, unless they are so many that each has
/// its least.
const ALL: usize = 512 << 10;
/// As much as pingora reads at once.
pub(super) const MOST: usize = 64 << 10;
pub(super) const LEAST: usize = 8 << 10;
