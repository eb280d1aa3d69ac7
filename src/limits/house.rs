//! A house with so many rooms: who waits at its doors when it is full, and who inside goes.

use std::array;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use super::{Place, Places};

/// Rooms, with one guest at a time in each. When all are taken, whoever waits at a door has idle
/// guests asked to go, the longest idle first, and busy ones to make the answer they are at their
/// last: so few each second that coming and going never costs more than serving.
#[derive(Debug)]
pub struct House {
    rooms: Arc<Places>,
    /// Doors at which somebody waits.
    waiting: AtomicUsize,
    /// How many busy guests may still be asked to go.
    turns: AtomicUsize,
    /// Nobody went while the last one waited: the next does not wait as long.
    stuck: AtomicBool,
    left: Notify,
    lobbies: [Lobby; LOBBIES],
    lobbies_open: AtomicUsize,
    /// Where idle guests are asked next.
    next: AtomicUsize,
}

/// One guest; the room is free again when dropped.
#[derive(Debug)]
pub struct Guest {
    house: Arc<House>,
    room: Option<Place>,
}

/// Where idle guests sit, in the order they came in.
#[derive(Debug, Default)]
struct Lobby {
    asked: Notify,
    /// How many more may hand the question on.
    hops: AtomicUsize,
}

impl Default for House {
    fn default() -> Self {
        Self {
            rooms: Arc::default(),
            waiting: AtomicUsize::new(0),
            turns: AtomicUsize::new(0),
            stuck: AtomicBool::new(false),
            left: Notify::new(),
            lobbies: array::from_fn(|_| Lobby::default()),
            lobbies_open: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
        }
    }
}

impl House {
    /// The number of a lobby for the idle guests of one more thread.
    pub fn open_lobby(&self) -> usize {
        self.lobbies_open.fetch_add(1, Ordering::Relaxed) % LOBBIES
    }

    /// How many are in.
    pub fn guests(&self) -> usize {
        self.rooms.taken()
    }

    /// Lets one in, unless `most` are.
    pub fn enter(self: &Arc<Self>, most: usize) -> Option<Guest> {
        let room = self.rooms.enter(most)?;
        Some(Guest { house: self.clone(), room: Some(room) })
    }

    /// Waits for a room, up to ten seconds, and has guests asked to go. Where nobody went when the
    /// one before waited, there is an answer at once.
    pub async fn wait(self: &Arc<Self>, most: usize) -> Option<Guest> {
        let _waiting = Waiting::at(self);
        let patience = if self.stuck.load(Ordering::Relaxed) { PAUSE } else { PATIENCE };
        let end = Instant::now() + patience;
        loop {
            self.ask_idle();
            self.turns.store(self.waiting.load(Ordering::Relaxed), Ordering::Relaxed);
            let _nobody_left = timeout(PAUSE, self.left.notified()).await;
            if let Some(guest) = self.enter(most) {
                self.stuck.store(false, Ordering::Relaxed);
                return Some(guest);
            }
            if Instant::now() >= end {
                self.stuck.store(true, Ordering::Relaxed);
                return None;
            }
        }
    }

    /// Ready when a guest in a lobby, idle since `since`, has been asked to go and has been idle
    /// for a second. If there still is a [`House::queue`] it goes.
    pub async fn asked(&self, lobby: usize, since: Instant) {
        self.lobbies[lobby].asked.notified().await;
        sleep_until(since + STAY).await;
    }

    /// Whether anybody waits.
    pub fn queue(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Hands the question on to the next in the lobby: this one cannot go.
    pub fn stays(&self, lobby: usize) {
        let lobby = &self.lobbies[lobby];
        let less = |hops: usize| hops.checked_sub(1);
        if lobby.hops.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            lobby.asked.notify_one();
        }
    }

    /// Whether a busy guest that came at `since` is to go after the answer it is at.
    pub fn takes_turn(&self, since: Instant) -> bool {
        if self.turns.load(Ordering::Relaxed) == 0 || since.elapsed() < STAY {
            return false;
        }
        let less = |turns: usize| turns.checked_sub(1);
        self.turns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    fn ask_idle(&self) {
        let open = self.lobbies_open.load(Ordering::Relaxed).clamp(1, LOBBIES);
        let lobby = &self.lobbies[self.next.fetch_add(1, Ordering::Relaxed) % open];
        lobby.hops.store(HOPS, Ordering::Relaxed);
        lobby.asked.notify_one();
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        drop(self.room.take());
        if self.house.queue() {
            self.house.left.notify_one();
        }
    }
}

/// Somebody at a door.
struct Waiting<'a>(&'a House);

