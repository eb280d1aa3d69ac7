//! Numbers that go up: a counter, and times by how long they were.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts. One atomic step, no lock.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

/// Counts times. Two atomic steps, no lock.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Buckets>);

#[derive(Debug)]
struct Buckets {
    bounds: &'static [u64],
    /// One more than there are bounds: the last is for what is longer than all of them.
    counts: Box<[AtomicU64]>,
    micros: AtomicU64,
}

/// What a histogram counted until now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub bounds: &'static [u64],
    /// How many there were up to each bound and above the one before it, and last those beyond all.
    pub counts: Vec<u64>,
    pub micros: u64,
}

impl Counter {
    pub fn inc(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn inc_by(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Histogram {
    pub(super) fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Buckets { bounds, counts, micros: AtomicU64::new(0) }))
    }

    /// Counts a time of so many microseconds.
    pub fn observe(&self, micros: u64) {
        let Buckets { bounds, counts, micros: sum } = &*self.0;
        let at = bounds.iter().position(|bound| micros <= *bound).unwrap_or(bounds.len());
        counts[at].fetch_add(1, Ordering::Relaxed);
        sum.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn times(&self) -> Times {
        let Buckets { bounds, counts, micros } = &*self.0;
        let counts = counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        Times { bounds, counts, micros: micros.load(Ordering::Relaxed) }
    }
}

impl Times {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The time that this share of them took at most, in microseconds: within its bucket they are
    /// thought to be spread evenly, as Prometheus thinks. `None` where there was none.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let rank = share * self.count() as f64;
        let (mut before, mut low) = (0, 0);
        for (at, count) in self.counts.iter().enumerate() {
            // Beyond the last bound nothing is known but that.
            let high = self.bounds.get(at).copied().unwrap_or(low);
            if *count > 0 && (before + count) as f64 >= rank {
                let within = (rank - before as f64) / *count as f64;
                return Some(low + ((high - low) as f64 * within) as u64);
            }
            (before, low) = (before + count, high);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_once_up_to_its_bound_and_in_the_sum() {
        let times = Histogram::new(&[10, 100]);
        for micros in [0, 10, 11, 100, 101, 1_000_000] {
            times.observe(micros);
        }
        let times = times.times();
        assert_eq!((times.counts.as_slice(), times.count()), (&[2, 2, 2][..], 6));
        assert_eq!(times.micros, 1_000_222);
    }

    #[test]
    fn a_quantile_lies_in_the_bucket_that_holds_it() {
        let times = |counts: &[u64]| Times { bounds: &[10, 100], counts: counts.into(), micros: 0 };
        assert_eq!(times(&[0, 0, 0]).quantile(0.5), None);
        assert_eq!(times(&[4, 0, 0]).quantile(0.5), Some(5));
        assert_eq!(times(&[1, 2, 0]).quantile(0.5), Some(32));
        assert_eq!(times(&[1, 0, 9]).quantile(0.99), Some(100), "beyond the last bound");
    }
}
