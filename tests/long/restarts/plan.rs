//! How much of everything.

use std::time::Duration;

#[derive(Clone, Copy)]
pub struct Plan {
    pub reloads: usize,
    pub upgrades: usize,
    /// Before each reload.
    pub step: Duration,
    /// How long one download takes.
    pub download: Duration,
    /// `limits.drain_timeout`.
    pub grace: Duration,
    /// Requests a second, at least.
    pub least: f64,
}

impl Plan {
    pub const WHOLE: Self = Self {
        reloads: 50,
        upgrades: 20,
        step: Duration::from_millis(2_500),
        download: Duration::from_secs(30),
        grace: Duration::from_secs(45),
        least: 2_000.0,
    };
    /// A machine that is busy with other checks is asked for no rate.
    pub const SHORT: Self = Self {
        reloads: 5,
        upgrades: 2,
        step: Duration::from_secs(1),
        download: Duration::from_secs(3),
        grace: Duration::from_secs(4),
        least: 0.0,
    };
}
