//! The way to an app for a request that may become a tunnel.
//!
//! pingora waits for the app's answer and for the end of the request's body at once. Where it hears
//! a 101 first and only then that there is no body, it takes that for the end of the tunnel (its
//! issue 946). Here a connection that was just written to keeps its answer back for one turn, in
//! which the end of the body is noticed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use pingora::connectors::L4Connect;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::l4::virt::{VirtualSockOpt, VirtualSocket, VirtualSocketStream};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorSource, ErrorType, OrErr as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::config::RouteBounds;
use crate::web::ProxyHeader;

use super::cord::Cord;
use super::dial::Dial;
use super::way::Led;

/// How long the app's connection and the client's may both be silent, counted from the
/// last byte in either direction: the app's own time for an answer, and once there is a tunnel, the
/// tunnel's.
#[derive(Debug)]
pub(super) struct Silence {
    answer: Duration,
    tunnel: Duration,
    is_tunnel: AtomicBool,
}

impl Silence {
    pub(super) fn new(answer: Duration, bounds: &RouteBounds) -> Arc<Self> {
        let tunnel = bounds.websocket_idle_timeout;
        Arc::new(Self { answer, tunnel, is_tunnel: AtomicBool::new(false) })
    }

    /// From now on it is a tunnel's.
    pub(super) fn is_of_a_tunnel(&self) {
        self.is_tunnel.store(true, Ordering::Relaxed);
    }

    /// Whether it is a tunnel's and has taken too long.
    pub(super) fn has_ended_a_tunnel(&self, error: &Error) -> bool {
        self.is_tunnel.load(Ordering::Relaxed) && was_silent(error)
    }

    fn longest(&self) -> Duration {
        if self.is_tunnel.load(Ordering::Relaxed) { self.tunnel } else { self.answer }
    }

    fn least(&self) -> Duration {
        self.answer.min(self.tunnel)
    }
}

/// The server a request was led to, by a connection of its own, which nobody uses again: it knows how
/// long this one request's may be silent, so pingora's own timer for each read is put away.
///
/// # Errors
/// When the server's address is none.
pub(super) fn peer(
    led: &Led,
    silence: Arc<Silence>,
    whose: ProxyHeader,
) -> pingora::Result<HttpPeer> {
    let mut peer = led.peer().or_err(ErrorType::InternalError, "an address that is none")?;
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    peer.group_key = peer.group_key.rotate_left(1) ^ number;
    peer.options.idle_timeout = Some(Duration::ZERO);
    peer.options.read_timeout = None;
    let (dial, connect_timeout) = (led.dial.clone(), Some(led.patience.connect));
    peer.options.custom_l4 = Some(Arc::new(Connector { dial, connect_timeout, silence, whose }));
    Ok(peer)
}

/// Whether an error is the end of an app's silence that took too long.
pub(super) fn was_silent(error: &Error) -> bool {
    let cause = error.root_cause().downcast_ref::<io::Error>();
    *error.esource() == ErrorSource::Upstream
        && cause.is_some_and(|cause| cause.kind() == io::ErrorKind::TimedOut)
}

static NUMBERS: AtomicU64 = AtomicU64::new(1);

#[derive(Debug)]
struct Connector {
    dial: Arc<Dial>,
    connect_timeout: Option<Duration>,
    silence: Arc<Silence>,
    whose: ProxyHeader,
}

#[async_trait]
impl L4Connect for Connector {
    async fn connect(&self, address: &SocketAddr) -> pingora::Result<Stream> {
        let inner = self.dial.connect(address, self.connect_timeout, self.whose).await?;
        let patient = Patient::new(inner, self.silence.clone());
        Ok(VirtualSocketStream::new(Box::new(patient)).into())
    }
}

/// A connection that after a write is read from one turn later, and whose silence ends.
#[derive(Debug)]
struct Patient<S> {
    inner: S,
    written: bool,
    silence: Arc<Silence>,
    /// When the last byte went either way.
    heard: Instant,
    /// Set to no later than the end of the silence, whatever is the longest then.
    timer: Pin<Box<Sleep>>,
}

impl<S> Patient<S> {
    fn new(inner: S, silence: Arc<Silence>) -> Self {
        let timer = Box::pin(sleep(silence.least()));
        Self { inner, written: false, silence, heard: Instant::now(), timer }
    }

    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            let (now, end) = (Instant::now(), self.heard + self.silence.longest());
            if now >= end {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            self.timer.as_mut().reset(end.min(now + self.silence.least()));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.written) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Poll::Ready(result) = Pin::new(&mut self.inner).poll_read(context, buffer) {
            self.heard = Instant::now();
            return Poll::Ready(result);
        }
        self.poll_silence(context).map(Err)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.written = true;
        let written = ready!(Pin::new(&mut self.inner).poll_write(context, bytes));
        self.heard = Instant::now();
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl VirtualSocket for Patient<Cord> {
    /// Set when it was connected, and once is enough.
    fn set_socket_option(&self, _option: VirtualSockOpt) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::advance;

    use super::*;

    fn pair(answer: u64, tunnel: u64) -> (Patient<DuplexStream>, DuplexStream, Arc<Silence>) {
        let (answer, tunnel) = (Duration::from_secs(answer), Duration::from_secs(tunnel));
        let silence = Arc::new(Silence { answer, tunnel, is_tunnel: AtomicBool::new(false) });
        let (ours, app) = duplex(64);
        (Patient::new(ours, silence.clone()), app, silence)
    }

    /// Seconds until a read gives up.
    async fn given_up(patient: &mut Patient<DuplexStream>) -> u64 {
        let began = Instant::now();
        let failed = patient.read_u8().await.unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
        began.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_and_a_tunnel_each_have_their_own_longest_silence() {
        for (answer, tunnel) in [(60, 3_600), (60, 10)] {
            let (mut patient, mut app, silence) = pair(answer, tunnel);
            assert_eq!(given_up(&mut patient).await, answer);
            app.write_u8(1).await.unwrap();
            patient.read_u8().await.unwrap();
            silence.is_of_a_tunnel();
            assert_eq!(given_up(&mut patient).await, tunnel);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_tunnel_lives_while_either_side_talks() {
        let (mut patient, mut app, silence) = pair(60, 100);
        silence.is_of_a_tunnel();
        for _ in 0..5 {
            advance(Duration::from_secs(90)).await;
            patient.write_u8(1).await.unwrap();
            app.read_u8().await.unwrap();
            advance(Duration::from_secs(90)).await;
            app.write_u8(2).await.unwrap();
            assert_eq!(patient.read_u8().await.unwrap(), 2);
        }
        assert_eq!(given_up(&mut patient).await, 100);
    }
}
