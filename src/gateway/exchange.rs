//! What is known of one request while it lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::identity::ContextId;
use crate::limits::{Place, Turn};
use crate::superid::SoapCall;
use crate::telemetry::Outcome;
use crate::web::Client;

use super::calls::Call;
use super::chosen::Chosen;
use super::flow::Flow;
use super::lane::Lane;
use super::line::Busy;
use super::respond::Refused;
use super::site::Site;
use super::tunnel::Silence;
use super::verdict::Departure;

/// One request and its answer. Begins undecided, and what is undecided does not leave.
pub struct Exchange {
    pub(super) site: Arc<Site>,
    pub(super) request_id: String,
    pub(super) started: Instant,
    pub(super) client: Option<Client>,
    pub(super) stage: Stage,
    /// Where it was decided to go, even if there was no room.
    pub(super) lane: Option<Lane>,
    /// The call to a tenant it has become.
    pub(super) call: Option<Box<Call>>,
    /// The envelope it is about to send.
    pub(super) soap: Option<SoapCall>,
    /// Its turn with that tenant.
    pub(super) turn: Option<Turn>,
    /// Why a call could not be made after all.
    pub(super) refused: Option<Refused>,
    /// How often it was sent once more.
    pub(super) again: usize,
    /// Bytes of the body that came so far.
    pub(super) body: usize,
    /// What it takes while it lives: a place in all, and one on the way to the app.
    pub(super) places: [Option<Place>; 2],
    /// How long the way to the app may be silent, where it may become a tunnel.
    pub(super) silence: Option<Arc<Silence>>,
    /// How far its answer has come, where the app is read as the client takes.
    pub(super) flow: Option<Arc<Flow>>,
    /// Which of the app's servers it went to.
    pub(super) chosen: Chosen,
    /// That it is on its connection, over HTTP/2.
    pub(super) busy: Option<Busy>,
    /// How it ended, should the process end meanwhile.
    pub(super) outcome: Outcome,
    /// What went wrong, for the log.
    pub(super) detail: Option<String>,
}

/// How far a request has come.
#[derive(Debug)]
pub(super) enum Stage {
    Answered,
    /// A background job's call, to the job listener of this number.
    Calling(usize),
    Leaving(Box<Departure>),
    Undecided,
}

impl Exchange {
    pub(super) fn new(site: Arc<Site>, ids: &RequestIds) -> Self {
        Self {
            site,
            request_id: ids.next(),
            started: Instant::now(),
            client: None,
            stage: Stage::Undecided,
            lane: None,
            call: None,
            soap: None,
            turn: None,
            refused: None,
            again: 0,
            body: 0,
            places: [None, None],
            silence: None,
            flow: None,
            chosen: Chosen::default(),
            busy: None,
            outcome: Outcome::Cut,
            detail: None,
        }
    }

    /// What it is called in the log, by where it goes.
    pub(super) fn lane_name(&self) -> Option<&str> {
        match &self.stage {
            Stage::Calling(number) => Some(&self.site.settings.job_listeners[*number].name),
            Stage::Leaving(departure) => Some(&self.site.route(departure.route()).name),
            Stage::Answered | Stage::Undecided => None,
        }
    }

    /// The tenant it is about, once that is decided.
    pub(super) fn tenant(&self) -> Option<&ContextId> {
        let of_call = self.call.as_ref().map(|call| call.tenant());
        of_call.or_else(|| self.departure().and_then(Departure::tenant))
    }

    /// The departure, when the verdict was to leave.
    pub(super) fn departure(&self) -> Option<&Departure> {
        match &self.stage {
            Stage::Leaving(departure) => Some(departure),
            Stage::Answered | Stage::Calling(_) | Stage::Undecided => None,
        }
    }
}

/// A request that is dropped before its end was told has been cut.
impl Drop for Exchange {
    fn drop(&mut self) {
        if self.site.metrics.drain().has_begun() {
            self.site.metrics.drained(self.outcome);
        }
    }
}

/// Names requests: eight hexadecimal digits of this worker's life, then a number of at least eight.
#[derive(Debug)]
pub(super) struct RequestIds {
    /// With the dash after it.
    process: String,
    count: AtomicU64,
}

impl RequestIds {
    pub(super) fn new(process: [u8; 4]) -> Self {
        let process = format!("{:08x}-", u32::from_be_bytes(process));
        Self { process, count: AtomicU64::new(1) }
    }

    fn next(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let digits = (64 - count.leading_zeros()).div_ceil(4).max(8);
        let mut name = String::with_capacity(self.process.len() + 16);
        name.push_str(&self.process);
        for place in (0..digits).rev() {
            name.push(char::from(HEXADECIMAL[(count >> (4 * place) & 0xf) as usize]));
        }
        name
    }
}

const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_numbered_in_hexadecimal_without_end() {
        let ids = RequestIds::new([0x0a, 0, 0, 1]);
        assert_eq!(ids.next(), "0a000001-00000001");
        ids.count.store(0x1_2345_6789, Ordering::Relaxed);
        assert_eq!(ids.next(), "0a000001-123456789");
    }
}
