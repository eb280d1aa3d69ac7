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
    /// Whose it is, for lists; empty where that is not known.
    pub label: Arc<[u8]>,
}

impl Record {
    /// The two times and the length of the label, most significant byte first, the label and what is sealed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let lengths = [self.signed_in.0, self.seen.0, self.label.len() as u64];
        [lengths.map(u64::to_be_bytes).as_flattened(), &self.label, &self.sealed].concat()
    }

    /// Reads what [`Record::to_bytes`] wrote; `None` where that is too short.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut record = Self::from_bytes_before(bytes)?;
        let (length, rest) = record.sealed.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
        let (label, sealed) = rest.split_at_checked(length)?;
        (record.label, record.sealed) = (label.into(), sealed.into());
        Some(record)
    }

    /// Reads what a program wrote that kept no labels: the two times and what is sealed.
    pub fn from_bytes_before(bytes: &[u8]) -> Option<Self> {
        let (signed_in, rest) = bytes.split_first_chunk::<8>()?;
        let (seen, sealed) = rest.split_first_chunk::<8>()?;
        let time = |bytes: &[u8; 8]| Timestamp(u64::from_be_bytes(*bytes));
        let (signed_in, seen) = (time(signed_in), time(seen));
        Some(Self { sealed: sealed.into(), signed_in, seen, label: Arc::from([]) })
    }

    /// Bytes at most: no sign-in brings as much.
    pub const MOST: usize = 256 * 1024;
}
