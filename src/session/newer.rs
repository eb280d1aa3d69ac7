//! What is known of sessions that is newer than what their browsers, or the store, have.
//!
//! A refresh brings tokens while no answer is on its way to the browser. Where the cookie carries the
//! session, what the refresh made of it is kept here until the browser comes again, and goes on in place
//! of what its cookie says; where a store has the session, only for as long as it cannot be written there.
//! It is sealed with half of its key in the session itself, as a store keeps sessions.

use std::sync::Arc;

use crate::redis_link::RedisLink;

use super::records::Records;
use super::shared_records::SharedRecords;

/// One for all hosts; cheap to clone. It is bounded; what gives way is refreshed once more.
#[derive(Clone, Debug)]
pub struct Newer {
    pub(super) here: Arc<Records>,
    /// The same for all replicas.
    pub(super) shared: Option<Arc<SharedRecords>>,
}

impl Newer {
    /// Room for about `most` sessions. What was known before goes on.
    pub fn new(most: usize, link: Option<RedisLink>, before: Option<&Self>) -> Self {
        let here = before.map(|before| before.here.clone());
        if let Some(here) = &here {
            here.bound(most);
        }
        let same = before.and_then(|before| before.shared.clone());
        let shared =
            link.map(|link| same.unwrap_or_else(|| Arc::new(SharedRecords::new(Some(link)))));
        Self { here: here.unwrap_or_else(|| Arc::new(Records::new(most))), shared }
    }

    /// What this process knows; it goes on to those that follow.
    pub fn records(&self) -> &Arc<Records> {
        &self.here
    }
}

impl Default for Newer {
    fn default() -> Self {
        Self::new(1_024, None, None)
    }
}
