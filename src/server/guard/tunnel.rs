//! A WebSocket tunnel, followed from afar so that it can be closed in words both sides know: 1001,
//! going away (RFC 6455 §7.4.1).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pingora::protocols::IO;
use tokio::io::ReadBuf;

use crate::web::Close;

use super::stream::{Guard, Phase};

impl<S: IO> Guard<S> {
    /// Reads from the client's side of a tunnel. At its end the app is sent a close frame as the
    /// client would, between two frames of the client's, and then hears that the client is gone.
    pub(super) fn poll_tunnel(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Phase::Tunnel(mut tunnel) = self.phase else { return Poll::Ready(Ok(())) };
        let before = buffer.filled().len();
        let ending = self.farewell.is_said(context);
        if ending && (tunnel.to_app.is_between() || tunnel.app_told) {
            if !tunnel.app_told && !tunnel.to_app.has_closed() && buffer.remaining() >= 8 {
                buffer.put_slice(&Close::GOING_AWAY.of_client());
                tunnel.app_told = true;
                self.phase = Phase::Tunnel(tunnel);
                return Poll::Ready(Ok(()));
            }
            return self.poll_tell_client(context);
        }
        if self.arrived.is_empty() {
            ready!(Pin::new(self.inner()).poll_read(context, buffer))?;
        } else {
            self.hand_out(self.arrived.len().min(buffer.remaining()), buffer);
        }
        let come = &buffer.filled()[before..];
        if ending {
            let count = tunnel.to_app.pass_one(come);
            buffer.set_filled(before + count);
        } else {
            tunnel.to_app.pass(come);
        }
        self.phase = Phase::Tunnel(tunnel);
        Poll::Ready(Ok(()))
    }

    /// Writes to the client's side of a tunnel. What the app says after the close frame goes
    /// nowhere.
    pub(super) fn poll_write_tunnel(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Phase::Tunnel(mut tunnel) = self.phase else { return Poll::Ready(Ok(0)) };
        let ending = self.farewell.was_said();
        if tunnel.client_told || (ending && tunnel.to_client.is_between()) {
            self.farewell.wake();
            return Poll::Ready(Ok(bytes.len()));
        }
        let most = if ending { { tunnel.to_client }.pass_one(bytes) } else { bytes.len() };
        let (inner, out) = self.outward();
        let written = out.poll_write(inner, context, &bytes[..most]);
        if let Poll::Ready(Ok(count)) = written {
            tunnel.to_client.pass(&bytes[..count]);
            self.phase = Phase::Tunnel(tunnel);
            if ending {
                self.farewell.wake();
            }
        }
        self.unless_stalled(context, written)
    }

    /// Tells the client as soon as the app's last frame is whole; the reader is done then.
    fn poll_tell_client(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Phase::Tunnel(tunnel) = &mut self.phase else { return Poll::Ready(Ok(())) };
        if !tunnel.client_told {
            if !tunnel.to_client.is_between() {
                return Poll::Pending;
            }
            tunnel.client_told = true;
            if !tunnel.to_client.has_closed() {
                self.out.append(&Close::GOING_AWAY.of_server());
            }
        }
        let (inner, out) = self.outward();
        ready!(out.poll_drain(inner, context))?;
        Pin::new(inner).poll_flush(context)
    }
}
