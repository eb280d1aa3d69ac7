//! Every metric at one moment, to be looked up.

use std::collections::BTreeMap;

use super::catalogue;
use super::family::Family;
use super::registry::{Levels, Registry, Values};
use super::series::Times;

/// What was counted, and what stands, at one moment.
pub struct Reading(BTreeMap<&'static str, Values>);

impl Reading {
    pub(super) fn of(registry: &Registry, levels: &Levels) -> Self {
        let every = catalogue::EVERY.iter();
        Self(every.map(|family| (family.name, registry.values(family, levels))).collect())
    }

    /// The sum over everything of a family that has these labels.
    pub fn total(&self, family: &Family, with: &[(&str, &str)]) -> u64 {
        let mut total = 0.0;
        self.numbers(family).for_each(|(labels, value)| {
            if has(family, labels, with) {
                total += value;
            }
        });
        total as u64
    }

    /// A family's sums by the values of one label, without those that are nothing.
    pub fn by(&self, family: &Family, label: &str, with: &[(&str, &str)]) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        let Some(at) = family.labels.iter().position(|name| *name == label) else { return sums };
        for (labels, value) in self.numbers(family) {
            if value > 0.0 && has(family, labels, with) {
                *sums.entry(labels[at].clone()).or_default() += value as u64;
            }
        }
        sums
    }

    /// The times of a family under these labels, in their order.
    pub fn times(&self, family: &Family, labels: &[&str]) -> Times {
        match self.0.get(family.name) {
            Some(Values::Times(every)) => every
                .iter()
                .find(|(known, _)| known == labels)
                .map(|(_, times)| times.clone())
                .unwrap_or_default(),
            Some(Values::Numbers(_)) | None => Times::default(),
        }
    }

    fn numbers(&self, family: &Family) -> impl Iterator<Item = (&[String], f64)> {
        let numbers: &[(Vec<String>, f64)] = match self.0.get(family.name) {
            Some(Values::Numbers(numbers)) => numbers,
            Some(Values::Times(_)) | None => &[],
        };
        numbers.iter().map(|(labels, value)| (labels.as_slice(), *value))
    }
}

fn has(family: &Family, labels: &[String], with: &[(&str, &str)]) -> bool {
    with.iter().all(|(name, value)| {
        let at = family.labels.iter().position(|known| known == name);
        at.is_some_and(|at| labels[at] == *value)
    })
}
