//! One tenant's place in the cache: its ticket, and all that decides whether one is bought.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;

use crate::clock::Timestamp;

use super::back_off::Refusal;
use super::flight::{Flight, Landed, Waiting};
use super::held::{Held, TicketId};
use super::ledger::Ledger;
use super::no_ticket::NoTicket;
use super::status::TicketState;

/// A hit reads `held` and takes no lock; everything else takes this slot's own, for moments.
#[derive(Default)]
pub(super) struct Slot {
    held: ArcSwapOption<Held>,
    state: Mutex<State>,
}

/// What somebody without a ticket does next.
pub(super) enum Entry {
    Held(Arc<Held>),
    Lead(Flight, Waiting),
    Refused(NoTicket),
    Wait(Waiting),
}

/// Why a purchase brought nothing.
pub(super) enum Failed {
    /// The four of the hour are gone; seconds until there is one.
    Exhausted(u64),
    /// It only looked around, because a refusal is not over.
    Looked,
    /// We were refused, or another replica was.
    Refused(Refusal),
}

/// What a purchase must know.
pub(super) struct Knowledge {
    pub living: Option<Arc<Held>>,
    /// Whether a refusal forbids asking SuperID.
    pub blocked: bool,
    /// The last one, which may be over.
    pub refusal: Option<Refusal>,
    dead: VecDeque<TicketId>,
    doubtful: Option<TicketId>,
    /// What was bought until then counts for nothing.
    forgotten_at: Option<Timestamp>,
}

#[derive(Default)]
struct State {
    dead: VecDeque<TicketId>,
    /// Taken back because of a 403; serves again if there is no other.
    doubtful: Option<Arc<Held>>,
    exhausted_until: Option<Timestamp>,
    flight: Option<(u64, Waiting)>,
    flights: u64,
    forgotten: u64,
    forgotten_at: Option<Timestamp>,
    ledger: Ledger,
    looked: Option<Timestamp>,
    refusal: Option<Refusal>,
}

impl Slot {
    /// The ticket, if it lives.
    pub fn living(&self, now: Timestamp) -> Option<Arc<Held>> {
        self.held.load_full().filter(|held| held.is_alive(now))
    }

    /// What to do for a ticket. `looks_after` is the number of seconds after which somebody may
    /// look around although a refusal is not over; `None` where there is nowhere to look.
    pub fn enter(&self, now: Timestamp, looks_after: Option<u64>) -> Entry {
        let mut state = self.state();
        if let Some(held) = self.living(now) {
            return Entry::Held(held);
        }
        if let Some((_, waiting)) = &state.flight {
            return Entry::Wait(waiting.clone());
        }
        if let Some(refused) = state.blocked(now) {
            let rested = |then: Timestamp| {
                looks_after.is_some_and(|seconds| then.0.abs_diff(now.0) >= seconds)
            };
            if !state.looked.is_some_and(rested) {
                return Entry::Refused(refused);
            }
        }
        let (flight, waiting) = state.begin(now);
        Entry::Lead(flight, waiting)
    }

    /// A flight for a younger ticket, unless one is under way or would be in vain; then the next
    /// look is when it would not.
    pub fn renew(&self, held: &Held, now: Timestamp) -> Option<Flight> {
        let mut state = self.state();
        if let Some(until) = state.blocked_until(now) {
            held.renew_at(until);
            return None;
        }
        state.flight.is_none().then(|| state.begin(now).0)
    }

    /// The flight is over, one way or the other; those who wait may take over.
    pub fn leave(&self, number: u64) {
        let mut state = self.state();
        if state.flight.as_ref().is_some_and(|(flying, _)| *flying == number) {
            state.flight = None;
        }
    }

    /// Keeps what a flight brought and tells those who wait. What was bought before somebody said
    /// [`Slot::forget`] is told to nobody: they ask again.
    pub fn land(&self, flight: &Flight, brought: Result<Arc<Held>, Failed>, now: Timestamp) {
        let mut state = self.state();
        if state.forgotten != flight.forgotten {
            return;
        }
        let landed = match brought {
            Ok(held) => {
                state.succeed();
                self.held.store(Some(held.clone()));
                Ok(held)
            }
            Err(failed) => {
                if matches!(&failed, Failed::Refused(refusal) if refusal.kind.ends_tickets()) {
                    self.held.store(None);
                    state.doubtful = None;
                }
                state.fail(failed, now);
                self.fall_back(&mut state, now)
            }
        };
        state.flight = None;
        drop(state);
        flight.landing.send_replace(Some(landed));
    }

    /// Takes one of the hour's exchanges.
    pub fn reserve(&self, now: Timestamp) -> Result<(), Failed> {
        self.state().ledger.reserve(now).map_err(Failed::Exhausted)
    }

    /// Gives it back.
    pub fn refund(&self) {
        self.state().ledger.refund();
    }

    pub fn knowledge(&self, now: Timestamp) -> Knowledge {
        let state = self.state();
        Knowledge {
            living: self.living(now),
            blocked: state.blocked(now).is_some(),
            refusal: state.refusal.clone(),
            dead: state.dead.clone(),
            doubtful: state.doubtful.as_ref().map(|held| held.id()),
            forgotten_at: state.forgotten_at,
        }
    }

    /// SuperOffice does not take this ticket any more. Another one that is kept stays.
    pub fn bury(&self, id: TicketId) {
        let mut state = self.state();
        if state.dead.len() == DEAD {
            state.dead.pop_front();
        }
        state.dead.push_back(id);
        state.doubtful.take_if(|held| held.id() == id);
        self.take_if(id);
    }

