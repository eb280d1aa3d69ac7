//! Small writes gathered until they are flushed: head and body of an answer leave in one packet,
//! and in one TLS record.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pingora::protocols::IO;
use tokio::time::Instant;

/// What waits to be written, and since when the client takes nothing.
#[derive(Debug, Default)]
pub(in crate::server) struct Outgoing {
    waiting: Vec<u8>,
    written: usize,
    stalled: Option<Instant>,
}

impl Outgoing {
    pub(in crate::server) fn poll_write<S: IO>(
        &mut self,
        inner: &mut S,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.waiting.len() + bytes.len() > GATHERED {
            ready!(self.poll_drain(inner, context))?;
        }
        if bytes.len() > GATHERED {
            return Pin::new(inner).poll_write(context, bytes);
        }
        self.waiting.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    /// Adds a few bytes behind everything else.
    pub(in crate::server) fn append(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    pub(in crate::server) fn poll_drain<S: IO>(
        &mut self,
        inner: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.written < self.waiting.len() {
            let rest = &self.waiting[self.written..];
            match ready!(Pin::new(&mut *inner).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
            self.stalled = None;
        }
        self.waiting.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    /// Notes whether a write went on; where not, says since when.
    pub(in crate::server) fn stalled<T>(&mut self, result: &Poll<T>) -> Option<Instant> {
        match result {
            Poll::Ready(_) => {
                self.stalled = None;
                None
            }
            Poll::Pending => Some(*self.stalled.get_or_insert_with(Instant::now)),
        }
    }
}

/// Bytes gathered at most: one TLS record, or one frame of HTTP/2 with its head, which else would go
/// out in two halves.
const GATHERED: usize = (16 << 10) + 9;
