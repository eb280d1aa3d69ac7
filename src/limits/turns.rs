//! So many in each period, for each key: a leaky bucket (GCRA), told in whole seconds.

use std::time::Duration;

use governor::clock::Clock as Watch;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::{Quota, RateLimiter};

use crate::clock::Clock;
use crate::config::Rate;

use super::ledger::Ledger;

/// The turns of everybody under one rate.
#[derive(Debug)]
pub struct Turns {
    rate: Rate,
    limiter: RateLimiter<u128, Ledger, Ours, StateInformationMiddleware>,
}

/// Where somebody stands after asking for a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Turns at once after a rest.
    pub limit: u32,
    /// Turns that are left now.
    pub remaining: u32,
    /// Seconds until all of them are there again.
    pub reset: u64,
    /// Seconds until the next turn, at least 1, when this one was refused.
    pub wait: Option<u64>,
}

impl Turns {
    /// Nobody has had a turn yet.
    pub fn new(rate: Rate, clock: &Clock) -> Self {
        let quota = Quota::with_period(pace(rate)).unwrap_or(Quota::per_second(rate.count));
        let quota = quota.allow_burst(rate.burst);
        Self { rate, limiter: RateLimiter::new(quota, Ledger::new(), Ours(clock.clone())) }
    }

    /// Whether it counts by this rate.
    pub fn counts_by(&self, rate: Rate) -> bool {
        self.rate == rate
    }

    /// Takes a turn.
    ///
    /// # Errors
    /// The standing of somebody who has to wait.
    pub fn take(&self, key: u128) -> Result<Standing, Standing> {
        let limit = self.rate.burst.get();
        match self.limiter.check_key(&key) {
            Ok(now) => {
                let remaining = now.remaining_burst_capacity();
                let reset = pace(self.rate).saturating_mul(limit - remaining.min(limit));
                Ok(Standing { limit, remaining, reset: seconds(reset), wait: None })
            }
            Err(not_yet) => {
                let wait = not_yet.wait_time_from(self.limiter.clock().now());
                let rest = pace(self.rate).saturating_mul(limit - 1);
                let reset = seconds(wait.saturating_add(rest));
                Err(Standing { limit, remaining: 0, reset, wait: Some(seconds(wait).max(1)) })
            }
        }
    }
}

/// Between two turns.
fn pace(rate: Rate) -> Duration {
    rate.period / rate.count.get()
}

/// Rounded up: who waits that long has a turn.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// Our clock as the limiter reads it.
#[derive(Clone, Debug)]
struct Ours(Clock);

impl Watch for Ours {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::clock::Timestamp;

    fn turns(count: u32, period: u64, burst: u32, clock: &Clock) -> Turns {
        let whole = |number| NonZeroU32::new(number).unwrap();
        let period = Duration::from_secs(period);
        Turns::new(Rate { count: whole(count), period, burst: whole(burst) }, clock)
    }

    #[test]
    fn a_burst_goes_through_and_then_turns_come_one_by_one() {
        let clock = Clock::manual(Timestamp(5));
        let turns = turns(30, 60, 3, &clock);
        let standing = |limit, remaining, reset, wait| Standing { limit, remaining, reset, wait };
        assert_eq!(turns.take(1), Ok(standing(3, 2, 2, None)));
        assert_eq!(turns.take(1), Ok(standing(3, 1, 4, None)));
        assert_eq!(turns.take(1), Ok(standing(3, 0, 6, None)));
        assert_eq!(turns.take(1), Err(standing(3, 0, 6, Some(2))));
        assert_eq!(turns.take(2), Ok(standing(3, 2, 2, None)), "another one has turns of its own");
        clock.advance(1);
        assert_eq!(turns.take(1), Err(standing(3, 0, 5, Some(1))));
        clock.advance(1);
        assert_eq!(turns.take(1), Ok(standing(3, 0, 6, None)), "asking in vain costs nothing");
        clock.advance(600);
        assert_eq!(turns.take(1), Ok(standing(3, 2, 2, None)), "and never more than the burst");
    }

    #[test]
    fn a_wait_of_less_than_a_second_is_told_as_one() {
        let clock = Clock::manual(Timestamp(5));
        let turns = turns(1_000, 1, 1, &clock);
        assert_eq!(turns.take(1), Ok(Standing { limit: 1, remaining: 0, reset: 1, wait: None }));
        assert_eq!(turns.take(1).unwrap_err().wait, Some(1));
    }
}
