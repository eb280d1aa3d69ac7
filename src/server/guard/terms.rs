//! What a client must keep to.

use std::time::Duration;

use crate::config::Limits;

/// Sizes in bytes, counts, and the longest a client may take over each part of a request.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub target_bytes: usize,
    pub header_bytes: usize,
    pub header_count: usize,
    /// From the first byte of a header to its last; the first header's time begins with the
    /// connection.
    pub header_timeout: Duration,
    /// Without a byte between two requests.
    pub idle_timeout: Duration,
    /// How long a body may make us wait before its rate counts, and at any one time after.
    pub body_grace: Duration,
    /// Bytes of body for each second waited.
    pub body_rate: usize,
    /// Without taking a byte of an answer.
    pub write_timeout: Duration,
}

impl Terms {
    /// As the configuration has them.
    pub fn of(limits: &Limits) -> Self {
        Self {
            target_bytes: limits.target_bytes,
            header_bytes: limits.header_bytes,
            header_count: limits.header_count,
            header_timeout: limits.header_timeout,
            idle_timeout: limits.idle_timeout,
            body_grace: limits.body_grace,
            body_rate: limits.body_rate,
            write_timeout: limits.write_timeout,
        }
    }
}
