//! A store that leaves nothing behind: for the demo and for tests.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;

use super::failure::VaultFailed;
use super::outbox::{Backlog, Claim, Letter, MOST_LETTERS, NEVER, Waiting};
use super::record::{Name, Record};
use super::store::{MOST, PAGE, Promised, Store};

/// Records and letters of this process alone.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    records: BTreeMap<Name, Record>,
    letters: BTreeMap<u64, Waiting>,
    aside: BTreeMap<u64, Waiting>,
    /// The number of the youngest letter there ever was.
    youngest: u64,
}

impl Memory {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        // No call leaves it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn has_room(&self, letters: &[Letter]) -> bool {
        letters.iter().enumerate().all(|(index, letter)| {
            let same = |other: &&Letter| is_same_app(&other.name, &letter.name);
            // Each app is counted once.
            let counted = letters[..index].iter().any(|other| same(&other));
            let waiting = self.letters.values().map(|waiting| &waiting.letter);
            counted || waiting.chain(letters).filter(same).count() <= MOST_LETTERS
        })
    }

    fn add(&mut self, letters: impl IntoIterator<Item = Letter>) {
        for letter in letters {
            self.youngest += 1;
            let (number, due) = (self.youngest, letter.written);
            self.letters.insert(number, Waiting { number, letter, due, tries: 0 });
        }
    }

    /// Whether it is the oldest of its name.
    fn is_next(&self, waiting: &Waiting) -> bool {
        let older = self.letters.range(..waiting.number);
        older.into_iter().all(|(_, older)| older.letter.name != waiting.letter.name)
    }

    fn same(&mut self, letter: &Waiting) -> Option<&mut Waiting> {
        self.letters.get_mut(&letter.number).filter(|kept| kept.letter.id == letter.letter.id)
    }
}

fn is_same_app(one: &Name, other: &Name) -> bool {
    one.environment == other.environment && one.client_id == other.client_id
}

impl Store for Memory {
    fn check(&self) -> Promised<'_, Vec<String>> {
        at_once(Ok(Vec::new()))
    }

    fn dormant(&self, until: Timestamp) -> Promised<'_, Vec<Record>> {
        let kept = self.kept();
        let records = kept.records.values();
        let asleep = records.filter(|record| record.dormant.is_some_and(|at| at <= until));
        at_once(Ok(asleep.take(PAGE).cloned().collect()))
    }

    fn page(&self, after: Option<Name>) -> Promised<'_, Vec<Record>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let kept = self.kept();
        let page = kept.records.range((from, Bound::Unbounded)).take(PAGE);
        at_once(Ok(page.map(|(_, record)| record.clone()).collect()))
    }

    fn read(&self, name: &Name) -> Promised<'_, Option<Record>> {
        at_once(Ok(self.kept().records.get(name).cloned()))
    }

    fn remove(&self, name: &Name, letter: Option<Letter>) -> Promised<'_, bool> {
        let mut kept = self.kept();
        let there = kept.records.remove(name).is_some();
        if there {
            kept.add(letter);
        }
        at_once(Ok(there))
    }

    fn swap(&self, old: Record, new: Option<Record>, letter: Option<Letter>) -> Promised<'_, bool> {
        let mut kept = self.kept();
        let same = kept.records.get(&old.name) == Some(&old);
        if same {
            if !kept.has_room(letter.as_slice()) {
                return at_once(Err(VaultFailed::OutboxFull));
            }
            kept.records.remove(&old.name);
            kept.records.extend(new.map(|new| (new.name.clone(), new)));
            kept.add(letter);
        }
        at_once(Ok(same))
    }

    fn write(&self, new: Vec<Record>, letters: Vec<Letter>) -> Promised<'_, ()> {
        let mut kept = self.kept();
        let more = new.iter().filter(|record| !kept.records.contains_key(&record.name)).count();
        if kept.records.len() + more > MOST {
            return at_once(Err(VaultFailed::Full));
        }
        if !kept.has_room(&letters) {
            return at_once(Err(VaultFailed::OutboxFull));
        }
        kept.records.extend(new.into_iter().map(|record| (record.name.clone(), record)));
        kept.add(letters);
        at_once(Ok(()))
    }

    fn claim(&self, claim: Claim) -> Promised<'_, Vec<Waiting>> {
        let mut kept = self.kept();
        let app = |name: &Name| {
            name.environment == claim.environment && name.client_id == claim.client_id
        };
        let next = kept.letters.values().filter(|waiting| {
            app(&waiting.letter.name) && waiting.due <= claim.now && kept.is_next(waiting)
        });
        let numbers: Vec<u64> = next.map(|waiting| waiting.number).take(claim.most).collect();
        let mut claimed = Vec::new();
        for number in numbers {
            if let Some(waiting) = kept.letters.get_mut(&number) {
                waiting.due = claim.until;
                waiting.tries = waiting.tries.saturating_add(1);
                claimed.push(waiting.clone());
            }
        }
        at_once(Ok(claimed))
    }

    fn backlog(&self) -> Promised<'_, Backlog> {
        let kept = self.kept();
        let oldest = kept.letters.values().map(|waiting| waiting.letter.written).min();
        at_once(Ok(Backlog { letters: kept.letters.len(), oldest, aside: kept.aside.len() }))
    }

    fn aside(&self) -> Promised<'_, Vec<Waiting>> {
        at_once(Ok(self.kept().aside.values().cloned().collect()))
    }

    fn set_aside(&self, claimed: Waiting) -> Promised<'_, bool> {
        let mut kept = self.kept();
        let same = kept.same(&claimed).is_some_and(|waiting| waiting.tries == claimed.tries);
        if same && let Some(waiting) = kept.letters.remove(&claimed.number) {
            kept.aside.insert(claimed.number, Waiting { due: NEVER, ..waiting });
        }
        at_once(Ok(same))
    }

    fn letters(&self, after: Option<u64>) -> Promised<'_, Vec<Waiting>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let kept = self.kept();
        let page = kept.letters.range((from, Bound::Unbounded)).take(PAGE);
        at_once(Ok(page.map(|(_, waiting)| waiting.clone()).collect()))
    }

    fn put_off(&self, claimed: Waiting, due: Timestamp) -> Promised<'_, bool> {
        let mut kept = self.kept();
        let same = kept.same(&claimed).filter(|waiting| waiting.tries == claimed.tries);
        at_once(Ok(same.map(|waiting| waiting.due = due).is_some()))
    }

    fn reseal(&self, letter: Waiting, sealed: String) -> Promised<'_, bool> {
        let mut kept = self.kept();
        let same = kept.same(&letter).filter(|kept| kept.letter.sealed == letter.letter.sealed);
        at_once(Ok(same.map(|waiting| waiting.letter.sealed = sealed).is_some()))
    }

    fn taken(&self, letter: Waiting) -> Promised<'_, bool> {
        let mut kept = self.kept();
        if letter.due == NEVER {
            return at_once(Ok(kept.aside.remove(&letter.number).is_some()));
        }
        let there = kept.same(&letter).is_some();
        if there {
            kept.letters.remove(&letter.number);
        }
        at_once(Ok(there))
    }
}

fn at_once<'a, T: Send + 'a>(answer: Result<T, VaultFailed>) -> Promised<'a, T> {
    Box::pin(std::future::ready(answer))
}
