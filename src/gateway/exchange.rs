//! What is known of one request while it lives.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::identity::ContextId;
use crate::limits::{Place, Turn};
use crate::redis_link::Allowance;
use crate::superid::SoapCall;
use crate::telemetry::{Answer, Asked, Child, InFlight, Open, Outcome, Trace};
use crate::web::{Client, Described};

use super::calls::Call;
use super::chosen::Chosen;
use super::ending::End;
use super::flow::Flow;
use super::lane::Lane;
use super::line::Busy;
use super::living::{Held, Leash, Living, Under};
use super::request_id::{RequestId, RequestIds};
use super::respond::Refused;
use super::site::Site;
use super::tunnel::Silence;
use super::verdict::Departure;

/// One request and its answer. Begins undecided, and what is undecided does not leave.
pub struct Exchange {
    pub(super) site: Arc<Site>,
    pub(super) request_id: RequestId,
    pub(super) started: Instant,
    pub(super) client: Option<Client>,
    pub(super) stage: Stage,
    /// What it may still wait for the session store and its like.
    pub(super) stores: Allowance,
    /// What a proxy asked about, where one did.
    pub(super) described: Option<Arc<Described>>,
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
    /// What looks after the session it is on its way under.
    pub(super) living: Arc<Living>,
    pub(super) held: Option<Held>,
    /// Which of the app's servers it went to.
    pub(super) chosen: Chosen,
    /// That it is on its connection, over HTTP/2.
    pub(super) busy: Option<Busy>,
    /// That it is on the way its lane says.
    pub(super) in_flight: Option<InFlight>,
    /// Since when its app or tenant is asked, until that answers or fails.
    pub(super) asked: Option<Instant>,
    /// Whose answer it got.
    pub(super) answer: Answer,
    /// How it ended, should the process end meanwhile.
    pub(super) outcome: Outcome,
    /// What went wrong, for the log.
    pub(super) detail: Option<String>,
    /// The trace it is part of, where there are traces.
    pub(super) trace: Option<Arc<Trace>>,
    /// Its time with the app.
    pub(super) upstream: Option<Open>,
}

/// How far a request has come.
#[derive(Debug)]
pub(super) enum Stage {
    Answered,
    /// A background job's call, to the job listener of this number.
    Calling(usize),
    /// A proxy was told that it may pass; nothing leaves here.
    Checked(Box<Departure>),
    Leaving(Box<Departure>),
    Undecided,
}

impl Exchange {
    pub(super) fn new(site: Arc<Site>, ids: &RequestIds, living: Arc<Living>) -> Self {
        Self {
            site,
            request_id: ids.next(),
            started: Instant::now(),
            client: None,
            stage: Stage::Undecided,
            described: None,
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
            living,
            held: None,
            chosen: Chosen::default(),
            busy: None,
            in_flight: None,
            asked: None,
            answer: Answer::default(),
            outcome: Outcome::Cut,
            detail: None,
            stores: Allowance::default(),
            trace: None,
            upstream: None,
        }
    }

    /// It goes on its way, and is told there when its session is over.
    pub(super) fn is_bound(&mut self, leash: Leash) {
        let departure = self.departure();
        let under = departure.and_then(|departure| {
            let (session, seen) = departure.session()?;
            Some(Under { site: &self.site, host: departure.host(), session, seen })
        });
        self.held = under.map(|under| self.living.hold(under, leash));
    }

    /// Whose time is over, if one's is.
    pub(super) fn end(&self) -> Option<End> {
        let flow = self.flow.as_ref().and_then(|flow| flow.end());
        flow.or_else(|| self.silence.as_ref()?.end())
    }

    /// What it is called in the log, by where it goes.
    pub(super) fn lane_name(&self) -> Option<&str> {
        match &self.stage {
            Stage::Calling(number) => Some(&self.site.settings.job_listeners[*number].name),
            Stage::Checked(departure) | Stage::Leaving(departure) => {
                Some(&self.site.route(departure.route()).name)
            }
            Stage::Answered | Stage::Undecided => None,
        }
    }

    /// Takes the way of its lane.
    pub(super) fn enters(&mut self, lane: Lane) {
        self.lane = Some(lane);
        self.in_flight = Some(self.site.counters(self.lane).enter());
    }

    /// Its app or tenant has begun to answer.
    pub(super) fn was_answered(&mut self) {
        if let Some(since) = self.asked.take() {
            self.site.counters(self.lane).upstream_answered(since.elapsed());
        }
    }

    /// Its app or tenant has not answered, and will not.
    pub(super) fn was_asked_in_vain(&mut self, how: Asked) {
        if self.asked.take().is_some() {
            self.site.counters(self.lane).asked(how);
        }
    }

    /// It ended with this status, 0 where the client left before one. How long it lived.
    pub(super) fn ends(&self, status: u16) -> Duration {
        let lived = self.started.elapsed();
        self.site.counters(self.lane).answered(self.answer, status, lived.as_micros() as u64);
        if let Some(call) = &self.call {
            self.site.metrics.calls().answered(call.tenant().as_str(), status);
        }
        lived
    }

    /// Opens a part of it, where it is traced.
    pub(super) fn open(&self, child: Child) -> Option<Open> {
        self.trace.as_ref().and_then(|trace| trace.open(child))
    }

    /// The URL of the app's server that has it, or had it last.
    pub(super) fn upstream_name(&self) -> Option<String> {
        let app = self.site.route(self.departure()?.route()).upstream.app()?;
        app.servers.each.get(self.chosen.server()).map(ToString::to_string)
    }

    /// The tenant it is about, once that is decided.
    pub(super) fn tenant(&self) -> Option<&ContextId> {
        let of_call = self.call.as_ref().map(|call| call.tenant());
        of_call.or_else(|| self.permitted().and_then(Departure::tenant))
    }

    /// The departure, when the verdict was to leave.
    pub(super) fn departure(&self) -> Option<&Departure> {
        match &self.stage {
            Stage::Leaving(departure) => Some(departure),
            Stage::Answered | Stage::Calling(_) | Stage::Checked(_) | Stage::Undecided => None,
        }
    }

    /// What was permitted, whoever carries it.
    pub(super) fn permitted(&self) -> Option<&Departure> {
        match &self.stage {
            Stage::Checked(departure) | Stage::Leaving(departure) => Some(departure),
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
