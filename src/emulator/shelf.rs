//! A bounded store of short-lived things under random keys; the oldest leave first.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Keeps at most `most` values, each until its end.
pub(super) struct Shelf<T> {
    most: usize,
    held: Mutex<Held<T>>,
}

struct Held<T> {
    values: HashMap<String, (SystemTime, T)>,
    order: VecDeque<String>,
}

impl<T: Clone> Shelf<T> {
    pub(super) fn new(most: usize) -> Self {
        let held = Held { values: HashMap::new(), order: VecDeque::new() };
        Self { most, held: Mutex::new(held) }
    }

    /// Puts `value` under `key` until `end`, in place of what was there.
    pub(super) fn put(&self, key: &str, value: T, end: SystemTime) {
        let mut held = self.held();
        if held.values.insert(key.to_owned(), (end, value)).is_none() {
            held.order.push_back(key.to_owned());
        }
        held.trim(self.most);
    }

    pub(super) fn get(&self, key: &str, now: SystemTime) -> Option<T> {
        let held = self.held();
        let (end, value) = held.values.get(key)?;
        (now < *end).then(|| value.clone())
    }

    /// Gets a value and moves its end to `idle` from now.
    pub(super) fn touch(&self, key: &str, now: SystemTime, idle: Duration) -> Option<T> {
        let mut held = self.held();
        let (end, value) = held.values.get_mut(key)?;
        if now >= *end {
            return None;
        }
        *end = now + idle;
        Some(value.clone())
    }

    /// Gets a value and forgets it, so that only one caller ever has it.
    pub(super) fn take(&self, key: &str, now: SystemTime) -> Option<T> {
        let (end, value) = self.held().values.remove(key)?;
        (now < end).then_some(value)
    }

    pub(super) fn forget(&self, key: &str) {
        self.held().values.remove(key);
    }

    /// Forgets every value that `which` picks, and says how many there were.
    pub(super) fn forget_where(&self, which: impl Fn(&T) -> bool) -> usize {
        let mut held = self.held();
        let before = held.values.len();
        held.values.retain(|_, (_, value)| !which(value));
        before - held.values.len()
    }

    fn held(&self) -> MutexGuard<'_, Held<T>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Held<T> {
    fn trim(&mut self, most: usize) {
        while self.values.len() > most {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            self.values.remove(&oldest);
        }
        // Taken values leave their keys behind; sweep before those outgrow the values.
        if self.order.len() > 2 * most {
            let values = &self.values;
            self.order.retain(|key| values.contains_key(key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_value_leaves_when_the_shelf_is_full() {
        let (shelf, now) = (Shelf::new(2), SystemTime::UNIX_EPOCH);
        let end = now + Duration::from_secs(1);
        for key in ["a", "b", "c"] {
            shelf.put(key, key.to_owned(), end);
        }
        assert_eq!(shelf.get("a", now), None);
        assert_eq!(shelf.get("c", now).as_deref(), Some("c"));
        assert_eq!(shelf.get("c", end), None);
    }

    #[test]
    fn a_taken_value_is_gone() {
        let (shelf, now) = (Shelf::new(1), SystemTime::UNIX_EPOCH);
        shelf.put("a", 1, now + Duration::from_secs(1));
        assert_eq!(shelf.take("a", now), Some(1));
        assert_eq!(shelf.take("a", now), None);
    }
}
