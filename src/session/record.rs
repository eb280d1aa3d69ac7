//! A session as a store keeps it: sealed, and beside it no more than what says when it is over.

use std::sync::Arc;

use crate::clock::Timestamp;

/// What a store keeps of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub sealed: Arc<[u8]>,
    pub signed_in: Timestamp,
    /// When it was last written: the idle lifetime counts from here.
    pub seen: Timestamp,
}

impl Record {
    /// The two times, most significant byte first, and what is sealed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let times = [self.signed_in.0.to_be_bytes(), self.seen.0.to_be_bytes()];
        [times.as_flattened(), &self.sealed].concat()
    }

    /// Reads what [`Record::to_bytes`] wrote; `None` where that is too short.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (signed_in, rest) = bytes.split_first_chunk::<8>()?;
        let (seen, sealed) = rest.split_first_chunk::<8>()?;
        let time = |bytes: &[u8; 8]| Timestamp(u64::from_be_bytes(*bytes));
        Some(Self { sealed: sealed.into(), signed_in: time(signed_in), seen: time(seen) })
    }

    /// Bytes at most: no sign-in brings as much.
    pub const MOST: usize = 256 * 1024;
}
