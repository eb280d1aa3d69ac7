//! What people have open, and whether their sessions live: each worker looks after its own.
//!
//! One look for all of them, twice a second, and none while there is nothing: no request has a timer
//! or a task for it. Where sessions are in the store that replicas share, that is asked between looks.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::clock::Timestamp;
use crate::session::{Question, SessionState};
use crate::telemetry::Unfit;

use super::ending::End;
use super::flow::Flow;
use super::site::Site;
use super::tunnel::Silence;

/// Requests of one worker's that are on their way under a session.
#[derive(Default)]
pub struct Living {
    open: Mutex<Open>,
    /// Rings when there is something again.
    some: Notify,
}

#[derive(Default)]
struct Open {
    places: Vec<Option<Entry>>,
    free: Vec<u32>,
}

struct Entry {
    site: Arc<Site>,
    session: Arc<SessionState>,
    /// When the session was last in use, as far as this request says.
    seen: Timestamp,
    leash: Leash,
    host: u32,
    /// Whether it is a tunnel, or was there at an earlier look, and counts as [open](super::in_use).
    stays: bool,
}

/// By which a request is told that its session is over.
pub(super) enum Leash {
    Answer(Weak<Flow>),
    Tunnel(Weak<Silence>),
}

/// A place among those looked after, until dropped.
pub(super) struct Held {
    living: Arc<Living>,
    place: u32,
}

/// Under which session a request is on its way.
pub(super) struct Under<'a> {
    pub(super) site: &'a Arc<Site>,
    pub(super) host: usize,
    pub(super) session: &'a Arc<SessionState>,
    pub(super) seen: Timestamp,
}

impl Living {
    /// Looks after a request.
    pub(super) fn hold(self: &Arc<Self>, under: Under<'_>, leash: Leash) -> Held {
        let is_to_stay = matches!(leash, Leash::Tunnel(_));
        let mut entry = Entry {
            site: under.site.clone(),
            session: under.session.clone(),
            seen: under.seen,
            leash,
            host: under.host as u32,
            stays: false,
        };
        if is_to_stay {
            entry.stays();
        }
        let mut open = self.open();
        let was_empty = open.is_empty();
        let place = open.put(entry);
        drop(open);
        if was_empty {
            self.some.notify_one();
        }
        Held { living: self.clone(), place }
    }

    /// Closes what belongs to sessions that are over, for as long as it is waited for.
    pub async fn watch(&self, site: &ArcSwap<Site>) {
        tokio::join!(self.looks(site), self.asks(site));
    }

    async fn looks(&self, site: &ArcSwap<Site>) {
        loop {
            while self.open().is_empty() {
                self.some.notified().await;
            }
            sleep(BETWEEN_LOOKS).await;
            self.look(&site.load_full());
        }
    }

    /// Answers are kept for a moment: what is asked here is known at the next look.
    async fn asks(&self, site: &ArcSwap<Site>) {
        loop {
            sleep(BETWEEN_QUESTIONS).await;
            let mut asking = JoinSet::new();
            for question in self.questions(&site.load_full()) {
                if asking.len() >= ASKED_AT_ONCE {
                    asking.join_next().await;
                }
                asking.spawn(question.ask());
            }
            while asking.join_next().await.is_some() {}
        }
    }

    fn look(&self, now_in_force: &Arc<Site>) {
        let mut open = self.open();
        for entry in open.places.iter_mut().flatten() {
            entry.stays();
            if let Some(why) = entry.over(now_in_force) {
                if why == Unfit::Ended {
                    entry.site.refresher.revoke(&entry.session);
                }
                entry.leash.tell(End::Session(why));
            }
        }
    }

    /// One for each session that has had something open for a while.
    fn questions(&self, now_in_force: &Arc<Site>) -> Vec<Question> {
        let mut asked = HashSet::new();
        let open = self.open();
        let stay = open.places.iter().flatten().filter(|entry| entry.stays);
        stay.filter(|entry| asked.insert(entry.session.id))
            .filter_map(|entry| {
                let (site, host) = entry.judged_by(now_in_force);
                site.hosts[host].authenticator.sessions().question_about(entry.session.id)
            })
            .collect()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn is_empty(&self) -> bool {
        self.places.len() == self.free.len()
    }

    fn put(&mut self, entry: Entry) -> u32 {
        if let Some(place) = self.free.pop() {
            self.places[place as usize] = Some(entry);
            return place;
        }
        self.places.push(Some(entry));
        (self.places.len() - 1) as u32
    }

    fn take(&mut self, place: u32) -> Option<Entry> {
        let entry = self.places.get_mut(place as usize)?.take();
        self.free.push(place);
        if self.is_empty() && self.places.len() > FEW {
            *self = Self::default();
        }
        entry
    }
}

impl Entry {
    fn stays(&mut self) {
        if !self.stays {
            self.stays = true;
            self.site.in_use.enters(self.session.id, self.seen);
        }
    }

    fn over(&self, now_in_force: &Arc<Site>) -> Option<Unfit> {
        let (site, host) = self.judged_by(now_in_force);
        let seen = self.site.in_use.last(self.session.id).unwrap_or(self.seen);
        let sessions = site.hosts[host].authenticator.sessions();
        sessions.over(&self.session, seen, site.clock.now())
    }

    /// The configuration in force says whether a session lives, and that of the request where its host
    /// is served no more.
    fn judged_by<'a>(&'a self, now_in_force: &'a Arc<Site>) -> (&'a Site, usize) {
        let host = self.host as usize;
        if Arc::ptr_eq(&self.site, now_in_force) {
            return (now_in_force, host);
        }
        let authority = self.site.hosts[host].host.origin.authority();
        match now_in_force.table.host(authority) {
            Some(host) => (now_in_force, host),
            None => (&self.site, host),
        }
    }
}

impl Leash {
    fn tell(&self, end: End) {
        match self {
            Self::Answer(flow) => flow.upgrade().into_iter().for_each(|flow| flow.ends(end)),
            Self::Tunnel(silence) => {
                silence.upgrade().into_iter().for_each(|silence| silence.ends(end));
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let entry = self.living.open().take(self.place);
        if let Some(entry) = entry.filter(|entry| entry.stays) {
            entry.site.in_use.leaves(entry.session.id);
        }
    }
}

impl fmt::Debug for Living {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.open();
        write!(out, "Living({} open)", open.places.len() - open.free.len())
    }
}

/// With what a look takes: within a second of its end, nothing of a session is open on the machine.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);
/// With a look and an answer: within five seconds nothing of a session is open that ended elsewhere.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(3);
/// To the store that replicas share.
const ASKED_AT_ONCE: usize = 64;
/// Places that are kept when there is nothing.
const FEW: usize = 1024;

#[cfg(test)]
mod tests {
    use super::super::in_use::InUse;
    use super::*;

    #[test]
    fn a_place_among_what_is_open_is_small() {
        let living = Living::default();
        let mut open = living.open();
        // As the list grows while ten thousand come: what it has allocated, by each of them.
        (0..10_000).for_each(|_| open.places.push(None));
        let places = open.places.capacity() * size_of::<Option<Entry>>() / 10_000;
        let stays = InUse::BYTES;
        let held = size_of::<Held>();
        println!(
            "{places} bytes a place, {held} with its request, {stays} for a session that stays"
        );
        assert!(places + held < 130, "{places} and {held}");
        assert!(stays <= 32, "{stays}");
    }
}
