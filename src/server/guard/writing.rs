//! What is written through a guard.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use pingora::protocols::{IO, Shutdown};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::telemetry::Limit;

use super::conversation::Tunnel;
use super::stream::{Answer, Guard, Phase};

impl<S: IO> AsyncWrite for Guard<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let guard = self.get_mut();
        match guard.follow(bytes)? {
            Way::Nowhere => Poll::Ready(Ok(bytes.len())),
            Way::Tunnel => guard.poll_write_tunnel(context, bytes),
            Way::Out => {
                let (inner, out) = guard.outward();
                let written = out.poll_write(inner, context, bytes);
                guard.unless_stalled(context, written)
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let guard = self.get_mut();
        let (inner, out) = guard.outward();
        let flushed = match out.poll_drain(inner, context) {
            Poll::Ready(Ok(())) => Pin::new(inner).poll_flush(context),
            unfinished => unfinished,
        };
        guard.unless_stalled(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(context))?;
        let guard = self.get_mut();
        if guard.owes_answer() {
            return Poll::Ready(Ok(()));
        }
        let shut = Pin::new(guard.inner()).poll_shutdown(context);
        guard.unless_stalled(context, shut)
    }
}

/// Where written bytes go.
enum Way {
    Nowhere,
    Out,
    Tunnel,
}

impl<S: IO> Guard<S> {
    /// Follows what is written as far as it says what the connection becomes. Only a written 101
    /// makes a tunnel (RFC 9110 §7.8), and only where one was asked for. Once a message is broken
    /// its answer is the guard's: another one goes nowhere.
    fn follow(&mut self, bytes: &[u8]) -> io::Result<Way> {
        match &mut self.phase {
            Phase::Message(message) if message.answer == Answer::Final => Ok(Way::Out),
            Phase::Message(message) => {
                if !bytes.starts_with(b"HTTP/1.1 1") {
                    message.answer = Answer::Final;
                } else if bytes.starts_with(b"HTTP/1.1 101") {
                    if !message.asks_upgrade || !message.is_handed_out() {
                        return Err(io::Error::other("101 for a message that cannot be upgraded"));
                    }
                    self.phase = Phase::Tunnel(Tunnel::default());
                } else {
                    message.awaits_continue = false;
                }
                Ok(Way::Out)
            }
            Phase::Tunnel(_) => Ok(Way::Tunnel),
            Phase::Broken { answer: Answer::Open, .. } => Ok(Way::Nowhere),
            Phase::Broken { .. } | Phase::Between { .. } => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn owes_answer(&self) -> bool {
        matches!(self.phase, Phase::Broken { answer: Answer::Open, .. })
    }

    /// A client that takes nothing for too long is given up.
    pub(super) fn unless_stalled<T>(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if let Some(since) = self.out.stalled(&result) {
            ready!(self.pace.poll_passed(context, since + self.terms.write_timeout));
            self.given_up = Some(Limit::WriteTimeout);
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        result
    }
}

#[async_trait]
impl<S: IO> Shutdown for Guard<S> {
    async fn shutdown(&mut self) {
        if self.flush().await.is_ok() && !self.owes_answer() {
            self.inner().shutdown().await;
        }
    }
}
