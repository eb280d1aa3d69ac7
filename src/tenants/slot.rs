//! What is known of one tenant: how long it holds, and when SuperID is asked again.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

use crate::clock::{Clock, Timestamp};
use crate::config::Environment;
use crate::identity::ContextId;
use crate::superid::{Condition, StateFailed, SuperId, TenantState};
use crate::telemetry::{current, traced};

use super::{Away, AwayReason, Home};

/// One tenant of one environment.
pub(super) struct Slot {
    environment: Arc<Environment>,
    tenant: ContextId,
    /// Held by whoever is asking.
    flight: Arc<tokio::sync::Mutex<()>>,
    known: Mutex<Known>,
    touched: AtomicU64,
    /// Told where the tenant is closed.
    any_closed: Arc<AtomicBool>,
}

#[derive(Default)]
struct Known {
    answer: Option<Answer>,
    /// How the last question went, if badly, and when.
    failed: Option<(AwayReason, Timestamp)>,
    /// Somebody has reason to think that the answer does not hold any more.
    doubted: bool,
    /// How often somebody had.
    raised: u64,
    /// When doubts had SuperID asked, the latest last.
    doubts: VecDeque<Timestamp>,
}

#[derive(Clone)]
struct Answer {
    found: Result<Arc<Home>, AwayReason>,
    checked: Timestamp,
    until: Timestamp,
}

/// What SuperID says of a tenant now, and what was known of it before.
#[derive(Clone, Debug)]
pub struct Looked {
    pub before: Option<Arc<Home>>,
    pub now: Result<Arc<Home>, AwayReason>,
}

/// What to do about a question.
enum Step {
    /// Ask SuperID, and wait for what it says.
    Ask,
    /// This is known.
    Tell(Result<Arc<Home>, Away>),
    /// This is known from before; ask SuperID meanwhile.
    TellOld(Arc<Home>),
}

impl Slot {
    pub(super) fn new(environment: Arc<Environment>, tenant: ContextId) -> Self {
        let flight = Arc::new(tokio::sync::Mutex::new(()));
        let (known, touched) = (Mutex::default(), AtomicU64::new(0));
        Self { environment, tenant, flight, known, touched, any_closed: Arc::default() }
    }

    /// One that tells when its tenant is closed.
    pub(super) fn telling(self, any_closed: Arc<AtomicBool>) -> Self {
        Self { any_closed, ..self }
    }

    /// Somebody asks about the tenant.
    pub(super) fn touch(&self, now: Timestamp) {
        // Within a second there is nothing to write, and so no cache line to fight for.
        if self.touched() != now {
            self.touched.store(now.0, Ordering::Relaxed);
        }
    }

    /// When somebody last did.
    pub(super) fn touched(&self) -> Timestamp {
        Timestamp(self.touched.load(Ordering::Relaxed))
    }

    /// Where the tenant is. While SuperID fails, where it was last known to be.
    pub(super) async fn find(
        self: &Arc<Self>,
        superid: &Arc<SuperId>,
        clock: &Clock,
    ) -> Result<Arc<Home>, Away> {
        let step = self.known().step(clock.now());
        match step {
            Step::Tell(told) => told,
            Step::TellOld(home) => {
                if let Ok(flight) = self.flight.clone().try_lock_owned() {
                    drop(self.ask(superid, clock.now(), flight));
                }
                Ok(home)
            }
            Step::Ask => {
                let flight = self.flight.clone().lock_owned().await;
                // Somebody may have asked while we waited, so the time is read again too.
                let step = self.known().step(clock.now());
                if !matches!(step, Step::Tell(_)) {
                    // The task holds the flight: a caller who gives up does not take it down for the
                    // others, and one that dies with its runtime lets go of it.
                    let _stopped = self.ask(superid, clock.now(), flight).await;
                }
                self.known().told(clock.now())
            }
        }
    }

