//! How much of an answer is read at a time, and when its time is over.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use super::ending::{End, Ending};

/// Known to the request that is answered and to the connection its client came by.
#[derive(Debug)]
pub(super) struct Flow {
    /// It comes by a connection that was used before.
    reused: AtomicBool,
    /// Its time is over.
    ending: Ending,
    reader: Mutex<Option<Waker>>,
    /// Requests of the same client's, this one among them.
    requests: Arc<AtomicUsize>,
}

/// Whether a connection has carried requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Used {
    Before,
    Never,
}

impl Flow {
    /// Of one answer among those to as many `requests` of the same client's.
    pub(super) fn new(requests: &Arc<AtomicUsize>) -> Self {
        Self {
            reused: AtomicBool::new(false),
            ending: Ending::default(),
            reader: Mutex::new(None),
            requests: requests.clone(),
        }
    }

    /// Of the one answer that its client's connection has at a time.
    pub(super) fn alone() -> Self {
        Self::new(&Arc::new(AtomicUsize::new(ALL / ALONE)))
    }

    /// It comes by a connection that was used before, or never.
    pub(super) fn comes_by(&self, used: Used) {
        self.reused.store(used == Used::Before, Ordering::Relaxed);
    }

    /// Its time is over: nothing is read any more.
    pub(super) fn ends(&self, end: End) {
        self.ending.comes(end);
        self.wake();
    }

    /// Whose time is over, if one's is.
    pub(super) fn end(&self) -> Option<End> {
        self.ending.what()
    }

    /// Ready when its time is over.
    pub(super) async fn is_ended(&self) {
        std::future::poll_fn(|context| {
            self.waits(context);
            if self.ending.is_there() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn wake(&self) {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        reader.into_iter().for_each(Waker::wake);
    }

    /// Whether the app may have closed the connection before it saw the request.
    pub(super) fn is_reused(&self) -> bool {
        self.reused.load(Ordering::Relaxed)
    }

    /// How much may be read now. The more answers a client waits for at a time, the less of each.
    pub(super) fn room(&self) -> usize {
        let share = ALL / self.requests.load(Ordering::Relaxed).max(1);
        share.clamp(LEAST, MOST)
    }

    fn waits(&self, context: &Context<'_>) {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if !reader.as_ref().is_some_and(|known| known.will_wake(context.waker())) {
            *reader = Some(context.waker().clone());
        }
    }
}

/// Bytes of all answers to one client that are read at a time, unless they are so many that each has
/// its least.
const ALL: usize = 512 << 10;
/// Bytes of an answer that is alone on its connection: as much again waits to be written.
const ALONE: usize = 32 << 10;
const MOST: usize = 64 << 10;
const LEAST: usize = 8 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_answers_at_a_time_each_has_less() {
        let requests = Arc::new(AtomicUsize::new(1));
        let flow = Flow::new(&requests);
        for (at_a_time, room) in [(1, MOST), (8, MOST), (16, 32 << 10), (64, LEAST), (999, LEAST)] {
            requests.store(at_a_time, Ordering::Relaxed);
            assert_eq!(flow.room(), room, "{at_a_time}");
        }
        assert_eq!(Flow::alone().room(), ALONE);
    }

    #[tokio::test]
    async fn an_answer_whose_time_is_over_hears_of_it() {
        let flow = Flow::alone();
        let ending = async {
            tokio::task::yield_now().await;
            flow.ends(End::Drain);
        };
        tokio::join!(flow.is_ended(), ending);
        assert_eq!(flow.end(), Some(End::Drain));
    }
}
