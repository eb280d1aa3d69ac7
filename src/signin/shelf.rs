//! Where what is too large for a cookie lies while somebody signs in: so much and no more.
//!
//! What lies in the shared store instead is counted here all the same.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;

/// Sealed values by id, until a time.
#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<HashMap<[u8; 16], Laid>>);

#[derive(Debug)]
struct Laid {
    until: Timestamp,
    bytes: usize,
    /// `None` where it lies elsewhere.
    value: Option<String>,
}

/// There is no room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no room to keep one more")]
pub struct ShelfFull;

impl Shelf {
    /// Keeps a value until `until`, where all of them take no more than `most` bytes then.
    pub(super) fn put(
        &self,
        id: [u8; 16],
        until: Timestamp,
        value: String,
        room: (Timestamp, usize),
    ) -> Result<(), ShelfFull> {
        self.lay(id, Laid { until, bytes: value.len(), value: Some(value) }, room)
    }

    /// Counts a value that lies elsewhere, under the same bound.
    pub(super) fn count(
        &self,
        id: [u8; 16],
        until: Timestamp,
        bytes: usize,
        room: (Timestamp, usize),
    ) -> Result<(), ShelfFull> {
        self.lay(id, Laid { until, bytes, value: None }, room)
    }

    /// A value that lies there.
    pub(super) fn look(&self, id: &[u8; 16], now: Timestamp) -> Option<String> {
        let held = self.held();
        held.get(id).filter(|laid| now <= laid.until).and_then(|laid| laid.value.clone())
    }

    /// Takes a value away.
    pub(super) fn drop_it(&self, id: &[u8; 16]) {
        self.held().remove(id);
    }

    fn lay(
        &self,
        id: [u8; 16],
        laid: Laid,
        (now, most): (Timestamp, usize),
    ) -> Result<(), ShelfFull> {
        let mut held = self.held();
        held.retain(|_, laid| now <= laid.until);
        let taken: usize = held.values().map(|laid| laid.bytes + ENTRY).sum();
        if taken + laid.bytes + ENTRY > most {
            return Err(ShelfFull);
        }
        held.insert(id, laid);
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, HashMap<[u8; 16], Laid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes beside a value, about.
const ENTRY: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_again_when_the_time_of_others_is_over() {
        let shelf = Shelf::default();
        let text = || "x".repeat(200);
        shelf.put([1; 16], Timestamp(10), text(), (Timestamp(0), 400)).unwrap();
        assert_eq!(shelf.put([2; 16], Timestamp(10), text(), (Timestamp(10), 400)), Err(ShelfFull));
        assert!(shelf.look(&[1; 16], Timestamp(10)).is_some());
        assert!(shelf.look(&[1; 16], Timestamp(11)).is_none());
        shelf.put([2; 16], Timestamp(20), text(), (Timestamp(11), 400)).unwrap();
        shelf.drop_it(&[2; 16]);
        assert!(shelf.look(&[2; 16], Timestamp(11)).is_none());
        shelf.count([3; 16], Timestamp(20), 200, (Timestamp(11), 400)).unwrap();
        assert!(shelf.look(&[3; 16], Timestamp(11)).is_none(), "it lies elsewhere");
        assert_eq!(shelf.put([1; 16], Timestamp(20), text(), (Timestamp(11), 400)), Err(ShelfFull));
    }
}
