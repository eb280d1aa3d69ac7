//! The way to an app for a request that may become a tunnel.
//!
//! pingora waits for the app's answer and for the end of the request's body at once. Where it hears
//! a 101 first and only then that there is no body, it takes that for the end of the tunnel (its
//! issue 946). Here a connection that was just written to keeps its answer back for one turn, in
//! which the end of the body is noticed.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
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
use crate::web::{Close, Frames, ProxyHeader};

use super::cord::Cord;
use super::dial::Dial;
use super::ending::{End, Ending};
use super::handover::Handover;
use super::way::Led;

/// How long the app's connection and the client's may both be silent, counted from the
/// last byte in either direction: the app's own time for an answer, and once there is a tunnel, the
/// tunnel's.
#[derive(Debug)]
pub(super) struct Silence {
    answer: Duration,
    tunnel: Duration,
    is_tunnel: AtomicBool,
    ending: Ending,
    reader: Mutex<Option<Waker>>,
}

impl Silence {
    pub(super) fn new(answer: Duration, bounds: &RouteBounds) -> Arc<Self> {
        Arc::new(Self::of(answer, bounds.websocket_idle_timeout))
    }

    fn of(answer: Duration, tunnel: Duration) -> Self {
        let (ending, reader) = (Ending::default(), Mutex::default());
        Self { answer, tunnel, is_tunnel: AtomicBool::new(false), ending, reader }
    }

    /// It is to be closed, as WebSocket has it where it is a tunnel.
    pub(super) fn ends(&self, end: End) {
        self.ending.comes(end);
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        reader.into_iter().for_each(Waker::wake);
    }

    /// Whose time is over, if one's is.
    pub(super) fn end(&self) -> Option<End> {
        self.ending.what()
    }

    /// Whether it is to be closed; if not, the task is woken when it is.
    fn is_over(&self, context: &Context<'_>) -> bool {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if !reader.as_ref().is_some_and(|known| known.will_wake(context.waker())) {
            *reader = Some(context.waker().clone());
        }
        self.ending.is_there()
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
    from_app: Handover,
    to_app: Frames,
    last: Last,
}

/// How far the last words of a tunnel have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    /// Nobody wants any.
    Unsaid,
    /// The app is in the middle of a frame.
    Waiting,
    Said,
}

impl<S> Patient<S> {
    fn new(inner: S, silence: Arc<Silence>) -> Self {
        let timer = Box::pin(sleep(silence.least()));
        Self {
            inner,
            written: false,
            silence,
            heard: Instant::now(),
            timer,
            from_app: Handover::new(),
            to_app: Frames::default(),
            last: Last::Unsaid,
        }
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

impl<S: AsyncRead + AsyncWrite + Unpin> Patient<S> {
    /// Closes a tunnel between two frames of the app's: the client reads a close frame, and then that
    /// there is an end. A frame that is not whole has a moment to become so.
    fn poll_end(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let aborted = || Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        let Some(frames) = self.from_app.frames() else { return aborted() };
        if self.last == Last::Said {
            return Poll::Ready(Ok(()));
        }
        if frames.is_between() {
            let words = Close::SESSION_OVER.of_server();
            if buffer.remaining() < words.len() {
                return aborted();
            }
            self.last = Last::Said;
            if !frames.has_closed() {
                buffer.put_slice(&words);
                self.tell_app(context);
            }
            return Poll::Ready(Ok(()));
        }
        if self.last == Last::Unsaid {
            self.last = Last::Waiting;
            self.timer.as_mut().reset(Instant::now() + A_MOMENT);
        }
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.inner).poll_read(context, buffer) {
            let count = frames.pass_one(&buffer.filled()[before..]);
            buffer.set_filled(before + count);
            return Poll::Ready(read);
        }
        ready!(self.timer.as_mut().poll(context));
        aborted()
    }

    /// The app hears why at once or not at all: nobody waits for one that takes nothing.
    fn tell_app(&mut self, context: &mut Context<'_>) {
        if self.to_app.is_between() && !self.to_app.has_closed() {
            let words = Close::SESSION_OVER.of_client();
            let _at_once_or_not = Pin::new(&mut self.inner).poll_write(context, &words);
            let _at_once_or_not = Pin::new(&mut self.inner).poll_flush(context);
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.written) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.silence.is_over(context) {
            return self.poll_end(context, buffer);
        }
        let before = buffer.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut self.inner).poll_read(context, buffer) {
            self.heard = Instant::now();
            self.from_app.pass(&buffer.filled()[before..]);
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
        if self.silence.ending.is_there() {
            // What a client says after its end goes nowhere.
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = ready!(Pin::new(&mut self.inner).poll_write(context, bytes));
        self.heard = Instant::now();
        if let (Ok(count), Handover::Frames(_)) = (&written, &self.from_app) {
            self.to_app.pass(&bytes[..*count]);
        }
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

/// How long the rest of a frame may take whose tunnel is closed.
const A_MOMENT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::advance;

    use super::*;

    fn pair(answer: u64, tunnel: u64) -> (Patient<DuplexStream>, DuplexStream, Arc<Silence>) {
        let (answer, tunnel) = (Duration::from_secs(answer), Duration::from_secs(tunnel));
        let silence = Arc::new(Silence::of(answer, tunnel));
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
