//! Counters by a name that is known only when it comes: the first so many by name, all others together.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use arc_swap::ArcSwap;

/// What is counted under each name. A name that is known costs no lock.
pub(super) struct Named<T> {
    known: ArcSwap<HashMap<String, T>>,
    adding: Mutex<()>,
    most: usize,
    others: T,
    make: Box<dyn Fn(&str) -> T + Send + Sync>,
}

impl<T: Clone> Named<T> {
    /// With room for so many names, and the counters of each made by `make`.
    pub(super) fn new(most: usize, make: impl Fn(&str) -> T + Send + Sync + 'static) -> Self {
        let others = make(OTHERS);
        let make = Box::new(make);
        Self { known: ArcSwap::default(), adding: Mutex::default(), most, others, make }
    }

    /// Counts under a name.
    pub(super) fn count(&self, name: &str, count: impl FnOnce(&T)) {
        let known = self.known.load();
        match known.get(name) {
            Some(known) => return count(known),
            None if known.len() >= self.most => return count(&self.others),
            None => drop(known),
        }
        let _one_at_a_time = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known.load();
        match known.get(name) {
            Some(known) => count(known),
            None if known.len() >= self.most => count(&self.others),
            None => {
                let made = (self.make)(name);
                let mut more = HashMap::clone(&known);
                more.insert(name.to_owned(), made.clone());
                self.known.store(more.into());
                count(&made);
            }
        }
    }
}

impl<T> fmt::Debug for Named<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Named({} of {})", self.known.load().len(), self.most)
    }
}

/// What all further ones are called together.
pub(super) const OTHERS: &str = "other";
