//! A connection to an app, whatever it is made of.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::unconstrained;
use tokio_rustls::client::TlsStream;

/// Bytes in both directions, as the app has them.
#[derive(Debug)]
pub(super) enum Cord {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
}

trait Bytes: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Bytes for S {}

impl Cord {
    /// Whether it is open, and nothing comes on it. What TLS has said to itself is nothing.
    ///
    /// The socket itself is asked: the runtime hears of what came only when it looks, which a busy one
    /// does after the next request was sent, and that request would get it as its answer.
    pub(super) fn is_silent(&mut self) -> bool {
        if matches!(self, Self::Tls(_)) && !self.is_pending() {
            return false;
        }
        match self {
            Self::Plain(stream) => is_quiet(stream),
            Self::Tls(stream) => is_quiet(stream.get_ref().0),
            Self::Unix(stream) => is_quiet(stream),
        }
    }

    /// Whether the runtime has heard of nothing on it. A look that nobody is woken for.
    pub(super) fn is_pending(&mut self) -> bool {
        let mut room = [0];
        let mut buffer = ReadBuf::new(&mut room);
        let read =
            std::future::poll_fn(|context| Pin::new(&mut *self).poll_read(context, &mut buffer));
        let looks = pin!(unconstrained(read));
        looks.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    fn bytes(self: Pin<&mut Self>) -> Pin<&mut dyn Bytes> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream),
            Self::Tls(stream) => Pin::new(stream.as_mut()),
            Self::Unix(stream) => Pin::new(stream),
        }
    }
}

fn is_quiet(socket: &impl AsFd) -> bool {
    let peeked = SockRef::from(socket).peek(&mut [MaybeUninit::uninit()]);
    peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

impl AsyncRead for Cord {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.bytes().poll_read(context, buffer)
    }
}

impl AsyncWrite for Cord {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.bytes().poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.bytes().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.bytes().poll_shutdown(context)
    }
}
