//! Calls to tenants, counted by tenant: the first so many by name, all others together.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use arc_swap::ArcSwap;
use prometheus::{IntCounter, IntCounterVec};

/// Counters of calls, by tenant and by the first digit of the status.
#[derive(Debug)]
pub struct CallCounters {
    calls: IntCounterVec,
    /// Reading it costs no lock.
    known: ArcSwap<HashMap<String, Counters>>,
    adding: Mutex<()>,
    others: Counters,
    statuses: [&'static str; 6],
}

type Counters = [IntCounter; 6];

impl CallCounters {
    /// Over a metric with the labels `tenant` and `status`.
    pub(super) fn over(calls: IntCounterVec, statuses: [&'static str; 6]) -> Self {
        let others = statuses.map(|status| calls.with_label_values(&[OTHERS, status]));
        Self { calls, known: ArcSwap::default(), adding: Mutex::default(), others, statuses }
    }

    /// A call of a tenant ended with this status; 0 when the caller left before an answer.
    pub fn answered(&self, tenant: &str, status: u16) {
        let class = usize::from(status / 100).min(5);
        if let Some(known) = self.known.load().get(tenant) {
            known[class].inc();
            return;
        }
        let _one_at_a_time = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known.load();
        let counters = match known.get(tenant) {
            Some(counters) => counters.clone(),
            None if known.len() >= MOST => self.others.clone(),
            None => {
                let made =
                    self.statuses.map(|status| self.calls.with_label_values(&[tenant, status]));
                let mut more = HashMap::clone(&known);
                more.insert(tenant.to_owned(), made.clone());
                self.known.store(more.into());
                made
            }
        };
        counters[class].inc();
    }

    pub(super) fn collector(&self) -> IntCounterVec {
        self.calls.clone()
    }
}

/// Tenants that are counted by name, from the start of the process on.
const MOST: usize = 200;
/// What all further ones are called together.
const OTHERS: &str = "other";

#[cfg(test)]
mod tests {
    use prometheus::Opts;
    use prometheus::core::Collector as _;

    use super::*;

    const STATUSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

    #[test]
    fn however_many_tenants_are_called_the_names_have_an_end() {
        let calls = IntCounterVec::new(Opts::new("calls", "Calls."), &["tenant", "status"]);
        let counters = CallCounters::over(calls.unwrap(), STATUSES);
        for number in 0..10_000 {
            counters.answered(&format!("Cust{number}"), 200);
        }
        let series = counters.collector().collect()[0].get_metric().len();
        assert_eq!(series, (MOST + 1) * STATUSES.len());
        let others = counters.collector().with_label_values(&[OTHERS, "2xx"]).get();
        assert_eq!(others, 10_000 - MOST as u64);
        counters.answered("Cust7", 503);
        assert_eq!(counters.collector().with_label_values(&["Cust7", "5xx"]).get(), 1);
    }
}
