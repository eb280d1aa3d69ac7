//! Processes that follow this one, and hear of everything it has to remember.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;

/// One thing to remember, as it goes from process to process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// Sessions were remembered as ended for at least this many seconds.
    Absolute(u64),
    /// A session that was ended, and when its person had signed in.
    Ended([u8; 16], Timestamp),
    /// All sessions of this id's shard that are as old as this are refused.
    RefusedUntil([u8; 16], Timestamp),
    /// An attempt that came back, and until when it has to be known.
    Spent([u8; 16], Timestamp),
    /// A posted token that was taken, and until when it has to be known.
    Used([u8; 16], Timestamp),
}

/// Which set a note of a remembered id is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Spent,
    Used,
}

/// Those who are told.
#[derive(Debug, Default)]
pub(super) struct Heirs {
    any: AtomicBool,
    senders: Mutex<Vec<Sender<Note>>>,
}

impl Note {
    /// How many bytes a note is on its way.
    pub const BYTES: usize = 25;

    /// A letter, the id or zeros, and a number, most significant byte first.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let (letter, id, number) = match self {
            Self::Absolute(seconds) => (b'a', [0; 16], seconds),
            Self::Ended(id, time) => (b'e', id, time.0),
            Self::RefusedUntil(id, time) => (b'r', id, time.0),
            Self::Spent(id, time) => (b's', id, time.0),
            Self::Used(id, time) => (b'u', id, time.0),
        };
        let mut bytes = [letter; Self::BYTES];
        bytes[1..17].copy_from_slice(&id);
        bytes[17..].copy_from_slice(&number.to_be_bytes());
        bytes
    }

    /// Reads what [`Note::to_bytes`] wrote; `None` for a letter it does not know.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let (mut id, mut number) = ([0; 16], [0; 8]);
        id.copy_from_slice(&bytes[1..17]);
        number.copy_from_slice(&bytes[17..]);
        let time = Timestamp(u64::from_be_bytes(number));
        match bytes[0] {
            b'a' => Some(Self::Absolute(time.0)),
            b'e' => Some(Self::Ended(id, time)),
            b'r' => Some(Self::RefusedUntil(id, time)),
            b's' => Some(Self::Spent(id, time)),
            b'u' => Some(Self::Used(id, time)),
            _ => None,
        }
    }
}

impl Kind {
    pub(super) fn note(self, id: [u8; 16], until: Timestamp) -> Note {
        match self {
            Self::Spent => Note::Spent(id, until),
            Self::Used => Note::Used(id, until),
        }
    }
}

impl Heirs {
    pub(super) fn add(&self, heir: Sender<Note>) {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        senders.push(heir);
        self.any.store(true, Ordering::SeqCst);
    }

    pub(super) fn leave(&self) {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        senders.clear();
        self.any.store(false, Ordering::SeqCst);
    }

    /// To be called after what the note says is remembered here: who became an heir meanwhile has
    /// seen it then.
    pub(super) fn tell(&self, note: Note) {
        if self.any.load(Ordering::SeqCst) {
            let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
            senders.retain(|heir| heir.send(note).is_ok());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let (id, time) = ([7; 16], Timestamp(0x0102_0304_0506_0708));
        for note in [
            Note::Absolute(28_800),
            Note::Ended(id, time),
            Note::RefusedUntil(id, time),
            Note::Spent(id, time),
            Note::Used(id, time),
        ] {
            assert_eq!(Note::from_bytes(&note.to_bytes()), Some(note));
        }
        assert_eq!(Note::from_bytes(&[0; Note::BYTES]), None);
    }
}
