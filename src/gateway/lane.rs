//! What a request counts with.

/// A route, or a job listener, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Jobs(usize),
    Route(usize),
}
