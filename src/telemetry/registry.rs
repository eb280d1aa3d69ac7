//! Where counters and histograms are had from, and read together.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::family::{Family, Kind};
use super::series::{Counter, Histogram, Times};

/// Every counter and histogram of the process. Asking for one takes a lock, so it is asked for where a
/// configuration is assembled and kept; the same labels give the same one, and a reload counts on.
#[derive(Debug, Default)]
pub struct Registry {
    counters: Mutex<Series<Counter>>,
    histograms: Mutex<Series<Histogram>>,
}

/// By the family's name, then by the values of its labels.
type Series<T> = BTreeMap<&'static str, BTreeMap<Vec<String>, T>>;

/// What stands when somebody reads: gauges, and counts that somebody else keeps.
#[derive(Clone, Debug, Default)]
pub struct Levels(BTreeMap<&'static str, BTreeMap<Vec<String>, f64>>);

/// The values of one family, by the values of its labels.
pub(super) enum Values {
    Numbers(Vec<(Vec<String>, f64)>),
    Times(Vec<(Vec<String>, Times)>),
}

impl Registry {
    /// The counter of a family with these labels, made at the first call.
    pub fn counter(&self, family: &Family, labels: &[&str]) -> Counter {
        debug_assert_eq!(family.kind, Kind::Counter, "{}", family.name);
        had(&self.counters, family, labels, Counter::default)
    }

    /// The histogram of a family with these labels, made at the first call.
    pub fn histogram(&self, family: &Family, labels: &[&str]) -> Histogram {
        let bounds = match family.kind {
            Kind::Histogram(bounds) => bounds,
            Kind::Counter | Kind::Gauge | Kind::Info => &[],
        };
        had(&self.histograms, family, labels, || Histogram::new(bounds))
    }

    /// Everything that was counted of a family, with what stands of it.
    pub(super) fn values(&self, family: &Family, levels: &Levels) -> Values {
        if let Kind::Histogram(_) = family.kind {
            let series = locked(&self.histograms);
            let every = series.get(family.name).into_iter().flatten();
            return Values::Times(every.map(|(key, one)| (key.clone(), one.times())).collect());
        }
        let series = locked(&self.counters);
        let counted = series.get(family.name).into_iter().flatten();
        let mut numbers: Vec<(Vec<String>, f64)> =
            counted.map(|(key, one)| (key.clone(), one.get() as f64)).collect();
        let standing = levels.0.get(family.name).into_iter().flatten();
        numbers.extend(standing.map(|(key, value)| (key.clone(), *value)));
        Values::Numbers(numbers)
    }
}

impl Levels {
    /// Says what stands; said twice of the same labels, both together.
    pub fn add(&mut self, family: &Family, labels: &[&str], value: f64) {
        debug_assert_eq!(family.labels.len(), labels.len(), "{}", family.name);
        *self.0.entry(family.name).or_default().entry(owned(labels)).or_default() += value;
    }

    /// Says how many there are.
    pub fn count(&mut self, family: &Family, labels: &[&str], count: usize) {
        self.add(family, labels, count as f64);
    }
}

fn had<T: Clone>(
    series: &Mutex<Series<T>>,
    family: &Family,
    labels: &[&str],
    make: impl FnOnce() -> T,
) -> T {
    debug_assert_eq!(family.labels.len(), labels.len(), "{}", family.name);
    let mut series = locked(series);
    series.entry(family.name).or_default().entry(owned(labels)).or_insert_with(make).clone()
}

fn owned(labels: &[&str]) -> Vec<String> {
    labels.iter().map(|&label| label.to_owned()).collect()
}

fn locked<T>(series: &Mutex<T>) -> MutexGuard<'_, T> {
    series.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::{LIMIT_HITS, TENANTS};
    use super::*;

    #[test]
    fn the_same_labels_give_the_same_counter() {
        let registry = Registry::default();
        registry.counter(&LIMIT_HITS, &["a"]).inc();
        registry.counter(&LIMIT_HITS, &["a"]).inc();
        registry.counter(&LIMIT_HITS, &["b"]).inc();
        assert_eq!(numbers(&registry, &LIMIT_HITS, &Levels::default()), [2.0, 1.0]);
    }

    #[test]
    fn what_stands_is_there_only_while_it_is_said() {
        let registry = Registry::default();
        let mut levels = Levels::default();
        levels.count(&TENANTS, &["usable"], 2);
        levels.count(&TENANTS, &["usable"], 3);
        assert_eq!(numbers(&registry, &TENANTS, &levels), [5.0]);
        assert_eq!(numbers(&registry, &TENANTS, &Levels::default()), [0.0; 0]);
    }

    fn numbers(registry: &Registry, family: &Family, levels: &Levels) -> Vec<f64> {
        match registry.values(family, levels) {
            Values::Numbers(numbers) => numbers.into_iter().map(|(_, value)| value).collect(),
            Values::Times(_) => Vec::new(),
        }
    }
}
