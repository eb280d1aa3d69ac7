//! How much a route takes: sizes of bodies, requests at once, requests in a time.

use std::num::NonZeroU32;
use std::time::Duration;

/// Bounds of one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteBounds {
    /// The largest body of a request, in bytes. Default 100 MiB.
    pub body_bytes: usize,
    /// Requests in flight to its upstream at once. Default 1,024.
    pub max_requests: usize,
    /// The longest silence, in both directions, of a WebSocket or another tunnel. Default 1 hour.
    pub websocket_idle_timeout: Duration,
    /// For each client address, or IPv6 /64.
    pub per_address: Option<Rate>,
    /// For each session.
    pub per_session: Option<Rate>,
}

/// So many requests for each period, and so many at once after a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub count: NonZeroU32,
    pub period: Duration,
    pub burst: NonZeroU32,
}
