//! Sessions whose cookies were opened lately, so that the next request with the same cookie needs
//! no key and no decoding.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::SessionState;

/// Remembers what sealed values held. A value opens to the same state every time, so this changes
/// no answer: whether the state still lives is asked at each request. Only what opened gets in.
/// There is one place for each value and many values for each place. Who has it keeps it until another
/// is opened for it twice, with no third between: of more people than places most come once, and to make
/// room for each of them would cost more than it spares.
pub(super) struct Opened {
    places: Box<[Mutex<Place>]>,
}

#[derive(Default)]
struct Place {
    entry: Option<Entry>,
    /// The value that was opened last and did not get the place.
    met: u64,
}

struct Entry {
    name: u64,
    sealed: Box<[u8]>,
    state: Arc<SessionState>,
}

impl Opened {
    pub(super) fn new() -> Self {
        Self { places: (0..PLACES).map(|_| Mutex::default()).collect() }
    }

    /// What `sealed` held, if it was opened lately.
    pub(super) fn state(&self, sealed: &[u8]) -> Option<Arc<SessionState>> {
        let name = name(sealed)?;
        let place = self.place(name);
        let entry = place.entry.as_ref().filter(|entry| entry.name == name)?;
        same(&entry.sealed, sealed).then(|| entry.state.clone())
    }

    /// Remembers what `sealed` held, where there is room, or it was the last one to find none.
    pub(super) fn remember(&self, sealed: &[u8], state: &Arc<SessionState>) {
        let Some(name) = name(sealed).filter(|_| sealed.len() <= LONGEST) else { return };
        if !self.takes(name) {
            return;
        }
        let entry = Entry { name, sealed: sealed.into(), state: state.clone() };
        // What lay there is let go of when nobody waits for the place.
        let _gone = self.place(name).entry.replace(entry);
    }

    /// Whether a place is to be had: it is free, or was wanted for the same the time before.
    fn takes(&self, name: u64) -> bool {
        let mut place = self.place(name);
        let takes = place.entry.is_none() || place.met == name;
        place.met = name;
        takes
    }

    fn place(&self, name: u64) -> MutexGuard<'_, Place> {
        // The letters' lowest bits differ least: their product with an odd number has all of them on top.
        let number = name.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - PLACES.ilog2());
        let number = usize::try_from(number).unwrap_or_default();
        self.places[number].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Eight letters of the nonce, which nobody but us chooses for a value that opens. Who finds out by time that
/// one is known has nothing of what else the value must be.
fn name(sealed: &[u8]) -> Option<u64> {
    sealed.get(NONCE..)?.first_chunk().copied().map(u64::from_le_bytes)
}

impl fmt::Debug for Opened {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Opened({PLACES} places)")
    }
}

/// Looks at every byte whatever the ones before it were, so that time tells a forger nothing.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}

/// Sessions remembered at most, a power of two; with [`LONGEST`] this bounds the memory at some 8 MB for a host.
const PLACES: usize = 1024;
const _: () = assert!(PLACES.is_power_of_two() && PLACES > 1, "a place is some bits of a number");
/// Bytes of a sealed value at most; a longer one is opened each time.
const LONGEST: usize = 4096;
/// Where in a sealed value letters of the nonce alone begin.
const NONCE: usize = 8;

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::clock::Timestamp;

    fn state() -> Arc<SessionState> {
        Arc::new(SessionState::of("a@b", [1; 16], Timestamp(1)))
    }

    #[test]
    fn only_the_very_same_value_is_known() {
        let opened = Opened::new();
        let value = b"AQIDBAUGnoncenoncenonce and what it holds";
        opened.remember(value, &state());
        assert!(opened.state(value).is_some());
        for at in 0..value.len() {
            let mut other = value.to_vec();
            other[at] ^= 1;
            assert!(opened.state(&other).is_none(), "byte {at}");
            assert!(opened.state(&value[..at]).is_none(), "the first {at} bytes");
        }
    }

    #[test]
    fn a_place_is_given_up_to_who_is_opened_twice_with_no_third_between() {
        let opened = Opened::new();
        let value = |number: u64| format!("AQIDBAUG{number:08}noncenonce and what it holds");
        let place =
            |number| std::ptr::from_ref(&*opened.place(name(value(number).as_bytes()).unwrap()));
        let mut others = (2..).filter(|other| place(*other) == place(1));
        let [other, third] = [others.next().unwrap(), others.next().unwrap()];
        let remember = |number| opened.remember(value(number).as_bytes(), &state());
        let knows = |number| opened.state(value(number).as_bytes()).is_some();
        remember(1);
        for passing in [other, third, other, third] {
            remember(passing);
            assert!(knows(1) && !knows(passing), "one visit makes nobody give way");
        }
        remember(third);
        assert!(!knows(1) && knows(third));
    }

    #[test]
    fn values_have_places_all_over() {
        let opened = Opened::new();
        let values = (0..8 * PLACES as u64).map(|number| {
            let random = number.wrapping_mul(0x2545_f491_4f6c_dd1d);
            URL_SAFE_NO_PAD.encode([&[1; 6][..], &random.to_be_bytes(), &[2; 4]].concat())
        });
        values.for_each(|value| opened.remember(value.as_bytes(), &state()));
        let taken = opened.places.iter().filter(|place| place.lock().unwrap().entry.is_some());
        let taken = taken.count();
        assert!(taken > PLACES * 99 / 100, "{taken}");
    }
}
