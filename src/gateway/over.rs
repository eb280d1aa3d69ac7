//! What is over already when a configuration comes into force.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Session;
use crate::credentials::Stores;
use crate::session::{Revocations, What};

/// What was ended stays over, wherever that is remembered, and so does what a revoked key has sealed.
pub(super) fn know_what_is_over(
    ended: &Arc<Revocations>,
    session: &Session,
    stores: &Stores,
    clock: &Clock,
) {
    let spread = (stores.journal.as_ref(), stores.sessions.as_ref());
    ended.spread_over(spread, session.absolute, clock);
    for key in &session.revoked_keys {
        ended.hold(What::Key(*key), clock.now());
    }
}
