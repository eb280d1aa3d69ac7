//! What waits in a store to be told to an app, and how it is claimed.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

use super::record::Name;

/// One event, written in the same step as the record it tells of, so that neither is there without
/// the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The event's own for good, whoever tells it and how often. 1 to 64 visible characters.
    pub id: String,
    /// The record it tells of. Letters of one name are told in the order they were written.
    #[serde(flatten)]
    pub name: Name,
    /// When it was written; it is due from then on.
    pub written: Timestamp,
    /// What happened.
    pub sealed: String,
}

/// A letter as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Given by the store: larger than that of every letter that was there when it was written.
    pub number: u64,
    #[serde(flatten)]
    pub letter: Letter,
    /// Nobody claims it before.
    pub due: Timestamp,
    /// How often it was claimed.
    pub tries: u32,
}

/// Which letters somebody wants to deliver, and for how long they are theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub environment: String,
    pub client_id: String,
    pub now: Timestamp,
    /// When what is claimed is due again, if nobody says anything of it: its claimant has died.
    pub until: Timestamp,
    /// Letters at most.
    pub most: usize,
}

/// What waits in an outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    pub letters: usize,
    /// When the oldest of them was written, where it can be read.
    pub oldest: Option<Timestamp>,
    /// Letters that were set aside; they are not among the others.
    pub aside: usize,
}

/// When a letter is due that was set aside.
pub const NEVER: Timestamp = Timestamp(i64::MAX as u64);

/// Letters of one app (an environment and a client id) in one store.
pub const MOST_LETTERS: usize = 10_000;
