//! Whether figures hold beside those that somebody accepted.

use std::collections::BTreeMap;

/// Figures by subject.
pub type Counts = BTreeMap<String, u64>;

/// What is to be said of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// One is better by more than the limit: it is to be accepted, or may be lost again unseen.
    Better,
    /// This subject was counted as nothing, and was something: it is not met any more.
    Free(String),
    /// This subject was accepted once, and nobody counts it.
    Gone(String),
    Held,
    /// One is past the limit, or nobody accepted it.
    TooMany,
}

/// Judges what was counted.
pub fn judge(accepted: &Counts, counted: &Counts) -> Judgement {
    if let Some(gone) = accepted.keys().find(|name| !counted.contains_key(*name)) {
        return Judgement::Gone(gone.clone());
    }
    let is_free = |(name, before): &(&String, &u64)| **before > 0 && counted[*name] == 0;
    if let Some((free, _)) = accepted.iter().find(is_free) {
        return Judgement::Free(free.clone());
    }
    let mut changes = counted.iter().map(|(name, now)| match accepted.get(name) {
        Some(before) => change(*before, *now),
        None => f64::INFINITY,
    });
    if changes.clone().any(|change| change > LIMIT) {
        Judgement::TooMany
    } else if changes.any(|change| change < -LIMIT) {
        Judgement::Better
    } else {
        Judgement::Held
    }
}

/// In per cent; past every limit where there was nothing and is something.
pub fn change(before: u64, now: u64) -> f64 {
    match (before, now) {
        (0, 0) => 0.0,
        (0, _) => f64::INFINITY,
        (before, now) => (now as f64 - before as f64) / before as f64 * 100.0,
    }
}

/// In per cent, for each subject.
pub const LIMIT: f64 = 3.0;
