//! What is known of one request while it lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::limits::Place;
use crate::web::{Asking, Client};

use super::site::Site;
use super::verdict::Departure;

/// One request and its answer. Begins undecided, and what is undecided does not leave.
pub struct Exchange {
    pub(super) site: Arc<Site>,
    pub(super) request_id: String,
    pub(super) started: Instant,
    pub(super) asking: Asking,
    pub(super) client: Option<Client>,
    pub(super) stage: Stage,
    /// The route it was decided to go to, even if there was no room.
    pub(super) route: Option<usize>,
    /// Bytes of the body that came so far.
    pub(super) body: usize,
    /// What it takes while it lives: a place in all, and one on the way to the app.
    pub(super) places: [Option<Place>; 2],
    /// What went wrong, for the log.
    pub(super) detail: Option<String>,
}

/// How far a request has come.
#[derive(Debug)]
pub(super) enum Stage {
    Answered,
    Leaving(Box<Departure>),
    Undecided,
}

impl Exchange {
    pub(super) fn new(site: Arc<Site>, ids: &RequestIds) -> Self {
        Self {
            site,
            request_id: ids.next(),
            started: Instant::now(),
            asking: Asking::Program,
            client: None,
            stage: Stage::Undecided,
            route: None,
            body: 0,
            places: [None, None],
            detail: None,
        }
    }

    /// The departure, when the verdict was to leave.
    pub(super) fn departure(&self) -> Option<&Departure> {
        match &self.stage {
            Stage::Leaving(departure) => Some(departure),
            Stage::Answered | Stage::Undecided => None,
        }
    }
}

/// Names requests: eight hexadecimal digits of this worker's life, then a number.
#[derive(Debug)]
pub(super) struct RequestIds {
    process: u64,
    count: AtomicU64,
}

impl RequestIds {
    pub(super) fn new(process: [u8; 8]) -> Self {
        Self { process: u64::from_be_bytes(process), count: AtomicU64::new(1) }
    }

    fn next(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        format!("{:08x}-{count:08x}", self.process >> 32)
    }
}
