//! Who may come in now: places in flight and turns in time, for the whole gateway and each route.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::{Destination, JobListener, Rate, Route, Settings};
use crate::limits::{Place, Places, Standing, Turns};
use crate::telemetry::catalogue::UPSTREAM_REQUESTS_IN_FLIGHT;
use crate::telemetry::{Levels, Limit};
use crate::web::{Inbound, Subscriber};

use super::lane::Lane;

/// The counts of a configuration in force. What the one before counted goes on where the bound is
/// the same: a reload is no second helping.
pub(super) struct Turnstile {
    most_requests: usize,
    requests: Arc<Places>,
    routes: Vec<Gate>,
    jobs: Vec<JobGate>,
    sign_ins: Option<Arc<Turns>>,
    notices: Option<Arc<Turns>>,
}

/// The count of one job listener.
struct JobGate {
    name: String,
    most: usize,
    places: Arc<Places>,
}

/// The counts of one route.
struct Gate {
    name: String,
    upstream: Destination,
    most: usize,
    places: Arc<Places>,
    per_address: Option<Arc<Turns>>,
    per_session: Option<Arc<Turns>>,
}

/// A limit that was met, and when there is more for whoever met it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Over {
    pub(super) limit: Limit,
    pub(super) standing: Option<Standing>,
}

impl Over {
    /// Over a limit that has nothing to do with time.
    pub(super) fn of(limit: Limit) -> Self {
        Self { limit, standing: None }
    }
}

impl Turnstile {
    pub(super) fn new(settings: &Settings, clock: &Clock, before: Option<&Self>) -> Self {
        let crowd = &settings.limits.crowd;
        let mut routes: Vec<Gate> = Vec::new();
        for route in &settings.routes {
            let old = before.map_or(&[][..], |before| &before.routes);
            let gate = Gate::new(route, clock, &routes, old);
            routes.push(gate);
        }
        let old_jobs = before.map_or(&[][..], |before| &before.jobs);
        let jobs = settings.job_listeners.iter().map(|listener| JobGate::new(listener, old_jobs));
        let sign_ins = a_minute(crowd.sign_ins_per_minute);
        let notices = a_minute(crowd.notices_per_minute);
        Self {
            most_requests: crowd.requests,
            requests: before.map(|before| before.requests.clone()).unwrap_or_default(),
            routes,
            jobs: jobs.collect(),
            sign_ins: turns(sign_ins, clock, before.and_then(|before| before.sign_ins.as_ref())),
            notices: turns(notices, clock, before.and_then(|before| before.notices.as_ref())),
        }
    }

    /// A place for a request, before anything is decided.
    pub(super) fn enter(&self) -> Result<Place, Over> {
        self.requests.enter(self.most_requests).ok_or(Over::of(Limit::Requests))
    }

    /// A place on the way to a route's upstream, or from a job listener to the tenants.
    pub(super) fn enter_lane(&self, lane: Lane) -> Result<Place, Over> {
        let (places, most) = match lane {
            Lane::Jobs(listener) => (&self.jobs[listener].places, self.jobs[listener].most),
            Lane::Route(route) => (&self.routes[route].places, self.routes[route].most),
        };
        places.enter(most).ok_or(Over::of(Limit::UpstreamRequests))
    }

    /// A turn on a route for whoever sent the request; `None` where nothing is counted.
    pub(super) fn turn(
        &self,
        route: usize,
        inbound: &Inbound<'_>,
    ) -> Result<Option<Standing>, Over> {
        let turns = self.routes[route].per_address.as_deref();
        taken(turns, inbound.sender().map(Subscriber::number), Limit::RatePerAddress)
    }

    /// A turn on a route for a session.
    pub(super) fn session_turn(
        &self,
        route: usize,
        session: &[u8; 16],
    ) -> Result<Option<Standing>, Over> {
        let turns = self.routes[route].per_session.as_deref();
        taken(turns, Some(u128::from_be_bytes(*session)), Limit::RatePerSession)
    }

