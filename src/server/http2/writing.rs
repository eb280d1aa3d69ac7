//! What the library writes through a watched connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use pingora::protocols::{IO, Shutdown};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::telemetry::Limit;

use super::refusal::Notice;
use super::stream::{Phase, Watched};

impl<S: IO> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let watched = self.get_mut();
        if watched.phase != Phase::Open {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = watched.out.poll_write(&mut watched.inner, context, bytes);
        let count = ready!(watched.unless_stalled(context, written))?;
        if let Err(end) = watched.account.say(&bytes[..count], &watched.heard) {
            watched.part(end);
            // The end is reached by reading.
            context.waker().wake_by_ref();
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let watched = self.get_mut();
        if watched.phase != Phase::Open {
            return Poll::Ready(Ok(()));
        }
        watched.forewarns(context);
        let flushed = match watched.out.poll_drain(&mut watched.inner, context) {
            Poll::Ready(Ok(())) => Pin::new(&mut watched.inner).poll_flush(context),
            unfinished => unfinished,
        };
        watched.unless_stalled(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(context))?;
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

impl<S: IO> Watched<S> {
    /// Asked at every flush, with which the library ends each of its turns. What it wrote is whole
    /// then, its SETTINGS were the first of it, and these are two whole frames.
    fn forewarns(&mut self, context: &mut Context<'_>) {
        if self.forewarned.is_due(context)
            && self.account.is_between()
            && let Some(words) = self.forewarned.words()
        {
            self.out.append(&words);
        }
    }

    /// A client that takes nothing for too long is given up.
    fn unless_stalled<T>(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let Some(since) = self.out.stalled(&result) else { return result };
        ready!(self.pace.poll_passed(context, since + self.write_timeout));
        (self.heard)(Notice::Met(Limit::WriteTimeout));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

#[async_trait]
impl<S: IO> Shutdown for Watched<S> {
    async fn shutdown(&mut self) {
        let _gone = self.flush().await;
        self.inner.shutdown().await;
    }
}
