//! Where a body ends.

use super::chunks::{Chunks, Outcome};

/// What is still to come of a body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    Chunked(Chunks),
    Length(u64),
}

impl Body {
    pub(super) fn chunked() -> Self {
        Self::Chunked(Chunks::default())
    }

    pub(super) fn is_complete(&self) -> bool {
        match self {
            Self::Chunked(chunks) => chunks.is_complete(),
            Self::Length(left) => *left == 0,
        }
    }

    /// How many of `bytes` belong to the body and are as they should be, and what comes after.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> (usize, Outcome) {
        match self {
            Self::Chunked(chunks) => chunks.pass(bytes),
            Self::Length(left) => {
                let count = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= count as u64;
                (count, if *left == 0 { Outcome::Complete } else { Outcome::More })
            }
        }
    }
}
