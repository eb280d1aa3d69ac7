//! What a request may spend on waiting for stores, all its questions together.

use std::cell::Cell;
use std::pin::pin;
use std::time::{Duration, Instant};

tokio::task_local! {
    static LEFT: Cell<Duration>;
}

/// The longest one command may take. A request that meets a store that hangs ends within a second with
/// this, and time to say so.
pub const COMMAND: Duration = Duration::from_millis(800);
/// The longest all commands of one request may take together.
const REQUEST: Duration = Duration::from_millis(900);

/// What one request may still wait. However many commands it sends, one after the other, it waits 0.9 s
/// for them at most. What is written to the disk of a store has a patience of its own.
#[derive(Clone, Copy, Debug)]
pub struct Allowance(Duration);

impl Allowance {
    /// Does a part of the request's work, which spends of it.
    pub async fn bound<F: Future>(&mut self, work: F) -> F::Output {
        let mut work = pin!(LEFT.scope(Cell::new(self.0), work));
        let output = work.as_mut().await;
        if let Some(left) = work.take_value() {
            self.0 = left.get();
        }
        output
    }
}

impl Default for Allowance {
    fn default() -> Self {
        Self(REQUEST)
    }
}

/// What is left of `patience` for somebody who may be a request.
pub(super) fn left_of(patience: Duration) -> Duration {
    LEFT.try_with(|left| left.get().min(patience)).unwrap_or(patience)
}

/// A command that began then is over.
pub(super) fn spend_since(begun: Instant) {
    let took = begun.elapsed();
    let _is_no_request = LEFT.try_with(|left| left.set(left.get().saturating_sub(took)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_has_one_allowance_for_all_it_asks_and_others_have_none() {
        let long = Duration::from_secs(5);
        assert_eq!(left_of(long), long);
        let Some(earlier) = Instant::now().checked_sub(Duration::from_millis(500)) else { return };
        let mut allowance = Allowance::default();
        let first = allowance.bound(async {
            assert_eq!(left_of(long), REQUEST);
            assert_eq!(left_of(Duration::from_millis(1)), Duration::from_millis(1));
            spend_since(earlier);
            left_of(long)
        });
        assert!(first.await <= Duration::from_millis(400));
        let second = allowance.bound(async {
            assert!(left_of(long) <= Duration::from_millis(400), "what was spent before is gone");
            spend_since(earlier);
            left_of(long)
        });
        assert_eq!(second.await, Duration::ZERO);
        assert_eq!(left_of(long), long);
    }
}
