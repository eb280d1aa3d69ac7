//! Whom a refusal is about, for the audit log.

use std::sync::Arc;

use crate::config::JobCaller;
use crate::session::SessionState;

/// Whom a refusal is about.
#[derive(Clone, Debug)]
pub(super) enum About {
    Caller(Arc<JobCaller>),
    /// Somebody signed in, and the route that is not for them.
    Person(Arc<SessionState>, String),
}
