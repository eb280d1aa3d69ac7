//! What is counted of one route, found once when a configuration is assembled.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::catalogue::{REQUEST_DURATION, REQUESTS, UPSTREAM_REQUESTS, UPSTREAM_RESPONSE};
use super::registry::Registry;
use super::series::{Counter, Histogram};

/// The counters of one route. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub struct RouteMetrics(Arc<Counters>);

#[derive(Debug)]
struct Counters {
    /// By whose answer it was, then by the first digit of the status; 0 for no answer at all.
    requests: Requests,
    times: Histogram,
    in_flight: AtomicUsize,
    upstream: [Counter; 4],
    upstream_times: Histogram,
}

type Requests = [[Option<Counter>; 6]; 4];

/// Whose answer a request got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// The app's or tenant's.
    Passed,
    /// Ours: a page, a redirect, a word where to sign in.
    #[default]
    Ours,
    /// Ours, which says why not: refused here, or failed on its way.
    Refused,
    /// Nobody's: the client left before there was one.
    Left,
}

/// How asking an app or tenant went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The head of an answer came, whatever it says.
    Answered,
    /// There was no connection, or it ended before an answer.
    Failed,
    /// The client left, or sent nonsense, before there was an answer.
    GivenUp,
    TimedOut,
}

/// One request of a route, in flight until dropped.
#[derive(Debug)]
pub struct InFlight(Arc<Counters>);

impl RouteMetrics {
    /// The counters of a route. What is answered as it should be is answered by its app.
    pub(super) fn of(registry: &Registry, route: &str) -> Self {
        Self(Arc::new(Counters {
            requests: requests(registry, route, &without(Answer::Ours)),
            times: registry.histogram(&REQUEST_DURATION, &[route]),
            in_flight: AtomicUsize::new(0),
            upstream: ASKED.map(|how| registry.counter(&UPSTREAM_REQUESTS, &[route, how])),
            upstream_times: registry.histogram(&UPSTREAM_RESPONSE, &[route]),
        }))
    }

    /// The counters of what goes to no app: nobody is asked, and nothing is passed.
    pub(super) fn of_own(registry: &Registry, route: &str) -> Self {
        Self(Arc::new(Counters {
            requests: requests(registry, route, &without(Answer::Passed)),
            times: registry.histogram(&REQUEST_DURATION, &[route]),
            in_flight: AtomicUsize::new(0),
            upstream: Default::default(),
            upstream_times: Histogram::new(&[]),
        }))
    }

    /// A request is on its way; it is in flight while what is returned lives.
    pub fn enter(&self) -> InFlight {
        self.0.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self.0.clone())
    }

    /// How many are in flight.
    pub fn in_flight(&self) -> usize {
        self.0.in_flight.load(Ordering::Relaxed)
    }

    /// A request ended with this status, 0 when the client left before an answer, after this time. That
    /// of a WebSocket is the length of a visit, and not counted among the times.
    pub fn answered(&self, answer: Answer, status: u16, micros: u64) {
        let class = usize::from(status / 100).min(5);
        let answer = if class == 0 { Answer::Left } else { answer };
        // A status no answer of that kind has is counted where it stands out.
        let counter = &self.0.requests[answer as usize][class];
        let counter = counter.as_ref().or(self.0.requests[Answer::Refused as usize][5].as_ref());
        counter.into_iter().for_each(Counter::inc);
        if status != 101 {
            self.0.times.observe(micros);
        }
    }

    /// An app or tenant was asked, and no answer came.
    pub fn asked(&self, how: Asked) {
        self.0.upstream[how as usize].inc();
    }

    /// The head of an answer came, after this time.
    pub fn upstream_answered(&self, after: Duration) {
        self.asked(Asked::Answered);
        self.0.upstream_times.observe(after.as_micros() as u64);
    }
}

fn requests(registry: &Registry, route: &str, answers: &[Told; 4]) -> Requests {
    answers.map(|(answer, statuses)| {
        STATUSES.map(|status| {
            let told = statuses.contains(&status);
            told.then(|| registry.counter(&REQUESTS, &[route, status, answer]))
        })
    })
}

/// What may become of a request, without a kind of answer that does not occur there.
fn without(answer: Answer) -> [Told; 4] {
    let mut answers = ANSWERS;
    answers[answer as usize].1 = &[];
    answers
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) const STATUSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];
/// What an answer of a kind is called, and the classes of status it may have.
type Told = (&'static str, &'static [&'static str]);
/// In the order of [`Answer`].
const ANSWERS: [Told; 4] = [
    ("passed", &["1xx", "2xx", "3xx", "4xx", "5xx"]),
    ("answered", &["2xx", "3xx", "4xx"]),
    ("refused", &["4xx", "5xx"]),
    ("left", &["none"]),
];
/// In the order of [`Asked`].
const ASKED: [&str; 4] = ["answered", "failed", "given_up", "timed_out"];
