//! A store that leaves nothing behind: for the demo and for tests.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;

use super::failure::VaultFailed;
use super::record::{Name, Record};
use super::store::{MOST, PAGE, Promised, Store};

/// Records of this process alone.
#[derive(Debug, Default)]
pub struct Memory(Mutex<BTreeMap<Name, Record>>);

impl Memory {
    fn records(&self) -> MutexGuard<'_, BTreeMap<Name, Record>> {
        // No call leaves the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn check(&self) -> Promised<'_, Vec<String>> {
        at_once(Ok(Vec::new()))
    }

    fn dormant(&self, until: Timestamp) -> Promised<'_, Vec<Record>> {
        let records = self.records();
        let asleep = records.values().filter(|record| record.dormant.is_some_and(|at| at <= until));
        at_once(Ok(asleep.take(PAGE).cloned().collect()))
    }

    fn page(&self, after: Option<Name>) -> Promised<'_, Vec<Record>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let records = self.records();
        let page = records.range((from, Bound::Unbounded)).take(PAGE);
        at_once(Ok(page.map(|(_, record)| record.clone()).collect()))
    }

    fn read(&self, name: &Name) -> Promised<'_, Option<Record>> {
        at_once(Ok(self.records().get(name).cloned()))
    }

    fn remove(&self, name: &Name) -> Promised<'_, bool> {
        at_once(Ok(self.records().remove(name).is_some()))
    }

    fn swap(&self, old: Record, new: Option<Record>) -> Promised<'_, bool> {
        let mut records = self.records();
        let same = records.get(&old.name) == Some(&old);
        if same {
            records.remove(&old.name);
            records.extend(new.map(|new| (new.name.clone(), new)));
        }
        at_once(Ok(same))
    }

    fn write(&self, new: Vec<Record>) -> Promised<'_, ()> {
        let mut records = self.records();
        let more = new.iter().filter(|record| !records.contains_key(&record.name)).count();
        if records.len() + more > MOST {
            return at_once(Err(VaultFailed::Full));
        }
        records.extend(new.into_iter().map(|record| (record.name.clone(), record)));
        at_once(Ok(()))
    }
}

fn at_once<'a, T: Send + 'a>(answer: Result<T, VaultFailed>) -> Promised<'a, T> {
    Box::pin(std::future::ready(answer))
}