    /// A 403 may mean that this ticket died. It is set aside, and serves again if no other can be
    /// had.
    pub fn doubt(&self, id: TicketId) {
        let mut state = self.state();
        if let Some(held) = self.take_if(id) {
            state.doubtful = Some(held);
        }
    }

    /// The ticket, refusals and flights count for nothing any more. The exchanges of the hour do.
    pub fn forget(&self, now: Timestamp) {
        let mut state = self.state();
        self.held.store(None);
        state.forgotten += 1;
        state.forgotten_at = Some(now);
        state.succeed();
        state.flight = None;
    }

    /// The ticket that is kept, dead or alive.
    pub fn current(&self) -> Option<Arc<Held>> {
        self.held.load_full()
    }

    /// What people are shown: the state, and the hour's exchanges.
    pub fn told(&self, now: Timestamp) -> (TicketState, usize) {
        let mut state = self.state();
        let count = state.ledger.count(now);
        let told = match (self.living(now), state.blocked(now)) {
            (Some(_), None) => TicketState::Living,
            (Some(_), Some(why)) => TicketState::LivingUnrenewed(why),
            (None, Some(why)) => TicketState::Refused(why),
            (None, None) if state.flight.is_some() => TicketState::Buying,
            (None, None) => TicketState::Empty,
        };
        (told, count)
    }

    /// How much is lost with this slot; the least goes first. `None` while it must stay: its hour's
    /// exchanges are still to be counted, or somebody is buying.
    pub fn worth(&self, now: Timestamp) -> Option<(bool, u64)> {
        let mut state = self.state();
        let needed = state.flight.is_some() || state.ledger.count(now) > 0;
        let living = self.living(now);
        let last_used = living.as_ref().map_or(0, |held| held.last_used().0);
        (!needed).then_some((living.is_some(), last_used))
    }

    /// Without a younger ticket, a living one serves on, also one set aside.
    fn fall_back(&self, state: &mut State, now: Timestamp) -> Landed {
        let doubtful = state.doubtful.take();
        let living = self.living(now).or_else(|| {
            let doubtful = doubtful.filter(|held| held.is_alive(now))?;
            doubtful.doubt();
            self.held.store(Some(doubtful.clone()));
            Some(doubtful)
        });
        let Some(held) = living else {
            return Err(state.blocked(now).unwrap_or(NoTicket::Stopped));
        };
        if let Some(until) = state.blocked_until(now) {
            held.renew_at(until);
        }
        Ok(held)
    }

    fn take_if(&self, id: TicketId) -> Option<Arc<Held>> {
        let held = self.held.load_full().filter(|held| held.id() == id)?;
        // Whoever stores holds the state's lock, as our caller does.
        self.held.store(None);
        Some(held)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Knowledge {
    /// Whether a ticket found elsewhere may serve here.
    pub fn takes(&self, found: &Held, now: Timestamp) -> bool {
        let younger = |held: &Arc<Held>| held.id() != found.id() && found.is_young(now);
        let wanted = self.living.as_ref().is_none_or(younger) && !self.doubts(found.id());
        wanted && found.is_alive(now) && !self.buries(found)
    }

    /// Whether a 403 cast doubt on this ticket, and another is wanted.
    fn doubts(&self, id: TicketId) -> bool {
        self.doubtful == Some(id)
    }

    /// Whether a ticket found elsewhere can serve nobody any more.
    pub fn buries(&self, found: &Held) -> bool {
        let is_ours = self.living.as_ref().is_some_and(|living| living.id() == found.id());
        let is_forgotten = !is_ours && !self.is_after_forgetting(found.bought());
        self.dead.contains(&found.id()) || is_forgotten
    }

    /// The living ticket, where the store has it not, or does not know of its use of late.
    pub fn to_slide(&self, found: Option<&Held>) -> Option<&Arc<Held>> {
        self.living.as_ref().filter(|living| {
            found.is_none_or(|found| {
                found.id() == living.id()
                    && living.last_used() >= found.last_used().plus(SLIDES_AFTER)
            })
        })
    }

    /// Whether something of that time still counts.
    pub fn is_after_forgetting(&self, then: Timestamp) -> bool {
        self.forgotten_at.is_none_or(|forgotten| then > forgotten)
    }
}

impl State {
    fn begin(&mut self, now: Timestamp) -> (Flight, Waiting) {
        self.flights += 1;
        self.looked = Some(now);
        let (flight, waiting) = Flight::new(self.flights, self.forgotten);
        self.flight = Some((flight.number, waiting.clone()));
        (flight, waiting)
    }

    fn succeed(&mut self) {
        self.doubtful = None;
        self.exhausted_until = None;
        self.refusal = None;
    }

    fn fail(&mut self, failed: Failed, now: Timestamp) {
        match failed {
            Failed::Exhausted(wait) => self.exhausted_until = Some(now.plus(wait)),
            Failed::Looked => {}
            Failed::Refused(refusal) => self.refusal = Some(refusal),
        }
    }

    fn blocked(&self, now: Timestamp) -> Option<NoTicket> {
        let exhausted = self.exhausted_until.filter(|until| now < *until);
        let refused = self.refusal.as_ref().filter(|refusal| refusal.is_active(now));
        refused.map(|refusal| refusal.told(now)).or_else(|| {
            exhausted.map(|until| NoTicket::TooManyExchanges { retry_after: until.since(now) })
        })
    }

    fn blocked_until(&self, now: Timestamp) -> Option<Timestamp> {
        let refused = self.refusal.as_ref().map(|refusal| refusal.until);
        refused.into_iter().chain(self.exhausted_until).filter(|until| now < *until).max()
    }
}

/// Seconds.
const SLIDES_AFTER: u64 = 60;
/// More than four an hour do not die of 401, and a replica does not share older ones.
const DEAD: usize = 8;
