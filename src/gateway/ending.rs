//! Why what has no end of its own, or not yet, is given one.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::telemetry::Unfit;

/// Whose time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The gateway's.
    Drain,
    /// The session's, under which it began.
    Session(Unfit),
}

/// An end that may come; the first that comes stays.
#[derive(Debug, Default)]
pub(super) struct Ending(AtomicU8);

impl Ending {
    pub(super) fn comes(&self, end: End) {
        let word = match end {
            End::Drain => DRAIN,
            End::Session(why) => SESSION + why as u8,
        };
        let _is_the_first = self.0.compare_exchange(0, word, Ordering::Release, Ordering::Relaxed);
    }

    pub(super) fn is_there(&self) -> bool {
        self.0.load(Ordering::Acquire) != 0
    }

    pub(super) fn what(&self) -> Option<End> {
        match self.0.load(Ordering::Acquire) {
            0 => None,
            DRAIN => Some(End::Drain),
            word => {
                let why = Unfit::EVERY.get(usize::from(word - SESSION));
                why.map(|why| End::Session(*why))
            }
        }
    }
}

const DRAIN: u8 = 1;
const SESSION: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_end_stays() {
        for (end, other) in Unfit::EVERY
            .map(|why| (End::Session(why), End::Drain))
            .into_iter()
            .chain([(End::Drain, End::Session(Unfit::Ended))])
        {
            let ending = Ending::default();
            assert!(!ending.is_there() && ending.what().is_none());
            ending.comes(end);
            ending.comes(other);
            assert_eq!(ending.what(), Some(end));
        }
    }
}
