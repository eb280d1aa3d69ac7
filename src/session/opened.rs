//! Sessions whose cookies were opened lately, so that the next request with the same cookie needs
//! no key and no decoding.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::SessionState;

/// Remembers what sealed values held. A value opens to the same state every time, so this changes
/// no answer: whether the state still lives is asked at each request. Only what opened gets in.
/// There is one place for each value and many values for each place; the latest has it.
pub(super) struct Opened {
    places: Box<[Mutex<Option<Entry>>]>,
}

struct Entry {
    sealed: Box<[u8]>,
    state: Arc<SessionState>,
}

impl Opened {
    pub(super) fn new() -> Self {
        Self { places: (0..PLACES).map(|_| Mutex::default()).collect() }
    }

    /// What `sealed` held, if it was opened lately.
    pub(super) fn state(&self, sealed: &[u8]) -> Option<Arc<SessionState>> {
        let place = self.place(sealed)?;
        place.as_ref().filter(|entry| same(&entry.sealed, sealed)).map(|entry| entry.state.clone())
    }

    /// Remembers what `sealed` held.
    pub(super) fn remember(&self, sealed: &[u8], state: &Arc<SessionState>) {
        if sealed.len() > LONGEST {
            return;
        }
        if let Some(mut place) = self.place(sealed) {
            *place = Some(Entry { sealed: sealed.into(), state: state.clone() });
        }
    }

    /// By four letters of the nonce, which nobody but us chooses for a value that opens.
    fn place(&self, sealed: &[u8]) -> Option<MutexGuard<'_, Option<Entry>>> {
        let letters = sealed.get(NONCE..)?.first_chunk::<4>()?;
        let number = letters.iter().fold(0, |sum, letter| sum * 61 + usize::from(*letter));
        Some(self.places[number % PLACES].lock().unwrap_or_else(PoisonError::into_inner))
    }
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

/// Sessions remembered at most; with [`LONGEST`] this bounds the memory at some 8 MB for a host.
const PLACES: usize = 1024;
/// Bytes of a sealed value at most; a longer one is opened each time.
const LONGEST: usize = 4096;
/// Where in a sealed value letters of the nonce alone begin.
const NONCE: usize = 8;

#[cfg(test)]
mod tests {
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
}
