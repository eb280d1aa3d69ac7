//! What is refused below a request: counted, kept for the status page, and logged.

use std::sync::Arc;

use crate::telemetry::{AccessLog, RefusedLine};
use crate::web::Peer;

use super::assemble::Load;
use super::http2::Notice;

/// Knows whom it is about.
#[derive(Clone)]
pub(super) struct Noting {
    load: Arc<Load>,
    access: Option<AccessLog>,
    client: Peer,
}

impl Noting {
    pub(super) fn new(load: Arc<Load>, access: Option<AccessLog>, client: Peer) -> Self {
        Self { load, access, client }
    }

    /// Takes in what a connection of HTTP/2 met.
    pub(super) fn notice(&self, notice: Notice) {
        match notice {
            Notice::Met(limit) => self.load.met(limit),
            Notice::Refused(refusal) => {
                self.refused(refusal.status(), refusal.reason(), &refusal.to_string());
            }
        }
    }

    /// `reason` is one of a fixed set of words; `detail` repeats nothing of what was sent.
    pub(super) fn refused(&self, status: u16, reason: &str, detail: &str) {
        if let Some(access) = &self.access {
            access.write_refused(&RefusedLine { client: self.client, status, detail });
        }
        self.load.refused(status, reason);
    }
}
