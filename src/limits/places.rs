//! So many at once: a count that goes down by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Places that are taken now. Costs one atomic step to enter and one to leave.
#[derive(Debug, Default)]
pub struct Places(AtomicUsize);

/// One taken place; free again when dropped.
#[derive(Debug)]
pub struct Place(Arc<Places>);

impl Places {
    /// Takes a place, unless `most` are taken.
    pub fn enter(self: &Arc<Self>, most: usize) -> Option<Place> {
        let place = Place(self.clone());
        // The place that was one too many is given back by its drop.
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        (before < most).then_some(place)
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_than_the_most_gets_no_place_until_one_is_free() {
        let places = Arc::new(Places::default());
        let held: Vec<Place> = (0..3).filter_map(|_| places.enter(3)).collect();
        assert_eq!((held.len(), places.taken()), (3, 3));
        assert!(places.enter(3).is_none());
        assert_eq!(places.taken(), 3, "who was refused holds nothing");
        drop(held);
        assert_eq!(places.taken(), 0);
        assert!(places.enter(3).is_some());
    }
}
