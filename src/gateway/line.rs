//! What a client's connection carries from one of its requests to the next.

use std::sync::Arc;

use pingora::proxy::Session as Downstream;

use crate::limits::Places;
use crate::web::{JobDoor, NamedInTls};

/// Kept where pingora lets its users keep one thing of a connection.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// The host that TLS was asked for.
    pub named: NamedInTls,
    /// The job listener it came to.
    pub jobs: Option<Arc<JobDoor>>,
    /// Answers on their way to this client.
    pub(super) answers: Arc<Places>,
}

impl Line {
    /// A line to the job listener of this name, or to the public.
    pub fn to(jobs: Option<&str>) -> Self {
        Self { jobs: jobs.map(|name| Arc::new(JobDoor::new(name))), ..Self::default() }
    }

    /// The line a request came on, where it came by TLS or to a job listener.
    pub(super) fn of(downstream: &Downstream) -> Option<&Self> {
        downstream.digest()?.proxy_digest.as_ref()?.user_data.as_ref()?.downcast_ref()
    }
}
