//! The way to an app for a request that may become a tunnel.
//!
//! pingora waits for the app's answer and for the end of the request's body at once. Where it hears
//! a 101 first and only then that there is no body, it takes that for the end of the tunnel (its
//! issue 946). Here a connection that was just written to keeps its answer back for one turn, in
//! which the end of the body is noticed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use pingora::connectors::L4Connect;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::l4::virt::{VirtualSockOpt, VirtualSocket, VirtualSocketStream};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorType, OrErr as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Lets `peer` be reached by a connection of its own, kept apart from all others.
pub(super) fn lead(peer: &mut HttpPeer, connect_timeout: Duration) {
    peer.group_key = peer.group_key.rotate_left(1) ^ 1;
    peer.options.custom_l4 = Some(Arc::new(Connector { connect_timeout }));
}

#[derive(Debug)]
struct Connector {
    connect_timeout: Duration,
}

#[async_trait]
impl L4Connect for Connector {
    async fn connect(&self, address: &SocketAddr) -> pingora::Result<Stream> {
        let address = address
            .as_inet()
            .ok_or_else(|| Error::explain(ErrorType::ConnectError, "not an internet address"))?;
        let inner = timeout(self.connect_timeout, TcpStream::connect(address))
            .await
            .or_err(ErrorType::ConnectTimedout, "connecting for a tunnel")?
            .or_err(ErrorType::ConnectError, "connecting for a tunnel")?;
        let patient = Patient { inner, written: false };
        Ok(VirtualSocketStream::new(Box::new(patient)).into())
    }
}

/// A connection that after a write is read from one turn later.
#[derive(Debug)]
struct Patient {
    inner: TcpStream,
    written: bool,
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.written) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.written = true;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl VirtualSocket for Patient {
    fn set_socket_option(&self, option: VirtualSockOpt) -> io::Result<()> {
        match option {
            VirtualSockOpt::NoDelay => self.inner.set_nodelay(true),
            _ => Ok(()),
        }
    }
}
