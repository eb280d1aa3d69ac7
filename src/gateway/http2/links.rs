//! Connections to apps that speak HTTP/2: each carries some requests at a time, and is kept.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use pingora::protocols::l4::socket;
use pingora::{Error, ErrorType, OrErr as _};
use tokio::time::{Instant, sleep, timeout};

use crate::web::ProxyHeader;

use super::super::cord::Cord;
use super::super::dial::Dial;
use super::super::flow::Used;

/// A place for one request on a connection, until dropped.
pub(in crate::gateway) struct Lease {
    link: Arc<Link>,
    /// Ready for one request.
    pub(super) sender: SendRequest<Bytes>,
    /// Whether the app may have left the connection before it saw the request.
    pub(in crate::gateway) used: Used,
}

struct Link {
    way: Way,
    sender: SendRequest<Bytes>,
    requests: AtomicUsize,
    /// It takes no more requests.
    is_retired: AtomicBool,
    idle_since: Mutex<Instant>,
}

/// Which connections may stand for one another: the number of a server, and the address its name
/// led to.
type Way = (u64, Option<SocketAddr>);

/// A thread's own: connections are woken by the runtime they were made in.
#[derive(Default)]
struct Links {
    each: Vec<Arc<Link>>,
    is_swept: bool,
}

thread_local! {
    static LINKS: RefCell<Links> = RefCell::default();
}

/// A place on a connection that has one, else on a new one; connecting and agreeing on TLS take
/// `most` at most each. Where connections begin by naming a client, each has one request: what is
/// one client's carries nothing of others.
///
/// # Errors
/// Why there is no connection.
pub(in crate::gateway) async fn lease(
    dial: &Dial,
    address: &socket::SocketAddr,
    most: Option<Duration>,
    whose: ProxyHeader,
) -> pingora::Result<Lease> {
    let way = (dial.group(), address.as_inet().copied());
    let most = most.unwrap_or(Duration::MAX);
    let shares = !dial.introduces();
    while shares && let Some(mut lease) = Lease::on_one_of(way) {
        // It may have been left by its app, and nobody has noticed.
        if lease.is_ready(most).await {
            return Ok(lease);
        }
    }
    let cord = dial.connect(address, Some(most), whose).await?;
    let mut lease = Lease::on(begin(cord, way).await?, Used::Never);
    if !shares {
        lease.retires();
    }
    match lease.is_ready(most).await {
        true => Ok(lease),
        false => Error::e_explain(ErrorType::H2Error, "the app takes no request"),
    }
}

/// Speaks HTTP/2 on a connection: its sender, and what drives it.
///
/// # Errors
/// When nothing can be said on it.
pub(super) async fn speak(
    cord: Cord,
) -> pingora::Result<(SendRequest<Bytes>, Connection<Cord, Bytes>)> {
    Builder::new()
        .enable_push(false)
        .initial_max_send_streams(REQUESTS)
        .initial_window_size(WINDOW)
        .initial_connection_window_size(REQUESTS as u32 * WINDOW)
        .max_send_buffer_size(WINDOW as usize)
        .max_header_list_size(HEADERS)
        .data_frame_budget(REQUESTS * WINDOW as usize / A_WORD * FRAME)
        .handshake(cord)
        .await
        .or_err(ErrorType::H2Error, "beginning HTTP/2 with the app")
}

async fn begin(cord: Cord, way: Way) -> pingora::Result<Arc<Link>> {
    let (sender, connection) = speak(cord).await?;
    let link = Link::new(way, sender);
    let begun = Arc::downgrade(&link);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to an app ended");
        }
        // Whoever finds it before hears that no more can be asked on it.
        LINKS.with_borrow_mut(|links| links.forget(&begun));
    });
    Ok(link)
}

