//! Refusals remembered: how long nobody asks again after a failure.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::crypto::Random;

use super::no_ticket::NoTicket;
use super::source::{BuyFailed, BuyFailure};

/// A failure, and until when it is the answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Refusal {
    pub kind: BuyFailure,
    pub detail: String,
    /// How often in a row.
    pub times: u32,
    /// When it was.
    pub at: Timestamp,
    pub until: Timestamp,
}

impl Refusal {
    /// The next one in a row. A row ends with a success, with `forget`, and when nobody asked for
    /// an hour.
    pub fn after(
        previous: Option<&Self>,
        failed: &BuyFailed,
        now: Timestamp,
        random: &Random,
    ) -> Self {
        let in_a_row = previous.filter(|refusal| now.since(refusal.until) < ROW);
        let times = in_a_row.map_or(0, |refusal| refusal.times).saturating_add(1);
        Self {
            kind: failed.kind,
            detail: failed.detail.clone(),
            times,
            at: now,
            until: now.plus(pause(failed.kind, times, random)),
        }
    }

    pub fn is_active(&self, now: Timestamp) -> bool {
        now < self.until
    }

    pub fn told(&self, now: Timestamp) -> NoTicket {
        NoTicket::Failed {
            kind: self.kind,
            detail: self.detail.as_str().into(),
            retry_after: self.until.since(now).max(1),
        }
    }
}

/// Seconds: exponential to a ceiling, and up to a quarter more, so that tenants that failed
/// together do not come back together.
fn pause(kind: BuyFailure, times: u32, random: &Random) -> u64 {
    let steps = Steps::of(kind);
    let factor = steps.factor.saturating_pow(times.saturating_sub(1));
    let pause = steps.first.saturating_mul(factor).min(steps.ceiling);
    pause + u64::from(random.bytes::<1>()[0]) % (pause / 4 + 1)
}

struct Steps {
    first: u64,
    factor: u64,
    ceiling: u64,
}

impl Steps {
    /// What costs an exchange is asked seldom, so that the four an hour are not gone in the first
    /// minute of an outage; what costs nothing is asked often.
    fn of(kind: BuyFailure) -> Self {
        match kind.may_have_exchanged() {
            true => Self { first: 30, factor: 8, ceiling: 20 * 60 },
            false => Self { first: 1, factor: 2, ceiling: 30 },
        }
    }
}

const ROW: u64 = 3_600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_super_id_are_spread_over_the_hour() {
        let pauses = row(BuyFailure::Revoked, 4);
        for (pause, least) in pauses.into_iter().zip([30, 240, 1_200, 1_200]) {
            assert!((least..=least * 5 / 4).contains(&pause), "{pause} {least}");
        }
    }

    #[test]
    fn what_costs_no_exchange_is_tried_again_soon() {
        let pauses = row(BuyFailure::Unreachable, 7);
        for (pause, least) in pauses.into_iter().zip([1, 2, 4, 8, 16, 30, 30]) {
            assert!((least..=least * 5 / 4).contains(&pause), "{pause} {least}");
        }
    }

    #[test]
    fn an_hour_without_a_question_ends_the_row() {
        let random = Random::counting();
        let first = Refusal::after(None, &failed(BuyFailure::Outage), Timestamp(0), &random);
        let soon = first.until.plus(ROW - 1);
        let late = first.until.plus(ROW);
        let next =
            |now| Refusal::after(Some(&first), &failed(BuyFailure::Outage), now, &random).times;
        assert_eq!((next(soon), next(late)), (2, 1));
    }

    fn row(kind: BuyFailure, length: usize) -> Vec<u64> {
        let (random, mut now, mut previous) = (Random::counting(), Timestamp(0), None);
        let mut pauses = Vec::new();
        for _ in 0..length {
            let refusal = Refusal::after(previous.as_ref(), &failed(kind), now, &random);
            pauses.push(refusal.until.since(now));
            now = refusal.until;
            previous = Some(refusal);
        }
        pauses
    }

    fn failed(kind: BuyFailure) -> BuyFailed {
        BuyFailed { kind, detail: "no".to_owned() }
    }
}
