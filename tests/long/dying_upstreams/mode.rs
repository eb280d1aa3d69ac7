//! What a server does with requests, and which of its pool did so when.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::plan::{NOTICED, RETURNED};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Well,
    /// Nobody listens, and what was open is closed.
    Refuses,
    /// The connection is reset once the request's head is there.
    Resets,
    /// It takes requests and says nothing.
    Hangs,
    /// It answers with 500 or 503.
    Errors,
    /// It stops in the middle of its answer's body.
    Stalls,
}

impl Mode {
    pub const ILL: [Self; 5] =
        [Self::Refuses, Self::Resets, Self::Hangs, Self::Errors, Self::Stalls];
}

/// One server, as the judge knows it.
pub struct Server {
    pub number: usize,
    mode: watch::Sender<Mode>,
    past: Mutex<Past>,
}

struct Past {
    /// When it became what, the latest last.
    turns: Vec<(Instant, Mode)>,
    was_asked: bool,
}

/// Servers that stand for one another.
pub struct Pool {
    pub servers: Vec<Server>,
    times: Mutex<Times>,
}

/// The longest times until the gateway knew.
#[derive(Clone, Copy, Default)]
pub struct Times {
    /// From a fault's begin to the last request sent there, while another server was well.
    pub noticed: [Duration; Mode::ILL.len()],
    /// From a return to the first request.
    pub returned: Duration,
    pub faults: usize,
    pub all_at_once: usize,
    pub returns: usize,
    /// Requests sent to a server that should have been known to be ill, with another well.
    pub too_late: usize,
    /// Servers that were well for longer than promised and were sent nothing.
    pub forgotten: usize,
}

impl Pool {
    pub fn new(count: usize) -> Self {
        Self { servers: (0..count).map(Server::new).collect(), times: Mutex::default() }
    }

    /// From now on the server does so.
    pub fn turn(&self, number: usize, mode: Mode) {
        let server = &self.servers[number];
        let now = Instant::now();
        let mut past = locked(&server.past);
        let (since, before) = *past.turns.last().expect("it begins well");
        let mut times = locked(&self.times);
        if before == Mode::Well && mode != Mode::Well {
            times.faults += 1;
            times.forgotten += usize::from(!past.was_asked && now - since > RETURNED);
        }
        past.was_asked = false;
        past.turns.push((now, mode));
        drop(past);
        server.mode.send_replace(mode);
        let none = self.servers.iter().all(|server| server.is() != Mode::Well);
        times.all_at_once += usize::from(none && before == Mode::Well);
    }

    /// The server was sent a request.
    pub fn asked(&self, number: usize) {
        let now = Instant::now();
        let server = &self.servers[number];
        let mut past = locked(&server.past);
        let (since, mode) = *past.turns.last().expect("it begins well");
        let first = !std::mem::replace(&mut past.was_asked, true);
        let returns = past.turns.len() > 1;
        drop(past);
        let took = now - since;
        let mut times = locked(&self.times);
        if mode == Mode::Well {
            if first && returns {
                times.returns += 1;
                times.returned = times.returned.max(took);
            }
        } else if self.had_one_well(now, now) {
            let at = Mode::ILL.iter().position(|known| *known == mode).expect("all are listed");
            times.noticed[at] = times.noticed[at].max(took);
            times.too_late += usize::from(took > NOTICED);
        }
    }

    /// Whether a server was well for all that time, and for as long before as the gateway may need to
    /// find that.
    pub fn had_one_well(&self, from: Instant, to: Instant) -> bool {
        let begin = from.checked_sub(RETURNED).unwrap_or(from);
        self.servers.iter().any(|server| server.was_well(begin, to))
    }

    /// Whether a server was ill at any time between.
    pub fn had_one_ill(&self, from: Instant, to: Instant) -> bool {
        self.servers.iter().any(|server| !server.was_well(from, to))
    }

    /// Whether a server became ill between, or shortly before: closing takes a moment on a machine that
    /// is busy.
    pub fn had_one_turning(&self, from: Instant, to: Instant) -> bool {
        let between = |at: Instant| at <= to && from.saturating_duration_since(at) < MOMENT;
        let turns = |server: &Server| {
            let past = locked(&server.past);
            past.turns.iter().any(|turn| turn.1 != Mode::Well && between(turn.0))
        };
        self.servers.iter().any(turns)
    }

    pub fn times(&self) -> Times {
        *locked(&self.times)
    }
}

impl Server {
    fn new(number: usize) -> Self {
        let turns = vec![(Instant::now() - RETURNED * 2, Mode::Well)];
        let past = Mutex::new(Past { turns, was_asked: false });
        Self { number, mode: watch::Sender::new(Mode::Well), past }
    }

    pub fn is(&self) -> Mode {
        *self.mode.borrow()
    }

    /// Ready when it is so.
    pub async fn becomes(&self, wanted: impl FnMut(&Mode) -> bool) {
        let mut mode = self.mode.subscribe();
        let _never_gone = mode.wait_for(wanted).await;
    }

    /// For how long it is what it is, in milliseconds.
    pub fn since(&self) -> (Mode, u128) {
        let past = locked(&self.past);
        let (at, mode) = past.turns.last().expect("it begins well");
        (*mode, at.elapsed().as_millis())
    }

    fn was_well(&self, from: Instant, to: Instant) -> bool {
        let past = locked(&self.past);
        let after = past.turns[1..].iter().map(|turn| Some(turn.0)).chain([None]);
        let mut spans = past.turns.iter().zip(after);
        // Latest first would be quicker; there are some hundreds at most.
        spans.all(|((begin, mode), end)| {
            *mode == Mode::Well || *begin > to || end.is_some_and(|end| end < from)
        })
    }
}

fn locked<T>(known: &Mutex<T>) -> MutexGuard<'_, T> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

const MOMENT: Duration = Duration::from_millis(100);