    /// Asks SuperID, unless doubts have had it asked too often. `None` where nothing new came of it.
    pub(super) async fn look(
        self: &Arc<Self>,
        superid: &Arc<SuperId>,
        clock: &Clock,
    ) -> Option<Looked> {
        let begun = clock.now();
        let before = {
            let mut known = self.known();
            known.doubt(begun);
            known.answer.as_ref().and_then(|answer| answer.found.clone().ok())
        };
        // What it tells may be from before; what was learnt is looked at below.
        let _told = self.find(superid, clock).await;
        let known = self.known();
        let new = known.failed.is_none() && !known.doubted;
        let answer = known.answer.as_ref().filter(|answer| new && answer.checked >= begun)?;
        Some(Looked { before, now: answer.found.clone() })
    }

    /// Why the tenant is closed, if it is, as far as SuperID last said. An old word has it asked meanwhile.
    pub(super) fn closed(self: &Arc<Self>, superid: &Arc<SuperId>, clock: &Clock) -> Option<Away> {
        let now = clock.now();
        let (away, step) = {
            let known = self.known();
            (known.closed(now)?, known.step(now))
        };
        if !matches!(step, Step::Tell(_))
            && Handle::try_current().is_ok()
            && let Ok(flight) = self.flight.clone().try_lock_owned()
        {
            drop(self.ask(superid, now, flight));
        }
        Some(away)
    }

