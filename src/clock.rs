//! Where the time comes from: the system, or a hand that turns it in tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// The one source of time; cheap to clone, and every clone shows the same time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System(Instant::now()))
    }

    /// A clock that stands still until [`Clock::set`] or [`Clock::advance`] turns it.
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(Hand {
            seconds: AtomicU64::new(start.0),
            turned: Notify::new(),
        })))
    }

    /// Whole seconds since 1970, UTC.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System(_) => Timestamp(
                SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs()),
            ),
            Source::Manual(hand) => Timestamp(hand.seconds.load(Ordering::SeqCst)),
        }
    }

    /// Time since a moment in this clock's life, for measuring: setting the machine's clock does
    /// not move it.
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Source::System(start) => start.elapsed(),
            Source::Manual(hand) => Duration::from_secs(hand.seconds.load(Ordering::SeqCst)),
        }
    }

    /// Turns a manual clock forward; the system's clock is left alone.
    pub fn advance(&self, seconds: u64) {
        if let Source::Manual(hand) = &self.0 {
            hand.seconds.fetch_add(seconds, Ordering::SeqCst);
            hand.turned.notify_waiters();
        }
    }

    /// Sets a manual clock; the system's clock is left alone.
    pub fn set(&self, to: Timestamp) {
        if let Source::Manual(hand) = &self.0 {
            hand.seconds.store(to.0, Ordering::SeqCst);
            hand.turned.notify_waiters();
        }
    }

    /// Waits until so many seconds have passed since `moment`, which is now or a moment ago: also where
    /// the machine's clock is set back meanwhile.
    pub async fn passes(&self, moment: Timestamp, seconds: u64) {
        match &self.0 {
            Source::System(_) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            Source::Manual(_) => self.reaches(moment.plus(seconds)).await,
        }
    }

    /// Waits until it shows `moment` or later.
    pub async fn reaches(&self, moment: Timestamp) {
        match &self.0 {
            Source::System(_) => {
                // The machine's clock may be set meanwhile.
                while self.now() < moment {
                    let left = moment.since(self.now()).min(LONGEST);
                    tokio::time::sleep(Duration::from_secs(left)).await;
                }
            }
            Source::Manual(hand) => loop {
                let turned = hand.turned.notified();
                if self.now() >= moment {
                    return;
                }
                turned.await;
            },
        }
    }
}

/// A moment, in whole seconds since 1970, UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The moment `seconds` later; stays at the end of time rather than wrap.
    pub fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this moment; nothing when it lies ahead.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[derive(Clone, Debug)]
enum Source {
    Manual(Arc<Hand>),
    System(Instant),
}

/// What turns a manual clock.
#[derive(Debug)]
struct Hand {
    seconds: AtomicU64,
    turned: Notify,
}

/// Seconds between two looks at the machine's clock.
const LONGEST: u64 = 60;
