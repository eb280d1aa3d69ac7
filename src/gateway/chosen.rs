//! Which of its app's servers a request is with, and with which it was.

use crate::upstreams::{Taken, Tried};

/// A request's servers.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    /// None where there is nothing to choose.
    pub(super) taken: Option<Taken>,
    pub(super) tried: Tried,
}

impl Chosen {
    /// The number of the server it is sent to.
    pub(super) fn server(&self) -> usize {
        self.taken.as_ref().map_or(0, Taken::number)
    }
}