    /// What is known, in a word: `usable`, or why not.
    pub(super) fn state(&self) -> &'static str {
        let known = self.known();
        match (&known.answer, &known.failed) {
            (Some(Answer { found: Ok(_), .. }), _) => "usable",
            (Some(Answer { found: Err(why), .. }), _) | (None, Some((why, _))) => why.word(),
            (None, None) => "unasked",
        }
    }

    /// Has the next question go to SuperID, unless doubts have had it asked too often.
    pub(super) fn doubt(&self, now: Timestamp) {
        self.known().doubt(now);
    }

    /// The same, if this is where we think the tenant is.
    pub(super) fn doubt_home(&self, home: &Home, now: Timestamp) {
        let mut known = self.known();
        let same = |answer: &Answer| answer.found.as_deref().is_ok_and(|known| known == home);
        if known.answer.as_ref().is_some_and(same) {
            known.doubt(now);
        }
    }

    fn ask(
        self: &Arc<Self>,
        superid: &Arc<SuperId>,
        now: Timestamp,
        flight: tokio::sync::OwnedMutexGuard<()>,
    ) -> tokio::task::JoinHandle<()> {
        let (slot, superid) = (self.clone(), superid.clone());
        let raised = self.known().raised;
        tokio::spawn(traced(current(), async move {
            let asked = superid.tenant_state(&slot.environment, &slot.tenant).await;
            slot.settle(asked, now, raised);
            drop(flight);
        }))
    }

    /// An answer may be from before a doubt that arose meanwhile: where it says nothing new, the doubt
    /// stands.
    fn settle(&self, asked: Result<TenantState, StateFailed>, now: Timestamp, raised: u64) {
        let mut known = self.known();
        let home = |known: &Known| known.answer.as_ref().and_then(|it| it.found.clone().ok());
        let before = home(&known);
        match asked {
            Ok(state) => {
                known.answer = Some(self.answer(state, now));
                known.failed = None;
                if known.closed(now).is_some() {
                    self.any_closed.store(true, Ordering::Release);
                }
            }
            Err(failed) => {
                // Once for an outage, not for each time it is met.
                if known.failed.is_none() {
                    let (tenant, cause) = (&self.tenant, cause(&failed));
                    tracing::warn!(%tenant, cause, "the tenant's state is not known: {failed}");
                }
                known.failed = Some((AwayReason::from(&failed), now));
            }
        }
        known.doubted = false;
        let same_place = match (before, home(&known)) {
            (Some(before), Some(after)) => before.origin() == after.origin(),
            _ => false,
        };
        if known.raised != raised && same_place && known.failed.is_none() {
            known.doubt(now);
        }
    }

    fn answer(&self, state: TenantState, now: Timestamp) -> Answer {
        let (found, longest) = match state.condition {
            Condition::Usable(addresses) => {
                let home = Home::new(&self.environment, &self.tenant, addresses, now);
                (Ok(Arc::new(home)), LONGEST)
            }
            Condition::Unusable(why) => (Err(why.into()), LONGEST_AWAY),
        };
        let stated = state.valid_until.unwrap_or(now);
        let until = stated.clamp(now.plus(SHORTEST), now.plus(longest));
        Answer { found, checked: now, until }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// ```text
    /// a fresh answer, not doubted        told
    /// SuperID failed a moment ago        the old home, or why there is none
    /// SuperID failed a while ago         the old home if it is not doubted, SuperID asked meanwhile
    /// anything else                      SuperID is asked
    /// ```
    fn step(&self, now: Timestamp) -> Step {
        if !self.doubted && self.answer.as_ref().is_some_and(|answer| answer.is_fresh(now)) {
            return Step::Tell(self.told(now));
        }
        match &self.failed {
            Some((_, when)) if *when <= now && now.since(*when) < COOL_DOWN => {
                Step::Tell(self.told(now))
            }
            Some(_) if !self.doubted => self.old_home(now).map_or(Step::Ask, Step::TellOld),
            _ => Step::Ask,
        }
    }

    /// The best that is known.
    fn told(&self, now: Timestamp) -> Result<Arc<Home>, Away> {
        if let Some(answer) = self.answer.as_ref().filter(|answer| answer.is_fresh(now)) {
            let retry_after = answer.until.since(now).max(1);
            return answer.found.clone().map_err(|reason| Away { reason, retry_after });
        }
        if let Some(home) = self.old_home(now) {
            return Ok(home);
        }
        let reason = self.failed.map_or(AwayReason::Outage, |(reason, _)| reason);
        Err(Away { reason, retry_after: COOL_DOWN })
    }

    /// A home whose time is over, but not for long.
    fn old_home(&self, now: Timestamp) -> Option<Arc<Home>> {
        let answer = self.answer.as_ref()?;
        let young = answer.checked <= now && now.since(answer.until) < STALE;
        answer.found.clone().ok().filter(|_| young)
    }

    fn closed(&self, now: Timestamp) -> Option<Away> {
        let answer = self.answer.as_ref()?;
        let reason = *answer.found.as_ref().err()?;
        let young = answer.checked <= now && now.since(answer.until) < STALE;
        let closed = matches!(reason, AwayReason::Deleted | AwayReason::Suspended);
        let retry_after = answer.until.since(now).max(COOL_DOWN);
        (closed && young).then_some(Away { reason, retry_after })
    }

    fn doubt(&mut self, now: Timestamp) {
        self.raised += 1;
        self.doubts.retain(|when| *when <= now && now.since(*when) < DOUBTS_WITHIN);
        if self.doubts.len() < MOST_DOUBTS && !self.doubted {
            self.doubts.push_back(now);
            self.doubted = true;
        }
    }
}

impl Answer {
    /// A clock that is set back ends it at once.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.checked <= now && now < self.until
    }
}

/// The outage behind a failure, for the log: the failure itself says only whose fault it is.
fn cause(failed: &StateFailed) -> String {
    let mut causes = String::new();
    let mut next = std::error::Error::source(failed);
    while let Some(cause) = next {
        causes.push_str(if causes.is_empty() { "" } else { ": " });
        causes.push_str(&cause.to_string());
        next = cause.source();
    }
    causes
}

/// However soon SuperID wants to be asked again.
const SHORTEST: u64 = 60;
/// However long it says that a home holds.
const LONGEST: u64 = 8 * 60 * 60;
/// However long it says that a tenant is away: people wait for its return.
const LONGEST_AWAY: u64 = 5 * 60;
/// How long a home serves while SuperID fails.
const STALE: u64 = 24 * 60 * 60;
/// Between two questions while SuperID fails.
const COOL_DOWN: u64 = 10;
/// Doubts that have SuperID asked, within so many seconds: callers must not be able to make us hammer it.
const MOST_DOUBTS: usize = 4;
const DOUBTS_WITHIN: u64 = 60;
