//! How far an answer has come whose client may take it more slowly than its app gives it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use http::StatusCode;

use super::cord::Cord;
use super::ending::{End, Ending};

/// Known to the request that is answered and to the connection its answer comes by.
#[derive(Debug)]
pub(super) struct Flow {
    /// Bytes read since the client's side took a piece.
    ahead: AtomicUsize,
    /// Its header has gone by.
    begun: AtomicBool,
    /// It comes by a connection that was used before.
    reused: AtomicBool,
    /// Its time is over.
    ending: Ending,
    reader: Mutex<Option<Waker>>,
    /// Requests of the same client's, this one among them.
    requests: Arc<AtomicUsize>,
}

impl Flow {
    /// Of one answer among those to as many `requests` of the same client's.
    pub(super) fn new(requests: &Arc<AtomicUsize>) -> Self {
        Self {
            ahead: AtomicUsize::new(0),
            begun: AtomicBool::new(false),
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

    /// It comes by a connection that was used before, or by a new one.
    pub(super) fn comes_by(&self, kept: Option<&Cord>) {
        self.reused.store(kept.is_some(), Ordering::Relaxed);
    }

    /// A header goes on to the client.
    pub(super) fn begins(&self, status: StatusCode) {
        self.begun.store(!status.is_informational(), Ordering::Relaxed);
        self.goes_on();
    }

    /// A piece goes on to the client: the one before has been taken.
    pub(super) fn goes_on(&self) {
        self.ahead.store(0, Ordering::Relaxed);
        self.wake();
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
            if self.is_over() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    pub(super) fn is_over(&self) -> bool {
        self.ending.is_there()
    }

    fn wake(&self) {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        reader.into_iter().for_each(Waker::wake);
    }

    /// Whether the app may have closed the connection before it saw the request.
    pub(super) fn is_reused(&self) -> bool {
        self.reused.load(Ordering::Relaxed)
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// So many bytes came from the app.
    pub(super) fn read(&self, bytes: usize) {
        self.ahead.fetch_add(bytes, Ordering::Relaxed);
    }

    /// How much may be read now. The more answers a client waits for at a time, the less of each.
    pub(super) fn room(&self) -> usize {
        let share = ALL / self.requests.load(Ordering::Relaxed).max(1);
        let ahead = self.ahead.load(Ordering::Relaxed);
        share.clamp(LEAST, MOST).saturating_sub(ahead)
    }

    /// The task is woken when there is room again, or its time is over.
    pub(super) fn waits(&self, context: &Context<'_>) {
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
/// As much as pingora reads at once.
pub(super) const MOST: usize = 64 << 10;
pub(super) const LEAST: usize = 8 << 10;
