//! `[limits]`: bounds on what strangers can make us hold or wait for.

use std::time::Duration;

/// Sizes in bytes, counts, and times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest form taken at a callback. Default 64 KiB.
    pub form_bytes: usize,
    /// The largest `Cookie` header taken, all of them joined. Default 24 KiB.
    pub cookie_bytes: usize,
    /// The longest request target taken. Default 8 KiB.
    pub target_bytes: usize,
    /// Attempts remembered as spent; beyond it new attempts get 503. Default 65,536.
    pub spent_attempts: usize,
    /// Sessions remembered as ended. Default 65,536.
    pub ended_sessions: usize,
    /// The longest a call to SuperID may take. Default 10 s.
    pub superid_timeout: Duration,
    /// The longest a request's header may take to arrive, and a connection may idle. Default 60 s.
    pub idle_timeout: Duration,
    /// How long a shutdown waits for requests in flight. Default 30 s.
    pub drain_timeout: Duration,
}
