//! Word to a guard that the time of what has no end is over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};

/// Said once, from beside whoever reads and writes through the guard.
#[derive(Clone, Debug, Default)]
pub struct Farewell(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    said: AtomicBool,
    reader: Mutex<Option<Waker>>,
}

impl Farewell {
    /// From here on a tunnel is closed as WebSocket has it, and whoever waits for a client to leave
    /// while it is answered is told that it left.
    pub fn say(&self) {
        self.0.said.store(true, Ordering::Release);
        self.wake();
    }

    /// Whether it was said; if not, the reader is woken when it is.
    pub(super) fn is_said(&self, context: &mut Context<'_>) -> bool {
        let mut reader = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner);
        match &*reader {
            Some(waker) if waker.will_wake(context.waker()) => {}
            _ => *reader = Some(context.waker().clone()),
        }
        self.0.said.load(Ordering::Acquire)
    }

    /// The same for whoever only writes.
    pub(super) fn was_said(&self) -> bool {
        self.0.said.load(Ordering::Acquire)
    }

    /// Lets the reader look again.
    pub(super) fn wake(&self) {
        let reader = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        reader.into_iter().for_each(Waker::wake);
    }
}
