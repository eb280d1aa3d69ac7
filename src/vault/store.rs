//! What a place for records promises; one test holds every implementation to it.

use std::pin::Pin;

use crate::clock::Timestamp;

use super::failure::VaultFailed;
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

    /// Forgets the record; `false` when there is none.
    fn remove(&self, name: &Name) -> Promised<'_, bool>;

    /// Puts `new` in the place of `old`, or nothing, if `old` is still what is there.
    fn swap(&self, old: Record, new: Option<Record>) -> Promised<'_, bool>;

    /// Writes all of them or none, in the place of what has their names.
    fn write(&self, records: Vec<Record>) -> Promised<'_, ()>;
}

/// Records in one answer.
pub const PAGE: usize = 500;

/// Records in one store.
pub(super) const MOST: usize = 100_000;
