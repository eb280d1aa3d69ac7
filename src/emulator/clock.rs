//! The emulator's time: a function given from outside, so that tests turn it by hand.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time. Every lifetime the emulator keeps is measured with it.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The machine's clock.
pub(super) fn system() -> Clock {
    Arc::new(SystemTime::now)
}

/// Whole seconds since 1970; times before it count as zero.
pub(super) fn unix_seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs() as i64)
}
