//! What is counted of ordered certificates, and how each of them stands.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::catalogue::{ACME_CERTIFICATE_EXPIRY, ACME_FAILURES, ACME_NEXT_ORDER, ACME_ORDERS};
use super::registry::{Levels, Registry};

/// Counters of orders, and the certificates as they stand.
#[derive(Debug)]
pub struct AcmeCounters {
    registry: Arc<Registry>,
    standings: Mutex<BTreeMap<String, Standing>>,
}

/// How an ordered certificate stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The name of its table.
    pub certificate: String,
    /// When it stops being valid, in seconds since 1970; `None` where there is none yet.
    pub ends: Option<u64>,
    /// Orders that failed since one did not.
    pub failures: u32,
    /// When the next order is due.
    pub next: u64,
    /// What became of the latest order, by [`OrderOutcome::word`]; empty where there was none.
    pub outcome: String,
    /// Why, where it failed.
    pub detail: String,
}

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderOutcome {
    Issued,
    NotKept,
    RateLimited,
    Refused,
    Unreachable,
}

impl OrderOutcome {
    /// As metrics have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::NotKept => "not_kept",
            Self::RateLimited => "rate_limited",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
        }
    }
}

impl AcmeCounters {
    pub(super) fn of(registry: &Arc<Registry>) -> Self {
        Self { registry: registry.clone(), standings: Mutex::default() }
    }

    /// An order ended.
    pub fn ended(&self, certificate: &str, outcome: OrderOutcome) {
        self.registry.counter(&ACME_ORDERS, &[certificate, outcome.word()]).inc();
    }

    /// A certificate stands so from now on.
    pub fn stands(&self, standing: Standing) {
        self.lock().insert(standing.certificate.clone(), standing);
    }

    /// Forgets the others: they are not ordered any more.
    pub fn only<'n>(&self, names: impl Iterator<Item = &'n str>) {
        let names: Vec<&str> = names.collect();
        self.lock().retain(|known, _| names.contains(&known.as_str()));
    }

    /// How all of them stand, by name.
    pub fn standings(&self) -> Vec<Standing> {
        self.lock().values().cloned().collect()
    }

    pub(super) fn tell(&self, levels: &mut Levels) {
        for one in self.lock().values() {
            let name = one.certificate.as_str();
            levels.add(&ACME_FAILURES, &[name], f64::from(one.failures));
            levels.add(&ACME_NEXT_ORDER, &[name], one.next as f64);
            levels.add(&ACME_CERTIFICATE_EXPIRY, &[name], one.ends.unwrap_or(0) as f64);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Standing>> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
