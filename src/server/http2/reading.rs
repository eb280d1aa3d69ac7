//! What the library reads through a watched connection, and the connection's early end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pingora::protocols::IO;
use tokio::io::{AsyncRead, ReadBuf};

use super::account::End;
use super::stream::{Phase, Watched};

impl<S: IO> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let watched = self.get_mut();
        if watched.phase != Phase::Open {
            return watched.poll_end(context);
        }
        let before = buffer.filled().len();
        let end = match Pin::new(&mut watched.inner).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => {
                let came = &buffer.filled()[before..];
                match watched.account.hear(came, &mut watched.forewarned) {
                    Ok(()) => return Poll::Ready(Ok(())),
                    Err(end) => end,
                }
            }
            Poll::Ready(failed) => return Poll::Ready(failed),
            Poll::Pending => {
                let Some((deadline, end)) = watched.account.deadline() else {
                    return Poll::Pending;
                };
                ready!(watched.pace.poll_passed(context, deadline));
                end
            }
        };
        buffer.set_filled(before);
        watched.part(end);
        watched.poll_end(context)
    }
}

impl<S: IO> Watched<S> {
    /// Says the last words, waits for the client to close, and fails. All of it is bounded in time
    /// and size.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let (until, step) = match self.phase {
                Phase::Open => return Poll::Ready(Ok(())),
                Phase::Parting { until, end } => (until, self.poll_last_words(context, end)),
                Phase::Parted { until, .. } => (until, self.poll_drained(context)),
            };
            match step {
                Poll::Ready(Ok(())) => self.phase = Phase::Parted { until, drained: 0 },
                Poll::Ready(ended) => return Poll::Ready(ended),
                Poll::Pending => {
                    ready!(self.pace.poll_passed(context, until));
                    return Poll::Ready(ended());
                }
            }
        }
    }

    fn poll_last_words(&mut self, context: &mut Context<'_>, end: End) -> Poll<io::Result<()>> {
        if let Some(goodbye) = self.account.goodbye(end) {
            // 17 bytes are taken as a whole: they wait with the rest, or nothing waits any more.
            ready!(self.out.poll_write(&mut self.inner, context, &goodbye))?;
            let _said_once = self.account.say(&goodbye, &|_| ());
        }
        ready!(self.out.poll_drain(&mut self.inner, context))?;
        ready!(Pin::new(&mut self.inner).poll_flush(context))?;
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    /// Never `Ok`.
    fn poll_drained(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Phase::Parted { until, mut drained } = self.phase else {
            return Poll::Ready(ended());
        };
        let mut scratch = [0; SCRATCH];
        while drained < MOST_DRAINED {
            let mut buffer = ReadBuf::new(&mut scratch);
            ready!(Pin::new(&mut self.inner).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                break;
            }
            drained += buffer.filled().len();
            self.phase = Phase::Parted { until, drained };
        }
        Poll::Ready(ended())
    }
}

fn ended() -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::ConnectionAborted, "a limit was met"))
}

const SCRATCH: usize = 4 << 10;
/// Bytes read and dropped in all.
const MOST_DRAINED: usize = 1 << 20;
