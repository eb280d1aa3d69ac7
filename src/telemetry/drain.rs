//! What becomes of requests that are in flight when the process is told to end.

use std::sync::atomic::{AtomicU8, Ordering};

/// How far the end has come; read once by every request, so it is one byte.
#[derive(Debug, Default)]
pub struct Drain(AtomicU8);

/// How a request in flight ended after the process was told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It had no end of its own (a WebSocket, an event stream) and was given one.
    Closed,
    /// It was not done at the end of its time.
    Cut,
    /// It came to its own end.
    Finished,
}

/// How many ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    pub closed: u64,
    pub cut: u64,
    pub finished: u64,
}

impl Drain {
    /// The process was told to end.
    pub fn begin(&self) {
        self.0.fetch_max(BEGUN, Ordering::Relaxed);
    }

    /// What is in flight has had its time.
    pub fn grace_is_over(&self) {
        self.0.fetch_max(OVER, Ordering::Relaxed);
    }

    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= BEGUN
    }

    pub fn is_grace_over(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= OVER
    }
}

impl Outcome {
    pub(super) const EVERY: [Self; 3] = [Self::Closed, Self::Cut, Self::Finished];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Cut => "cut",
            Self::Finished => "finished",
        }
    }
}

const BEGUN: u8 = 1;
const OVER: u8 = 2;