impl Lease {
    /// The connection with the fewest places left, so that others come to rest.
    fn on_one_of(way: Way) -> Option<Self> {
        let found = LINKS.with_borrow(|links| {
            let fit = links.each.iter().filter(|link| link.way == way && link.is_fit());
            fit.max_by_key(|link| link.requests.load(Ordering::Relaxed)).cloned()
        });
        found.map(|link| Self::on(link, Used::Before))
    }

    fn on(link: Arc<Link>, used: Used) -> Self {
        link.requests.fetch_add(1, Ordering::Relaxed);
        Self { sender: link.sender.clone(), link, used }
    }

    /// Whether the connection takes a request; one that does not within `most` is left.
    async fn is_ready(&mut self, most: Duration) -> bool {
        let ready = timeout(most, self.sender.clone().ready()).await;
        if let Ok(Ok(sender)) = ready {
            self.sender = sender;
            return true;
        }
        self.retires();
        false
    }

    /// The connection takes no more requests; those it has go on.
    pub(in crate::gateway) fn retires(&self) {
        self.link.is_retired.store(true, Ordering::Relaxed);
        let gone = Arc::downgrade(&self.link);
        LINKS.with_borrow_mut(|links| links.forget(&gone));
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let now = Instant::now();
        *self.link.idle_since.lock().unwrap_or_else(PoisonError::into_inner) = now;
        self.link.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Link {
    /// One that others find, where there is room to keep it.
    fn new(way: Way, sender: SendRequest<Bytes>) -> Arc<Self> {
        let link = Arc::new(Self {
            way,
            sender,
            requests: AtomicUsize::new(0),
            is_retired: AtomicBool::new(false),
            idle_since: Mutex::new(Instant::now()),
        });
        let begins = LINKS.with_borrow_mut(|links| {
            if links.each.len() < MOST {
                links.each.push(link.clone());
            }
            !std::mem::replace(&mut links.is_swept, true)
        });
        if begins {
            tokio::spawn(sweep());
        }
        link
    }

    /// Whether it has a place for one more request.
    fn is_fit(&self) -> bool {
        let most = REQUESTS.min(self.sender.current_max_send_streams());
        !self.is_retired.load(Ordering::Relaxed) && self.requests.load(Ordering::Relaxed) < most
    }

    fn is_idle(&self) -> bool {
        let since = *self.idle_since.lock().unwrap_or_else(PoisonError::into_inner);
        self.requests.load(Ordering::Relaxed) == 0 && since.elapsed() >= IDLE
    }
}

impl Links {
    fn forget(&mut self, gone: &Weak<Link>) {
        self.each.retain(|link| !std::ptr::eq(Arc::as_ptr(link), gone.as_ptr()));
    }
}

/// Lets go of what nobody uses, for as long as anything is kept: without senders and requests a
/// connection says goodbye and closes.
async fn sweep() {
    loop {
        sleep(BETWEEN).await;
        let empty = LINKS.with_borrow_mut(|links| {
            links.each.retain(|link| !link.is_idle());
            links.is_swept = !links.each.is_empty();
            links.each.is_empty()
        });
        if empty {
            return;
        }
    }
}

/// Requests at a time on one connection.
const REQUESTS: usize = 32;
/// Bytes of an answer that may come before the client takes any, and of a body that may wait to be
/// sent. A connection has as much room for each of its requests, so that nobody waits for another
/// client's.
pub(super) const WINDOW: u32 = 32 << 10;
/// The library closes a connection on which too many small frames wait, and with it the answers of
/// everybody on it. So much room that clients who take nothing cannot bring that about, as long as
/// their apps say more than a word at a time: bytes of such a word, and what the library counts for
/// a frame beside its bytes.
const A_WORD: usize = 16;
const FRAME: usize = 256;
/// Bytes of an answer's headers.
const HEADERS: u32 = 64 << 10;
/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(60);
/// Between two looks at all of them.
const BETWEEN: Duration = Duration::from_secs(10);
/// Of each thread.
const MOST: usize = 512;
