//! What became of each request at the servers that it was sent to.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How far a server got with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Its head was read.
    Taken,
    /// Its answer's head was sent.
    Begun,
    /// Its answer's head and half of the body were sent, and nothing more.
    Stalled,
}

/// By the number that each request says.
#[derive(Default)]
pub struct Fates(Mutex<HashMap<u64, Fate>>);

impl Fates {
    pub fn note(&self, number: u64, fate: Fate) {
        let mut fates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = fates.entry(number).or_insert(fate);
        *known = fate.max(*known);
    }

    /// The furthest that any server got, which is forgotten with that.
    pub fn take(&self, number: u64) -> Option<Fate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&number)
    }
}
