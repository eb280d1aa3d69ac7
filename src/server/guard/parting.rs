//! The end of a connection: the answer still owed, and time for the client to read it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pingora::protocols::{IO, Shutdown};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::telemetry::Limit;

use super::fault::Fault;

/// By which a connection comes back when whoever held its guard has dropped it.
pub struct WayBack<S>(Arc<Mutex<Option<Parted<S>>>>);

/// A connection that serves no more requests.
pub struct Parted<S> {
    inner: Box<S>,
    fault: Option<Fault>,
    given_up: Option<Limit>,
    rest: Rest,
}

/// What is left to do on a connection that serves no more requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// The client is told what was wrong.
    Answer,
    /// What the client still sends is read, so that it can read what it was sent.
    Drain,
    Nothing,
}

impl<S> WayBack<S> {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(None)))
    }

    /// The connection, once its guard is gone.
    pub fn take(&self) -> Option<Parted<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn give(&self, parted: Parted<S>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(parted);
    }
}

impl<S> Clone for WayBack<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S> fmt::Debug for WayBack<S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("WayBack")
    }
}

impl<S: IO> Parted<S> {
    pub(super) fn new(
        inner: Box<S>,
        (fault, given_up): (Option<Fault>, Option<Limit>),
        rest: Rest,
    ) -> Self {
        Self { inner, fault, given_up, rest }
    }

    /// What was wrong with the last message.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// The limit its client met, if it was one.
    pub fn limit(&self) -> Option<Limit> {
        self.given_up.or(self.fault.and_then(Fault::limit))
    }

    /// Answers if an answer is owed, and closes. A connection closed over bytes nobody read is
    /// reset, and the reset may overtake the answer: so what comes is read for a while, bounded in
    /// time and size, and goes nowhere (RFC 9112 §9.6).
    pub async fn end(mut self) {
        if self.rest == Rest::Nothing {
            return;
        }
        let _too_late = timeout(LINGER, self.tell_and_drain()).await;
    }

    async fn tell_and_drain(&mut self) -> Option<()> {
        if let (Rest::Answer, Some(fault)) = (self.rest, self.fault) {
            self.inner.write_all(&fault.answer()).await.ok()?;
            self.inner.flush().await.ok()?;
        }
        Shutdown::shutdown(&mut *self.inner).await;
        let mut scratch = vec![0; SCRATCH];
        let mut left = MOST_DRAINED;
        while left > 0 {
            match self.inner.read(&mut scratch).await.ok()? {
                0 => return None,
                count => left = left.saturating_sub(count),
            }
        }
        None
    }
}

/// How long a client has to read its last answer.
const LINGER: Duration = Duration::from_secs(5);
/// Bytes read at once meanwhile: few, because many may be waited for at a time.
const SCRATCH: usize = 1 << 10;
/// Bytes read and dropped in all.
const MOST_DRAINED: usize = 4 << 20;
