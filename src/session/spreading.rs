//! Where what is over is told on to: a folder on the disk, and the store that replicas share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::redis_link::LinkFailed;

use super::journal::Journal;
use super::shared_list::{Bookmark, SharedList};
use super::what::Over;

/// Both, where they are configured.
#[derive(Debug, Default)]
pub(super) struct Spreading {
    keepers: Mutex<Keepers>,
    /// Something was not told, or Redis may have lost what it was told.
    untold: AtomicBool,
    /// There is a list, and it was never read: nobody knows who was ended.
    ignorant: AtomicBool,
}

#[derive(Debug, Default)]
struct Keepers {
    journal: Option<Arc<Journal>>,
    list: Option<SharedList>,
    bookmark: Bookmark,
}

/// What was revoked holds here, but others, or this process after a restart, may not have heard of it.
#[derive(Debug, thiserror::Error)]
pub enum NotSpread {
    #[error("it is not on the disk: {0}")]
    Disk(#[from] std::io::Error),
    #[error("the store that replicas share has not heard of it: {0}")]
    Link(#[from] LinkFailed),
}

impl Spreading {
    /// Goes on with these; whether the journal is another than before.
    pub fn over(&self, journal: Option<&Arc<Journal>>, list: Option<SharedList>) -> bool {
        let mut keepers = self.keepers();
        let same = match (&keepers.journal, journal) {
            (Some(before), Some(now)) => Arc::ptr_eq(before, now),
            (before, now) => before.is_none() && now.is_none(),
        };
        keepers.journal = journal.cloned();
        keepers.list = list;
        !same
    }

    /// Nobody is let in before the list was read, or a process is taken over from that has.
    pub fn waits_for_the_list(&self) {
        self.ignorant.store(self.keepers().list.is_some(), Ordering::SeqCst);
    }

    /// What is over is known.
    pub fn knows(&self) {
        self.ignorant.store(false, Ordering::SeqCst);
    }

    pub fn is_ignorant(&self) -> bool {
        self.ignorant.load(Ordering::Acquire)
    }

    /// Tells these, and returns when they are kept.
    pub async fn tell(&self, over: &[Over], now: Timestamp) -> Result<(), NotSpread> {
        let (journal, list) = {
            let keepers = self.keepers();
            (keepers.journal.clone(), keepers.list.clone())
        };
        let kept = match &journal {
            Some(journal) => journal.keep(over.to_vec(), now).await,
            None => Ok(()),
        };
        if let Some(list) = &list
            && let Err(failed) = list.add(over, now).await
        {
            self.untold.store(true, Ordering::SeqCst);
            return Err(failed.into());
        }
        Ok(kept?)
    }

    /// What came to the list since it was last read; `None` where there is no list. `all` is what is
    /// known here, in case the list has not.
    pub async fn hear(
        &self,
        all: impl FnOnce() -> Vec<Over>,
        now: Timestamp,
    ) -> Result<Option<Vec<Over>>, LinkFailed> {
        let (list, mut bookmark) = {
            let keepers = self.keepers();
            (keepers.list.clone(), keepers.bookmark.clone())
        };
        let Some(list) = list else { return Ok(None) };
        let mut heard = Vec::new();
        loop {
            let read = list.read(&bookmark).await?;
            if read.is_another {
                self.untold.store(true, Ordering::SeqCst);
            }
            bookmark = read.bookmark;
            let done = read.over.is_empty();
            heard.extend(read.over);
            if done {
                break;
            }
        }
        self.keepers().bookmark = bookmark;
        // What fails meanwhile is told the next time, with everything.
        if self.untold.swap(false, Ordering::SeqCst)
            && let Err(failed) = list.add(&all(), now).await
        {
            self.untold.store(true, Ordering::SeqCst);
            return Err(failed);
        }
        Ok(Some(heard))
    }

    fn keepers(&self) -> MutexGuard<'_, Keepers> {
        self.keepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