    /// A turn at the sign-in addresses. Each one may be remembered for as long as an attempt
    /// lives, and nobody alone may fill that memory.
    pub(super) fn sign_in_turn(&self, inbound: &Inbound<'_>) -> Result<(), Over> {
        let sender = inbound.sender().map(Subscriber::number);
        taken(self.sign_ins.as_deref(), sender, Limit::SignIns).map(drop)
    }

    /// A turn at the address for notices: whoever posts there has a signature verified.
    pub(super) fn notice_turn(&self, inbound: &Inbound<'_>) -> Result<(), Over> {
        let sender = inbound.sender().map(Subscriber::number);
        taken(self.notices.as_deref(), sender, Limit::Notices).map(drop)
    }

    /// Requests in flight.
    pub(super) fn requests(&self) -> usize {
        self.requests.taken()
    }

    /// Requests in flight to the upstreams of routes.
    pub(super) fn tell(&self, levels: &mut Levels) {
        let routes = self.routes.iter().map(|gate| (gate.name.as_str(), gate.places.taken()));
        let jobs = self.jobs.iter().map(|gate| (gate.name.as_str(), gate.places.taken()));
        for (name, taken) in routes.chain(jobs) {
            levels.count(&UPSTREAM_REQUESTS_IN_FLIGHT, &[name], taken);
        }
    }
}

impl JobGate {
    fn new(listener: &JobListener, before: &[Self]) -> Self {
        let name = format!("job:{}", listener.name);
        let old = before.iter().find(|gate| gate.name == name);
        let places = old.map(|gate| gate.places.clone()).unwrap_or_default();
        Self { name, most: listener.bounds.max_requests, places }
    }
}

impl Gate {
    /// Routes with the same upstream, now and before, count together.
    fn new(route: &Route, clock: &Clock, beside: &[Self], before: &[Self]) -> Self {
        let same = |gate: &&Self| gate.leads_to(&route.upstream);
        let shared = beside.iter().chain(before).find(same);
        let old = before.iter().find(|gate| gate.name == route.name);
        let bounds = &route.bounds;
        let old_address = old.and_then(|gate| gate.per_address.as_ref());
        let old_session = old.and_then(|gate| gate.per_session.as_ref());
        Self {
            name: route.name.clone(),
            upstream: route.upstream.clone(),
            most: bounds.max_requests,
            places: shared.map(|gate| gate.places.clone()).unwrap_or_default(),
            per_address: turns(bounds.per_address, clock, old_address),
            per_session: turns(bounds.per_session, clock, old_session),
        }
    }

    fn leads_to(&self, upstream: &Destination) -> bool {
        let place = |upstream: &Destination| upstream.app().map(|app| app.servers.places());
        place(&self.upstream) == place(upstream)
    }
}

/// The one with fewer turns left: what a client should go by.
pub(super) fn tighter(one: Option<Standing>, other: Option<Standing>) -> Option<Standing> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if other.remaining < one.remaining { other } else { one }),
        (one, other) => one.or(other),
    }
}

fn turns(rate: Option<Rate>, clock: &Clock, before: Option<&Arc<Turns>>) -> Option<Arc<Turns>> {
    let rate = rate?;
    let same = before.filter(|turns| turns.counts_by(rate)).cloned();
    Some(same.unwrap_or_else(|| Arc::new(Turns::new(rate, clock))))
}

fn taken(turns: Option<&Turns>, key: Option<u128>, limit: Limit) -> Result<Option<Standing>, Over> {
    let (Some(turns), Some(key)) = (turns, key) else { return Ok(None) };
    turns.take(key).map(Some).map_err(|standing| Over { limit, standing: Some(standing) })
}

/// So many a minute, and twice as many at once.
fn a_minute(per_minute: usize) -> Option<Rate> {
    let count = NonZeroU32::new(u32::try_from(per_minute).ok()?)?;
    let burst = count.saturating_mul(NonZeroU32::MIN.saturating_add(1));
    Some(Rate { count, period: Duration::from_secs(60), burst })
}
