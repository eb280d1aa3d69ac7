//! What every refresh needs at hand.

use std::sync::Arc;

use crate::clock::Clock;
use crate::crypto::Random;
use crate::telemetry::Metrics;

use super::asking::Asking;
use super::flights::Flights;
use super::quiet::Quiet;
use super::revoking::Revoking;

/// Shared by all refreshes of one configuration.
pub(super) struct Means {
    pub asking: Asking,
    pub clock: Clock,
    pub random: Random,
    pub metrics: Arc<Metrics>,
    pub flights: Arc<Flights>,
    pub quiet: Arc<Quiet>,
    pub revoking: Revoking,
}
