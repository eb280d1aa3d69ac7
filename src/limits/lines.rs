//! A line for each tenant: so many calls at once, so many in a time, and the others wait in order.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::config::Rate;
use crate::identity::ContextId;

/// What bounds each line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineBounds {
    /// Calls at once.
    pub at_once: usize,
    pub rate: Option<Rate>,
    /// Calls that wait.
    pub waiting: usize,
    /// The longest one waits.
    pub patience: Duration,
}

/// The lines of all tenants under one set of bounds.
#[derive(Debug)]
pub struct Lines {
    bounds: LineBounds,
    shards: [Mutex<HashMap<ContextId, Arc<Line>>>; SHARDS],
}

/// A turn in a line, over when dropped.
#[derive(Debug)]
pub struct Turn {
    _place: OwnedSemaphorePermit,
}

/// There is no turn in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineFull {
    /// Seconds after which it may be otherwise.
    pub retry_after: u64,
}

#[derive(Debug)]
struct Line {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// When the next call comes in time, if all came evenly (the arrival time of GCRA).
    next: Mutex<Instant>,
}

impl Lines {
    /// Nobody waits yet.
    pub fn new(bounds: LineBounds) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self { bounds, shards }
    }

    /// What bounds its lines.
    pub fn bounds(&self) -> LineBounds {
        self.bounds
    }

    /// Waits for a turn with a tenant.
    ///
    /// # Errors
    /// [`LineFull`] where too many wait already, or the turn would come too late.
    pub async fn enter(&self, tenant: &ContextId) -> Result<Turn, LineFull> {
        let line = self.line(tenant);
        let full = LineFull { retry_after: self.bounds.patience.as_secs().clamp(1, 10) };
        // Who is sent away takes nothing from those who stay.
        let waits = Waiting::begin(&line, self.bounds.waiting);
        if waits.is_none() && line.places.available_permits() == 0 {
            return Err(full);
        }
        let slot = match self.bounds.rate {
            Some(rate) => self.slot(&line, rate, waits.as_ref())?,
            None => None,
        };
        if slot.is_none()
            && let Ok(place) = line.places.clone().try_acquire_owned()
        {
            return Ok(Turn { _place: place });
        }
        let deadline = Instant::now() + self.bounds.patience;
        let _waits = waits.ok_or(full)?;
        if let Some(slot) = slot {
            sleep_until(slot).await;
        }
        match timeout_at(deadline, line.places.clone().acquire_owned()).await {
            Ok(Ok(place)) => Ok(Turn { _place: place }),
            Ok(Err(_)) | Err(_) => Err(full),
        }
    }

    /// When a call may go, `None` for at once; the place in time is taken.
    fn slot(
        &self,
        line: &Line,
        rate: Rate,
        waits: Option<&Waiting<'_>>,
    ) -> Result<Option<Instant>, LineFull> {
        let pace = rate.period / rate.count.get();
        let now = Instant::now();
        let mut next = line.next.lock().unwrap_or_else(PoisonError::into_inner);
        let arrival = (*next).max(now);
        let ahead = pace * (rate.burst.get() - 1);
        let slot = arrival.checked_sub(ahead).unwrap_or(now);
        let wait = slot.saturating_duration_since(now);
        if wait > self.bounds.patience || (wait > Duration::ZERO && waits.is_none()) {
            return Err(LineFull { retry_after: wait.as_secs().max(1) });
        }
        *next = arrival + pace;
        Ok((wait > Duration::ZERO).then_some(slot))
    }

    fn line(&self, tenant: &ContextId) -> Arc<Line> {
        let shard = tenant.number() as usize % SHARDS;
        let mut lines = self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(tenant) {
            return line.clone();
        }
        if lines.len() >= MOST_IN_SHARD {
            lines.retain(|_, line| !line.rests());
        }
        let line = Arc::new(Line {
            places: Arc::new(Semaphore::new(self.bounds.at_once)),
            waiting: AtomicUsize::new(0),
            next: Mutex::new(Instant::now()),
        });
        lines.insert(tenant.clone(), line.clone());
        line
    }
}

impl Line {
    /// Whether nobody would notice if it were made anew.
    fn rests(self: &Arc<Self>) -> bool {
        let next = *self.next.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::strong_count(self) == 1
            && Arc::strong_count(&self.places) == 1
            && next <= Instant::now()
    }
}

