//! What can be wrong with a vault, each with its own words.

use std::error::Error;

use crate::redis_link::LinkFailed;

use super::record::Name;

/// Why the vault did not do what was asked. After a failed write the old value stands.
#[derive(Debug, thiserror::Error)]
pub enum VaultFailed {
    /// Somebody else held the file's write lock too long, or too much was asked at once.
    #[error("the vault is busy: another process is writing to it, or too many ask at once")]
    Busy,
    /// The file's structure is damaged. What can still be read is read; nothing is written.
    #[error("the vault is damaged: {0}")]
    Corrupt(String),
    /// No space for the write.
    #[error("the disk is full, or the vault has reached 1 GiB: nothing was written")]
    DiskFull,
    /// One entry cannot be opened; the others can.
    #[error("the entry {name} {why}")]
    Entry { name: Name, why: Unopened },
    /// A vault has a largest number of entries.
    #[error("the vault is full: it takes 100,000 entries")]
    Full,
    /// Redis cannot be asked, or refuses: nothing has changed.
    #[error("the vault cannot be read or written: {0}")]
    Redis(LinkFailed),
    /// The operating system said no.
    #[error("the vault cannot be read or written: {reason}")]
    Io { reason: String, source: Option<Box<dyn Error + Send + Sync>> },
    /// Too long to be what it is called.
    #[error("{field} is empty or too long to be kept")]
    Length { field: &'static str },
    /// A later version wrote it.
    #[error(
        "the vault has format {found}, and this program knows format {known}: run the program that \
         wrote it, or a later one"
    )]
    Newer { found: i64, known: i64 },
    /// Another kind of file, or one whose first bytes are damaged.
    #[error("the file is no vault, or its first bytes are damaged; it was left as it is")]
    NotAVault,
    /// Too many events wait to be told to one app: nothing was written.
    #[error("the outbox is full: 10,000 events wait until the app's webhook takes them")]
    OutboxFull,
    /// The file, its folder or its disk cannot be written.
    #[error("the vault cannot be written: its file, folder or disk is read-only for this user")]
    ReadOnly,
    /// The thread that keeps the file has ended.
    #[error("the vault has stopped")]
    Stopped,
    /// No answer in time; whether a write happened is not known.
    #[error("the vault did not answer in time; whether a write took effect is not known")]
    TooLate,
    /// The file, or the log beside it, cannot be opened.
    #[error("the vault's file, or the log beside it, cannot be opened")]
    Unopened,
}

/// Why an entry does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    #[error("is damaged: it is not what was written")]
    Damaged,
    #[error("is sealed with a key that is not in vault.keys")]
    KeyMissing,
}

impl From<LinkFailed> for VaultFailed {
    fn from(failed: LinkFailed) -> Self {
        match failed {
            LinkFailed::Busy => Self::Busy,
            LinkFailed::Lost(_) | LinkFailed::TimedOut => Self::TooLate,
            other => Self::Redis(other),
        }
    }
}
