//! How often each app bought a ticket for each tenant.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::Serialize;

/// Exchanges of system tokens, counted by client id and tenant.
#[derive(Default)]
pub struct Exchanges {
    counts: Mutex<BTreeMap<(String, String), Counts>>,
}

#[derive(Default)]
struct Counts {
    granted: u64,
    refused: u64,
    /// When the latest were granted.
    times: VecDeque<SystemTime>,
}

/// One row of the counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exchange {
    pub client_id: String,
    /// As the tenant writes it.
    pub ctx: String,
    /// Answers with a token, lies included.
    pub granted: u64,
    /// Answers without one, once app and tenant were known.
    pub refused: u64,
}

const MOST_TIMES: usize = 100;

impl Exchanges {
    /// How many tickets this app bought for this tenant since the last [`Exchanges::clear`].
    pub fn granted(&self, client_id: &str, ctx: &str) -> u64 {
        self.row(client_id, ctx).map_or(0, |row| row.granted)
    }

    /// When the latest hundred of those were, oldest first, by the emulator's clock.
    pub fn granted_at(&self, client_id: &str, ctx: &str) -> Vec<SystemTime> {
        let held = self.held();
        let mut rows = held.iter();
        let row = rows.find(|((id, of), _)| id == client_id && of.eq_ignore_ascii_case(ctx));
        row.map(|(_, counts)| counts.times.iter().copied().collect()).unwrap_or_default()
    }

    /// How many times it was refused one.
    pub fn refused(&self, client_id: &str, ctx: &str) -> u64 {
        self.row(client_id, ctx).map_or(0, |row| row.refused)
    }

    /// Every app and tenant that came, in their order.
    pub fn all(&self) -> Vec<Exchange> {
        let held = self.held();
        let rows = held.iter().map(|((client_id, ctx), counts)| Exchange {
            client_id: client_id.clone(),
            ctx: ctx.clone(),
            granted: counts.granted,
            refused: counts.refused,
        });
        rows.collect()
    }

    pub fn clear(&self) {
        self.held().clear();
    }

    pub(super) fn grant(&self, client_id: &str, ctx: &str, now: SystemTime) {
        let mut held = self.held();
        let counts = held.entry((client_id.into(), ctx.into())).or_default();
        counts.granted += 1;
        if counts.times.len() >= MOST_TIMES {
            counts.times.pop_front();
        }
        counts.times.push_back(now);
    }

    pub(super) fn refuse(&self, client_id: &str, ctx: &str) {
        self.held().entry((client_id.into(), ctx.into())).or_default().refused += 1;
    }

    fn row(&self, client_id: &str, ctx: &str) -> Option<Exchange> {
        let is_it =
            |row: &Exchange| row.client_id == client_id && row.ctx.eq_ignore_ascii_case(ctx);
        self.all().into_iter().find(is_it)
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<(String, String), Counts>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
