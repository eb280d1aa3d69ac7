//! The programs that call, over kept connections, and the weather they call in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::call::Call;
use crate::connection::Connection;
use crate::counts::{Counts, Outcome};
use crate::weather::Weather;
use crate::world::{APPS, World};

pub struct Callers {
    shared: Arc<Shared>,
    /// Each to the listener of the app of this number.
    connections: Vec<(usize, Connection)>,
}

struct Shared {
    world: Arc<World>,
    counts: Arc<Counts>,
    /// The number of the next call.
    next: AtomicU64,
    /// Where this turn ends.
    end: AtomicU64,
}

impl Callers {
    pub fn new(world: Arc<World>, counts: Arc<Counts>) -> Self {
        let connection = |number: usize| {
            let app = number % APPS.len();
            (app, Connection::new(world.listener(&APPS[app])))
        };
        let connections = (0..CONNECTIONS).map(connection).collect();
        let (next, end) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { shared: Arc::new(Shared { world, counts, next, end }), connections }
    }

    /// How many calls there were.
    pub fn made(&self) -> u64 {
        self.shared.end.load(Ordering::Relaxed)
    }

    /// The calls of one turn, while the weather changes and the clock stands still.
    pub async fn turn(&mut self, weather: &mut Weather) {
        let plan = self.shared.world.plan;
        let begin = self.made();
        let end = begin + plan.calls_of_a_turn();
        self.shared.next.store(begin, Ordering::Relaxed);
        self.shared.end.store(end, Ordering::Relaxed);
        let mut clients = JoinSet::new();
        for (app, connection) in self.connections.drain(..) {
            clients.spawn(client(self.shared.clone(), app, connection));
        }
        let step = plan.calls_of_a_turn() / plan.changes as u64;
        let mut due = begin;
        while due < end {
            if self.shared.next.load(Ordering::Relaxed) >= due {
                weather.change(&self.shared.world);
                due += step;
            } else {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        self.connections = clients.join_all().await;
    }
}

/// Calls until the turn is over, and gives its connection back.
async fn client(
    shared: Arc<Shared>,
    app: usize,
    mut connection: Connection,
) -> (usize, Connection) {
    let mut seen: BTreeMap<Outcome, u64> = BTreeMap::new();
    let end = shared.end.load(Ordering::Relaxed);
    loop {
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        if number >= end {
            break;
        }
        let call = Call::new(&shared.world, app, number);
        let asked = connection.ask(call.request()).await;
        match asked.map(|answer| call.judge(&answer)) {
            Ok(Ok(outcome)) => *seen.entry(outcome).or_default() += 1,
            Ok(Err(wrong)) => shared.counts.wrong(wrong),
            Err(error) => shared.counts.wrong(format!("{call:?}: no answer: {error:?}")),
        }
    }
    shared.counts.add(seen);
    (app, connection)
}

const CONNECTIONS: usize = 128;
