//! Refreshes under way, one for each session, and everybody who waits for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// What became of a refresh: the same for everybody who waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landed {
    /// The session is over.
    Ended,
    /// Nobody could be asked; the session is as it was.
    Outage,
    /// Whoever asks for the session gets the new one.
    Refreshed,
}

/// Those under way in this process.
#[derive(Debug)]
pub(super) struct Flights {
    places: Mutex<HashMap<[u8; 16], Waiting>>,
    /// Sessions whose token was sent and no answer came, and in which round.
    doubts: Mutex<HashMap<[u8; 16], u32>>,
    /// How many tasks there are that should come to their end.
    tasks: watch::Sender<usize>,
}

/// The side of whoever refreshes. Dropped before it has landed, those who wait find out and one of
/// them begins anew: the task dies with the runtime it runs on, the need does not.
pub(super) struct Flight {
    flights: Arc<Flights>,
    id: [u8; 16],
    landing: watch::Sender<Option<Landed>>,
}

/// The side of those who wait, on whatever runtime.
#[derive(Clone, Debug)]
pub struct Waiting(watch::Receiver<Option<Landed>>);

/// A task that a process which stops waits for.
pub(super) struct Task(Arc<Flights>);

impl Flights {
    pub fn new() -> Arc<Self> {
        let (places, doubts) = (Mutex::default(), Mutex::default());
        Arc::new(Self { places, doubts, tasks: watch::Sender::new(0) })
    }

    /// The refresh of a session that is under way, and the flight itself for the one who begins it.
    pub fn join(self: &Arc<Self>, id: [u8; 16]) -> (Waiting, Option<Flight>) {
        let mut places = lock(&self.places);
        if let Some(waiting) = places.get(&id) {
            return (waiting.clone(), None);
        }
        let (landing, waiting) = watch::channel(None);
        places.insert(id, Waiting(waiting.clone()));
        let flight = Flight { flights: self.clone(), id, landing };
        (Waiting(waiting), Some(flight))
    }

    /// Remembers that nobody knows what became of a token.
    pub fn doubt(&self, id: [u8; 16], round: u32) {
        let mut doubts = lock(&self.doubts);
        if doubts.len() < MOST_DOUBTS || doubts.contains_key(&id) {
            doubts.insert(id, round);
        }
    }

    /// Whether nobody knows what became of a token of this round; it is asked for once.
    pub fn is_in_doubt(&self, id: &[u8; 16], round: u32) -> bool {
        let mut doubts = lock(&self.doubts);
        doubts.remove(id).is_some_and(|known| known == round)
    }

    /// A task more.
    pub fn task(self: &Arc<Self>) -> Task {
        self.tasks.send_modify(|tasks| *tasks += 1);
        Task(self.clone())
    }

    /// Waits until there are none, but not for ever.
    pub async fn settled(&self) {
        let mut tasks = self.tasks.subscribe();
        let _whatever_is_left = timeout(PATIENCE, tasks.wait_for(|tasks| *tasks == 0)).await;
    }
}

impl Flight {
    /// Tells everybody who waits. Whoever comes from now on begins another, which looks first whether
    /// there is something newer.
    pub fn land(self, landed: Landed) {
        lock(&self.flights.places).remove(&self.id);
        self.landing.send_replace(Some(landed));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut places = lock(&self.flights.places);
        // After a landing there may be another one in its place.
        if places.get(&self.id).is_some_and(|waiting| waiting.is_of(&self.landing)) {
            places.remove(&self.id);
        }
    }
}

impl Waiting {
    /// What became of it; `None` when it came down half way, or takes too long.
    pub async fn landed(mut self, patience: Duration) -> Option<Landed> {
        *timeout(patience, self.0.wait_for(Option::is_some)).await.ok()?.ok()?
    }

    fn is_of(&self, landing: &watch::Sender<Option<Landed>>) -> bool {
        self.0.same_channel(&landing.subscribe())
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.tasks.send_modify(|tasks| *tasks -= 1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sessions whose token is in doubt, at most: beyond that a refusal ends a session at once.
const MOST_DOUBTS: usize = 10_000;
/// How long a process that stops waits for tokens that are on their way.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn one_flies_and_everybody_hears() {
        let flights = Flights::new();
        let (first, flight) = flights.join([1; 16]);
        let (second, none) = flights.join([1; 16]);
        assert!(none.is_none() && flights.join([2; 16]).1.is_some());
        flight.unwrap().land(Landed::Refreshed);
        assert_eq!(first.landed(LONG).await, Some(Landed::Refreshed));
        assert_eq!(second.landed(LONG).await, Some(Landed::Refreshed));
        assert!(flights.join([1; 16]).1.is_some(), "another may begin");
    }

    #[tokio::test]
    async fn one_that_comes_down_half_way_makes_room_for_another() {
        let flights = Flights::new();
        let (waiting, flight) = flights.join([1; 16]);
        drop(flight);
        assert_eq!(waiting.landed(LONG).await, None);
        assert!(flights.join([1; 16]).1.is_some());
    }

    #[tokio::test]
    async fn a_process_that_stops_waits_for_what_is_on_its_way() {
        let flights = Flights::new();
        let task = flights.task();
        let (ended, _) = tokio::join!(flights.settled(), async { drop(task) });
        assert_eq!(((), ended), ((), ()));
        assert_eq!(*flights.tasks.borrow(), 0);
    }

    #[test]
    fn a_doubt_is_about_one_round_and_asked_for_once() {
        let flights = Flights::new();
        flights.doubt([1; 16], 4);
        assert!(!flights.is_in_doubt(&[2; 16], 4));
        assert!(flights.is_in_doubt(&[1; 16], 4) && !flights.is_in_doubt(&[1; 16], 4));
        flights.doubt([1; 16], 4);
        assert!(!flights.is_in_doubt(&[1; 16], 6));
    }
}