impl<'a> Waiting<'a> {
    fn at(house: &'a House) -> Self {
        house.waiting.fetch_add(1, Ordering::Relaxed);
        Self(house)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.0.waiting.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.turns.store(0, Ordering::Relaxed);
        }
    }
}

/// Who has been idle as long, or came as long ago and is busy, may be asked to go.
const STAY: Duration = Duration::from_secs(1);
/// How long somebody waits at a door.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(10);
/// How often one question is handed on.
const HOPS: usize = 64;
/// More threads than that share.
const LOBBIES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    use tokio::time::sleep;

    /// An idle guest: goes when asked, once it has been idle for long enough.
    async fn idle(house: Arc<House>, guest: Guest, since: Instant) -> Duration {
        loop {
            house.asked(0, since).await;
            if house.queue() {
                drop(guest);
                return since.elapsed();
            }
        }
    }

    fn full(most: usize) -> (Arc<House>, Vec<Guest>) {
        let house = Arc::new(House::default());
        assert_eq!(house.open_lobby(), 0);
        let guests = (0..most).filter_map(|_| house.enter(most)).collect();
        (house, guests)
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_goes_first_and_only_as_many_go_as_come() {
        let (house, mut guests) = full(3);
        let last = guests.pop().unwrap();
        let first = tokio::spawn(idle(house.clone(), guests.pop().unwrap(), Instant::now()));
        sleep(Duration::from_secs(30)).await;
        let second = tokio::spawn(idle(house.clone(), guests.pop().unwrap(), Instant::now()));
        sleep(Duration::from_secs(5)).await;
        let _came = house.wait(3).await.unwrap();
        assert_eq!(first.await.unwrap().as_secs(), 35);
        assert!(!second.is_finished());
        let _came_too = house.wait(3).await.unwrap();
        assert_eq!(second.await.unwrap().as_secs(), 5);
        assert_eq!(house.guests(), 3);
        drop(last);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_just_become_idle_is_left_alone() {
        let (house, mut guests) = full(1);
        let fresh = tokio::spawn(idle(house.clone(), guests.pop().unwrap(), Instant::now()));
        let began = Instant::now();
        assert!(house.wait(1).await.is_some());
        assert!(began.elapsed() >= STAY && began.elapsed() < 2 * STAY, "{:?}", began.elapsed());
        assert!(fresh.await.unwrap() >= STAY);
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_is_handed_on_by_those_who_cannot_go() {
        let (house, mut guests) = full(3);
        for _ in 0..2 {
            let (house, guest) = (house.clone(), guests.pop().unwrap());
            tokio::spawn(async move {
                loop {
                    house.asked(0, Instant::now()).await;
                    house.stays(0);
                    assert!(house.guests() <= 3, "{guest:?}");
                }
            });
        }
        let last = tokio::spawn(idle(house.clone(), guests.pop().unwrap(), Instant::now()));
        sleep(2 * STAY).await;
        assert!(house.wait(3).await.is_some());
        assert!(last.await.unwrap() < 4 * STAY);
    }

    #[tokio::test(start_paused = true)]
    async fn busy_guests_go_in_turn_and_none_does_where_nobody_waits() {
        let (house, mut guests) = full(2);
        let since = Instant::now();
        sleep(2 * STAY).await;
        assert!(!house.takes_turn(since), "nobody waits");
        let busy = async {
            while !house.takes_turn(since) {
                assert!(!house.takes_turn(Instant::now()), "who has just come may stay");
                sleep(Duration::from_millis(3)).await;
            }
            drop(guests.pop());
        };
        let (came, ()) = tokio::join!(house.wait(2), busy);
        assert!(came.is_some());
        assert!(!house.takes_turn(since), "one came, and one went");
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_goes_the_first_waits_and_the_next_hear_so_at_once() {
        let (house, mut guests) = full(1);
        for most in [PATIENCE + PAUSE, 2 * PAUSE] {
            let began = Instant::now();
            assert!(house.wait(1).await.is_none());
            assert!(began.elapsed() <= most, "{:?}", began.elapsed());
        }
        let since = Instant::now();
        sleep(2 * STAY).await;
        let leaving = async {
            sleep(PAUSE / 2).await;
            assert!(house.takes_turn(since), "who can go again is asked");
            guests.clear();
        };
        let (came, ()) = tokio::join!(house.wait(1), leaving);
        assert!(came.is_some());
    }
}
