//! What a client's connection carries from one of its requests to the next.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use crate::config::Serves;
use crate::limits::House;
use crate::web::{JobDoor, LocalUser, NamedInTls};

use super::ending::End;
use super::flow::Flow;

/// For connections that pingora serves it is kept where that lets its users keep one thing.
#[derive(Clone, Debug)]
pub struct Line {
    /// The host that TLS was asked for.
    pub named: NamedInTls,
    /// The job listener it came to.
    pub jobs: Option<Arc<JobDoor>>,
    /// Who made it, where it came through a socket in the file system.
    pub user: Option<LocalUser>,
    /// What its listener does with those who come.
    pub serves: Serves,
    house: Option<Arc<House>>,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    since: Instant,
    requests: Arc<AtomicUsize>,
    gives_way: AtomicBool,
    way: Notify,
    idle_since: Mutex<Instant>,
    idle: Notify,
    /// Rings when its client has to come anew.
    away: Notify,
    handshakes: Arc<Semaphore>,
    flows: Mutex<Vec<Weak<Flow>>>,
}

/// A request on a line, until dropped.
#[derive(Debug)]
pub(super) struct Busy(Arc<State>);

impl Line {
    /// A line that begins now, to a job listener, or to the public.
    pub fn to(jobs: Option<JobDoor>) -> Self {
        let since = Instant::now();
        let state = State {
            since,
            requests: Arc::default(),
            gives_way: AtomicBool::new(false),
            way: Notify::new(),
            idle_since: Mutex::new(since),
            idle: Notify::new(),
            away: Notify::new(),
            handshakes: Arc::new(Semaphore::new(HANDSHAKES)),
            flows: Mutex::default(),
        };
        Self {
            named: NamedInTls::default(),
            jobs: jobs.map(Arc::new),
            user: None,
            serves: Serves::Everything,
            house: None,
            state: Arc::new(state),
        }
    }

    /// The same of a user of this machine, where it is one.
    pub fn of_user(self, user: Option<LocalUser>) -> Self {
        Self { user, ..self }
    }

    /// The same at a listener that does this with those who come.
    pub fn that(self, serves: Serves) -> Self {
        Self { serves, ..self }
    }

    /// The same, giving its place up in turn when others wait for one in `house`.
    pub fn in_house(self, house: &Arc<House>) -> Self {
        Self { house: Some(house.clone()), ..self }
    }

    /// One more request is on it. Only those of HTTP/2 are counted.
    pub(super) fn enter(&self) -> Busy {
        self.state.requests.fetch_add(1, Ordering::Relaxed);
        self.takes_its_turn();
        Busy(self.state.clone())
    }

    /// Ready, once, when it has new requests while others wait for its place, and its turn has come.
    pub async fn gives_way(&self) {
        self.state.way.notified().await;
    }

    fn takes_its_turn(&self) {
        let Some(house) = &self.house else { return };
        let state = &self.state;
        if !state.gives_way.load(Ordering::Relaxed) && house.takes_turn(state.since) {
            state.gives_way.store(true, Ordering::Relaxed);
            state.way.notify_one();
        }
    }

    /// For one more answer, which will hear of the connection's end.
    pub(super) fn flow(&self) -> Arc<Flow> {
        let flow = Arc::new(Flow::new(&self.state.requests));
        let mut flows = locked(&self.state.flows);
        if flows.len() >= MANY {
            flows.retain(|flow| flow.strong_count() > 0);
        }
        flows.push(Arc::downgrade(&flow));
        drop(flows);
        flow
    }

    /// One for each handshake of TLS with an app that its requests may be at: what is remembered of
    /// the first ones makes those that come after them cheap.
    pub(super) fn handshakes(&self) -> &Arc<Semaphore> {
        &self.state.handshakes
    }

    /// Whether no request is on it.
    pub fn is_idle(&self) -> bool {
        self.state.requests.load(Ordering::Relaxed) == 0
    }

    /// When its last request ended, or it came.
    pub fn idle_since(&self) -> Instant {
        *locked(&self.state.idle_since)
    }

    /// Ready when it is idle.
    pub async fn idles(&self) {
        while !self.is_idle() {
            self.state.idle.notified().await;
        }
    }

    /// Its client has to come anew: what it proved by is not believed any more.
    pub(super) fn send_away(&self) {
        self.state.away.notify_one();
    }

    /// Ready when it has.
    pub async fn is_sent_away(&self) {
        self.state.away.notified().await;
    }

    /// Tells its answers that their time is over.
    pub fn farewell(&self) {
        let flows = std::mem::take(&mut *locked(&self.state.flows));
        flows.iter().filter_map(Weak::upgrade).for_each(|flow| flow.ends(End::Drain));
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        *locked(&self.0.idle_since) = Instant::now();
        if self.0.requests.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.idle.notify_one();
        }
    }
}

fn locked<T>(known: &Mutex<T>) -> MutexGuard<'_, T> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As many as there are sessions that rustls remembers of a server, each of which is used once.
const HANDSHAKES: usize = 8;
/// Answers remembered until those that have ended are forgotten.
const MANY: usize = 128;
