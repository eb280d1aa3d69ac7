//! Whoever counts what a link does.

use std::time::Duration;

use super::failure::LinkFailed;

/// Is told of each command once it is over.
pub trait LinkWatch: Send + Sync {
    /// How long it took, and why it failed, if it did.
    fn carried_out(&self, took: Duration, failed: Option<&LinkFailed>);
}

/// Nobody.
pub(super) struct Unwatched;

impl LinkWatch for Unwatched {
    fn carried_out(&self, _took: Duration, _failed: Option<&LinkFailed>) {}
}
