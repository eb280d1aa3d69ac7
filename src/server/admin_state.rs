//! What the admin listener tells about.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::gateway::Site;
use crate::telemetry::catalogue::TLS_CERTIFICATE_EXPIRY;
use crate::telemetry::{Format, Levels};

use super::assemble::Load;
use super::drain::Leave;
use super::report::Report;

/// What it tells about.
pub(super) struct State {
    pub(super) address: SocketAddr,
    /// Every other listener that is open now.
    pub(super) doors: Doors,
    pub(super) load: Arc<Load>,
    pub(super) leave: watch::Receiver<Option<Leave>>,
    pub(super) report: Report,
    /// Set when there is nothing left to tell about.
    pub(super) over: watch::Receiver<bool>,
}

/// Listeners that are open.
pub(super) type Doors = Arc<Mutex<Vec<DoorState>>>;

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct DoorState {
    pub(super) name: String,
    /// The one it really has, on the network.
    pub(super) address: Option<String>,
    /// When its certificate stops being valid, in seconds since 1970.
    pub(super) certificate_ends: Option<u64>,
}

impl State {
    /// The listeners that are open.
    pub(super) fn open(&self) -> Vec<DoorState> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What stands now.
    pub(super) fn levels(&self, site: &Site) -> Levels {
        let mut levels = self.load.levels(site);
        for door in self.open() {
            if let Some(ends) = door.certificate_ends {
                levels.add(&TLS_CERTIFICATE_EXPIRY, &[&door.name], ends as f64);
            }
        }
        levels
    }

    /// Every metric, as text.
    pub(super) fn metrics(&self, format: Format) -> String {
        let site = self.load.site();
        site.metrics.text(self.levels(&site), format)
    }
}
