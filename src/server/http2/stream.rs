//! A client's connection under HTTP/2, as the library sees it: whole, unless the client spends too
//! much or takes too long.

use std::fmt;
use std::time::Duration;

use pingora::protocols::IO;
use tokio::time::Instant;

use crate::server::guard::{Outgoing, Pace};

use super::account::{Account, End};
use super::forewarning::{Forewarned, Forewarning};
use super::refusal::{Heard, Notice};
use super::terms::Http2Terms;

/// Wraps a client's connection. Every byte passes as it is, small writes gathered; one thing is said
/// beside them, a [`Forewarning`]. A client that
/// meets a limit is told so by GOAWAY (ENHANCE_YOUR_CALM, RFC 9113 §7), where no other frame is half
/// written, and the connection ends; what the library still writes goes nowhere then. The same,
/// with PROTOCOL_ERROR, for one whose first frame is not SETTINGS.
pub struct Watched<S> {
    pub(super) inner: S,
    pub(super) account: Account,
    pub(super) heard: Heard,
    pub(super) out: Outgoing,
    pub(super) pace: Pace,
    pub(super) phase: Phase,
    pub(super) forewarned: Forewarned,
    pub(super) write_timeout: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// The last words are being said.
    Parting {
        until: Instant,
        end: End,
    },
    /// Nothing is said any more. What still comes is read and dropped, so that the client can read
    /// why it was closed (as RFC 9112 §9.6 has it for HTTP/1).
    Parted {
        until: Instant,
        drained: usize,
    },
}

impl<S: IO> Watched<S> {
    /// A connection whose TLS is done. `heard` is told of each limit its client meets, and
    /// of what it is refused.
    pub fn new(inner: S, terms: Http2Terms, heard: Heard) -> Self {
        Self {
            inner,
            account: Account::new(terms),
            heard,
            out: Outgoing::default(),
            pace: Pace::default(),
            phase: Phase::Open,
            forewarned: Forewarned::Over,
            write_timeout: terms.write_timeout,
        }
    }

    /// For whoever will tell its client to go; before the connection is served.
    pub fn forewarning(&mut self) -> Forewarning {
        let (forewarning, forewarned) = Forewarning::new();
        self.forewarned = forewarned;
        forewarning
    }

    /// Ends the connection: with GOAWAY if that can be said.
    pub(super) fn part(&mut self, end: End) {
        if let End::Met(limit) = end {
            (self.heard)(Notice::Met(limit));
        }
        end.refusal().into_iter().for_each(|refusal| (self.heard)(Notice::Refused(refusal)));
        self.phase = Phase::Parting { until: Instant::now() + LINGER, end };
    }
}

impl<S: fmt::Debug> fmt::Debug for Watched<S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Watched")
            .field("inner", &self.inner)
            .field("account", &self.account)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

/// How long a client has to take its last words, and to close.
const LINGER: Duration = Duration::from_secs(5);
