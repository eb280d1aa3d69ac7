//! What is read through a guard.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use pingora::protocols::IO;
use tokio::io::{AsyncRead, ReadBuf};

use crate::gateway::Opened;

use super::chunks::Outcome;
use super::fault::Fault;
use super::stream::{Guard, Message, Phase};

impl<S: IO> AsyncRead for Guard<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let guard = self.get_mut();
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        match &mut guard.phase {
            Phase::Between { .. } => Poll::Ready(Ok(())),
            Phase::Broken { fault, .. } => Poll::Ready(Err(failed(*fault))),
            Phase::Message(message) if message.head_left > 0 => {
                let count = message.head_left.min(buffer.remaining());
                message.head_left -= count;
                guard.hand_out(count, buffer);
                Poll::Ready(Ok(()))
            }
            Phase::Message(message) if !message.body.is_complete() => {
                guard.poll_body(context, buffer)
            }
            Phase::Message(_) => guard.poll_client_gone(context),
            Phase::Tunnel(_) => guard.poll_tunnel(context, buffer),
        }
    }
}

impl<S: IO> Opened for Guard<S> {
    fn take_header(&mut self) -> Bytes {
        let Phase::Message(message) = &mut self.phase else { return Bytes::new() };
        let length = std::mem::take(&mut message.head_left);
        self.arrived.split_to(length).freeze()
    }
}

impl<S: IO> Guard<S> {
    pub(super) fn hand_out(&mut self, count: usize, buffer: &mut ReadBuf<'_>) {
        buffer.put_slice(&self.arrived[..count]);
        self.arrived.advance(count);
    }

    fn poll_body(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (count, outcome) = if self.arrived.is_empty() {
            let before = buffer.filled().len();
            ready!(self.poll_direct(context, buffer))?;
            let (count, outcome) = self.pass(&buffer.filled()[before..]);
            // Bytes behind a message belong to the next.
            if outcome == Outcome::Complete {
                self.arrived.extend_from_slice(&buffer.filled()[before + count..]);
            }
            buffer.set_filled(before + count);
            (count, outcome)
        } else {
            let arrived = std::mem::take(&mut self.arrived);
            let (count, outcome) = self.pass(&arrived[..arrived.len().min(buffer.remaining())]);
            self.arrived = arrived;
            self.hand_out(count, buffer);
            (count, outcome)
        };
        if let Outcome::Broken(fault) = outcome {
            self.break_off(fault);
            if count == 0 {
                return Poll::Ready(Err(failed(fault)));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// How many bytes of these belong to the body and may be handed out.
    fn pass(&mut self, bytes: &[u8]) -> (usize, Outcome) {
        match &mut self.phase {
            Phase::Message(message) => message.body.pass(bytes),
            _ => (0, Outcome::More),
        }
    }

    /// Reads body bytes straight into the reader's buffer.
    fn poll_direct(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(self.inner()).poll_read(context, buffer);
        let Phase::Message(message) = &mut self.phase else { return result };
        match result {
            Poll::Pending if message.awaits_continue => Poll::Pending,
            Poll::Pending => {
                let end = message.patience.waits();
                ready!(self.pace.poll_passed(context, end));
                self.break_off(Fault::BodyTooSlow);
                Poll::Ready(Err(failed(Fault::BodyTooSlow)))
            }
            Poll::Ready(Ok(())) if buffer.filled().len() == before => {
                self.break_off(Fault::CutShort);
                Poll::Ready(Err(failed(Fault::CutShort)))
            }
            Poll::Ready(Ok(())) => {
                let count = buffer.filled().len() - before;
                message.earns(count, self.terms.body_rate, self.terms.body_grace);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }

    /// Ready when the client closes, or is to be told that what it hears is over. What it sends ahead
    /// is kept for later, and beyond the size of a header it waits in the socket.
    fn poll_client_gone(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.farewell.is_said(context) {
            return Poll::Ready(Ok(()));
        }
        while self.arrived.len() < self.terms.header_bytes {
            if ready!(self.poll_fill(context))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        Poll::Pending
    }
}

impl Message {
    fn earns(&mut self, count: usize, rate: usize, grace: std::time::Duration) {
        self.awaits_continue = false;
        self.patience.earns(count, rate, grace);
    }
}

fn failed(fault: Fault) -> io::Error {
    let kind = match fault {
        Fault::BodyTooSlow => io::ErrorKind::TimedOut,
        Fault::CutShort => io::ErrorKind::UnexpectedEof,
        _ => io::ErrorKind::InvalidData,
    };
    io::Error::new(kind, fault)
}