/// One call that waits, counted until dropped.
struct Waiting<'l>(&'l Line);

impl<'l> Waiting<'l> {
    fn begin(line: &'l Line, most: usize) -> Option<Self> {
        let waiting = Self(line);
        let before = line.waiting.fetch_add(1, Ordering::Relaxed);
        (before < most).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

const SHARDS: usize = 16;
/// Lines that are kept before those at rest are looked for.
const MOST_IN_SHARD: usize = 1024;

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn tenant(number: usize) -> ContextId {
        ContextId::parse(&format!("Cust{number}")).unwrap()
    }

    fn bounds(at_once: usize, waiting: usize) -> LineBounds {
        LineBounds { at_once, rate: None, waiting, patience: Duration::from_secs(10) }
    }

    fn ten_a_second(burst: u32) -> Option<Rate> {
        let whole = |number| NonZeroU32::new(number).unwrap();
        Some(Rate { count: whole(10), period: Duration::from_secs(1), burst: whole(burst) })
    }

    #[tokio::test(start_paused = true)]
    async fn calls_beyond_the_most_wait_and_those_beyond_the_line_are_sent_away() {
        let lines = Arc::new(Lines::new(bounds(1, 1)));
        let held = lines.enter(&tenant(1)).await.unwrap();
        let waits = tokio::spawn({
            let lines = lines.clone();
            async move { lines.enter(&tenant(1)).await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert_eq!(lines.enter(&tenant(1)).await.unwrap_err().retry_after, 10);
        assert!(lines.enter(&tenant(2)).await.is_ok(), "another tenant has its own line");
        drop(held);
        assert!(waits.await.unwrap().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_patience() {
        let lines = Lines::new(bounds(1, 9));
        let _held = lines.enter(&tenant(1)).await.unwrap();
        let began = Instant::now();
        assert!(lines.enter(&tenant(1)).await.is_err());
        assert_eq!(began.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_go_at_their_rate_and_none_is_lost() {
        let rate = ten_a_second(1);
        let lines = Lines::new(LineBounds { rate, ..bounds(64, 64) });
        let began = Instant::now();
        for _ in 0..51 {
            lines.enter(&tenant(1)).await.unwrap();
        }
        assert_eq!(began.elapsed().as_millis(), 5_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rest_earns_a_burst_and_no_more() {
        let lines = Lines::new(LineBounds { rate: ten_a_second(5), ..bounds(64, 64) });
        for _ in 0..2 {
            let began = Instant::now();
            for _ in 0..5 {
                lines.enter(&tenant(1)).await.unwrap();
            }
            assert_eq!(began.elapsed().as_millis(), 0);
            lines.enter(&tenant(1)).await.unwrap();
            assert_eq!(began.elapsed().as_millis(), 100);
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_would_come_too_late_is_refused_at_once() {
        let lines = Arc::new(Lines::new(LineBounds { rate: ten_a_second(1), ..bounds(64, 1_000) }));
        let calls: Vec<_> = (0..200)
            .map(|_| {
                let lines = lines.clone();
                tokio::spawn(async move { lines.enter(&tenant(1)).await.map(drop) })
            })
            .collect();
        let mut gone = 0;
        for call in calls {
            gone += usize::from(call.await.unwrap().is_err());
        }
        assert_eq!(gone, 99, "the first at once, and a hundred within ten seconds");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_sent_away_takes_no_turn_from_those_who_stay() {
        let lines = Arc::new(Lines::new(LineBounds { rate: ten_a_second(1), ..bounds(64, 5) }));
        let began = Instant::now();
        let mut served = 0;
        while began.elapsed() < Duration::from_secs(10) {
            let calls: Vec<_> = (0..50)
                .map(|_| {
                    let lines = lines.clone();
                    tokio::spawn(async move { lines.enter(&tenant(1)).await.map(drop) })
                })
                .collect();
            for call in calls {
                served += u32::from(call.await.unwrap().is_ok());
            }
        }
        assert!((95..=106).contains(&served), "ten a second, whatever was refused: {served}");
    }

    #[tokio::test(start_paused = true)]
    async fn lines_at_rest_are_forgotten() {
        let lines = Lines::new(bounds(1, 1));
        for number in 0..100_000 {
            lines.enter(&tenant(number)).await.unwrap();
        }
        let kept: usize = lines.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(kept <= SHARDS * MOST_IN_SHARD, "{kept}");
    }
}
