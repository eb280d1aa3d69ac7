//! What came of the calls.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

/// What a call that went as it may has come to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Answered,
    /// By the tenant, with this status.
    FromTenant(u16),
    /// By the gateway, with this word.
    Refused(String),
}

#[derive(Default)]
pub struct Counts {
    outcomes: Mutex<BTreeMap<Outcome, u64>>,
    wrong: Mutex<Vec<String>>,
}

impl Counts {
    /// Adds what one client has seen.
    pub fn add(&self, seen: BTreeMap<Outcome, u64>) {
        let mut outcomes = self.outcomes.lock().unwrap();
        for (outcome, count) in seen {
            *outcomes.entry(outcome).or_default() += count;
        }
    }

    pub fn wrong(&self, what: String) {
        let mut wrong = self.held();
        if wrong.len() < SHOWN {
            println!("wrong: {what}");
        }
        wrong.push(what);
    }

    pub fn wrongs(&self) -> usize {
        self.held().len()
    }

    /// Calls that were answered as if there were no weather, of all there were.
    pub fn share_answered(&self) -> f64 {
        let outcomes = self.outcomes.lock().unwrap();
        let all: u64 = outcomes.values().sum();
        outcomes.get(&Outcome::Answered).copied().unwrap_or(0) as f64 / all.max(1) as f64
    }

    /// One line for each outcome.
    pub fn told(&self) -> String {
        let outcomes = self.outcomes.lock().unwrap();
        let lines = outcomes.iter().map(|(outcome, count)| match outcome {
            Outcome::Answered => format!("{count:>9}  answered by the tenant that was asked"),
            Outcome::FromTenant(status) => format!("{count:>9}  {status} of the tenant's own"),
            Outcome::Refused(word) => format!("{count:>9}  {word}"),
        });
        lines.collect::<Vec<String>>().join("\n")
    }

    fn held(&self) -> MutexGuard<'_, Vec<String>> {
        self.wrong.lock().unwrap()
    }
}

const SHOWN: usize = 20;
