//! Processes that follow this one, and hear of everything it has to remember.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;

use super::record::Record;

/// One thing to remember, as it goes from process to process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Sessions were remembered as ended for at least this many seconds.
    Absolute(u64),
    /// A session that was ended, and when its person had signed in.
    Ended([u8; 16], Timestamp),
    /// A session in memory, as it was written last.
    Kept([u8; 16], Record),
    /// A mark, and that what has it and began no later than then is over.
    Marked([u8; 16], Timestamp),
    /// All sessions with a mark of this one's shard that are as old as this are refused.
    MarksRefusedUntil([u8; 16], Timestamp),
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
    /// How many bytes a note begins with on its way.
    pub const HEAD: usize = 25;

    /// A letter, the id or zeros, and a number, most significant byte first; a session follows, and
    /// then the number is how many bytes it is.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (letter, id, number) = match self {
            Self::Absolute(seconds) => (b'a', &[0; 16], *seconds),
            Self::Ended(id, time) => (b'e', id, time.0),
            Self::Kept(id, record) => {
                let bytes = record.to_bytes();
                return [b"k", &id[..], &(bytes.len() as u64).to_be_bytes(), &bytes].concat();
            }
            Self::Marked(mark, time) => (b'm', mark, time.0),
            Self::MarksRefusedUntil(mark, time) => (b'n', mark, time.0),
            Self::RefusedUntil(id, time) => (b'r', id, time.0),
            Self::Spent(id, time) => (b's', id, time.0),
            Self::Used(id, time) => (b'u', id, time.0),
        };
        [&[letter], &id[..], &number.to_be_bytes()].concat()
    }

    /// How many bytes follow these; `None` where no note is as long.
    pub fn more(head: &[u8; Self::HEAD]) -> Option<usize> {
        let number = head.last_chunk::<8>().map_or(0, |number| u64::from_be_bytes(*number));
        match head[0] {
            b'k' => usize::try_from(number).ok().filter(|more| *more <= 2 * Record::MOST),
            _ => Some(0),
        }
    }

    /// Reads what [`Note::to_bytes`] wrote; `None` for a letter it does not know.
    pub fn from_bytes(head: &[u8; Self::HEAD], more: &[u8]) -> Option<Self> {
        let (mut id, mut number) = ([0; 16], [0; 8]);
        id.copy_from_slice(&head[1..17]);
        number.copy_from_slice(&head[17..]);
        let time = Timestamp(u64::from_be_bytes(number));
        match head[0] {
            b'k' => Record::from_bytes(more).map(|record| Self::Kept(id, record)),
            b'a' => Some(Self::Absolute(time.0)),
            b'e' => Some(Self::Ended(id, time)),
            b'm' => Some(Self::Marked(id, time)),
            b'n' => Some(Self::MarksRefusedUntil(id, time)),
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
            senders.retain(|heir| heir.send(note.clone()).is_ok());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(9);

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let (id, time) = ([7; 16], Timestamp(0x0102_0304_0506_0708));
        for note in [
            Note::Absolute(28_800),
            Note::Ended(id, time),
            Note::Kept(id, Record { sealed: b"sealed"[..].into(), signed_in: time, seen: NOW }),
            Note::Marked(id, time),
            Note::MarksRefusedUntil(id, time),
            Note::RefusedUntil(id, time),
            Note::Spent(id, time),
            Note::Used(id, time),
        ] {
            let bytes = note.to_bytes();
            let (head, more) = bytes.split_first_chunk::<{ Note::HEAD }>().unwrap();
            assert_eq!(Note::more(head), Some(more.len()));
            assert_eq!(Note::from_bytes(head, more), Some(note));
        }
        assert_eq!(Note::from_bytes(&[0; Note::HEAD], b""), None);
        assert_eq!(Note::more(&[b'k'; Note::HEAD]), None, "nobody is made to hold as much");
    }
}
