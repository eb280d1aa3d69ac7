//! What a place for records promises; one test holds every implementation to it.

use std::pin::Pin;

use crate::clock::Timestamp;

use super::failure::VaultFailed;
use super::outbox::{Backlog, Claim, Letter, Waiting};
use super::record::{Name, Record};

/// An answer that takes a while, and that comes: each call has a deadline.
pub type Promised<'a, T> = Pin<Box<dyn Future<Output = Result<T, VaultFailed>> + Send + 'a>>;

/// A durable place for records, shared with other processes. A write that is answered with `Ok`
/// outlives the process; one that fails has changed nothing, but for [`VaultFailed::TooLate`].
pub trait Store: Send + Sync {
    /// What is wrong with the place as a whole; nothing when all is well.
    fn check(&self) -> Promised<'_, Vec<String>>;

    /// What of the place's own settings may lose entries later, though nothing is wrong yet.
    fn concerns(&self) -> Promised<'_, Vec<String>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// Dormant records, asleep since `until` or before; at most [`PAGE`] of them.
    fn dormant(&self, until: Timestamp) -> Promised<'_, Vec<Record>>;

    /// At most [`PAGE`] records after the one named, in order of name; none behind the last. Where the
    /// place is broken: what can be read, perhaps fewer before the break and more behind it.
    fn page(&self, after: Option<Name>) -> Promised<'_, Vec<Record>>;

    /// The record of that name. `None` is only said where nothing can be missing.
    fn read(&self, name: &Name) -> Promised<'_, Option<Record>>;

    /// Forgets the record; `false` when there is none, and then the letter is not kept either. That
    /// is never refused because too many letters wait: each took a record to get there.
    fn remove(&self, name: &Name, letter: Option<Letter>) -> Promised<'_, bool>;

    /// Puts `new` in the place of `old`, or nothing, and keeps the letter, if `old` is still what is
    /// there. [`VaultFailed::OutboxFull`] where the letter's app has [`MOST_LETTERS`](super::MOST_LETTERS) already.
    fn swap(&self, old: Record, new: Option<Record>, letter: Option<Letter>) -> Promised<'_, bool>;

    /// Writes all of the records, in the place of what has their names, and all of the letters; or
    /// nothing of it. [`VaultFailed::OutboxFull`] where an app would have more than [`MOST_LETTERS`](super::MOST_LETTERS).
    fn write(&self, records: Vec<Record>, letters: Vec<Letter>) -> Promised<'_, ()>;

    /// The letters of an app that may be delivered now, oldest first: of each name the oldest alone,
    /// if it is due. What is given is due at `until` from then on, and has one try more; so no two
    /// claims are given the same letter at a time. What the store itself finds damaged it sets aside:
    /// it is among the answer, due [`NEVER`](super::NEVER).
    fn claim(&self, claim: Claim) -> Promised<'_, Vec<Waiting>>;

    /// How much waits, without reading all of it.
    fn backlog(&self) -> Promised<'_, Backlog>;

    /// Every letter that was set aside, in order of number.
    fn aside(&self) -> Promised<'_, Vec<Waiting>>;

    /// Takes a claimed letter that is damaged out of the way of the next of its name, and keeps it;
    /// `false` when somebody has claimed it since, or it is gone.
    fn set_aside(&self, claimed: Waiting) -> Promised<'_, bool>;

    /// At most [`PAGE`] letters that wait, with larger numbers, of all apps, in order of number.
    fn letters(&self, after: Option<u64>) -> Promised<'_, Vec<Waiting>>;

    /// Makes a claimed letter due at another time; `false` when somebody has claimed it since, or it
    /// is gone.
    fn put_off(&self, claimed: Waiting, due: Timestamp) -> Promised<'_, bool>;

    /// Puts other bytes in the place of a letter's, if they are still what is there.
    fn reseal(&self, letter: Waiting, sealed: String) -> Promised<'_, bool>;

    /// The letter has been delivered, whoever holds it now, or is given up: it goes. `false` when it is
    /// gone. One that is due [`NEVER`](super::NEVER) is looked for among those that were set aside.
    fn taken(&self, letter: Waiting) -> Promised<'_, bool>;
}

/// Records in one answer.
pub const PAGE: usize = 500;

/// Records in one store.
pub(super) const MOST: usize = 100_000;
