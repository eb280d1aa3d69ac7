//! What is counted of the links to the store that replicas share.

use std::sync::Arc;
use std::time::Duration;

use super::catalogue::{REDIS_COMMAND_DURATION, REDIS_COMMANDS};
use super::named::Named;
use super::registry::Registry;
use super::series::{Counter, Histogram};

/// Counters of every link, by its name. Clones count together.
#[derive(Clone, Debug)]
pub struct LinkCounters(Arc<Registry>);

/// Counters of one link. Clones count together.
#[derive(Clone, Debug)]
pub struct LinkCounter {
    answered: Counter,
    failed: Arc<Named<Counter>>,
    times: Histogram,
}

impl LinkCounters {
    pub(super) fn of(registry: &Arc<Registry>) -> Self {
        Self(registry.clone())
    }

    /// Those of the link with this name.
    pub fn link(&self, name: &'static str) -> LinkCounter {
        let registry = self.0.clone();
        LinkCounter {
            answered: registry.counter(&REDIS_COMMANDS, &[name, "answered"]),
            times: registry.histogram(&REDIS_COMMAND_DURATION, &[name]),
            failed: Arc::new(Named::new(MOST_WORDS, move |word| {
                registry.counter(&REDIS_COMMANDS, &[name, word])
            })),
        }
    }
}

impl LinkCounter {
    /// A command is over; `failed` is one of a fixed set of words.
    pub fn carried_out(&self, took: Duration, failed: Option<&str>) {
        match failed {
            None => self.answered.inc(),
            Some(word) => self.failed.count(word, Counter::inc),
        }
        self.times.observe(took.as_micros() as u64);
    }
}

/// More than there are.
const MOST_WORDS: usize = 32;
