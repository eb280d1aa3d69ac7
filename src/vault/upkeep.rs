//! What people do with a vault as a whole: list it, look through it, seal it anew.

use crate::crypto::SealedBy;

use super::entries::Vault;
use super::entry::{Entry, Summary};
use super::failure::{Unopened, VaultFailed};
use super::outbox::Waiting;
use super::portable::{LineRefused, read_line};
use super::record::{Name, Record};

/// Part of a vault, in order of name.
#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next part begins; `None` when this one is empty, and the last.
    pub after: Option<Name>,
}

/// One entry of a list.
#[derive(Clone, Debug)]
pub struct Listed {
    pub name: Name,
    /// What it holds but for the token, if it opens.
    pub found: Result<Summary, Unopened>,
}

/// What a look through a whole vault found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    pub entries: usize,
    /// Of them, those that open.
    pub opened: usize,
    pub dormant: usize,
    /// Those that open, but not with the first key.
    pub older_key: usize,
    /// Events that wait to be told.
    pub letters: usize,
    /// Events that were damaged and are kept apart.
    pub aside: usize,
    pub faults: Vec<Fault>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The entry; `None` when it is the file as a whole.
    pub name: Option<Name>,
    pub words: String,
}

/// What sealing anew came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Sealed with the first key now.
    pub anew: usize,
    /// Sealed with it before.
    pub current: usize,
    /// Events that wait to be told, sealed with it now.
    pub letters: usize,
    /// Not opened, and left as they are.
    pub left: Vec<Fault>,
}

impl Vault {
    /// Up to 500 entries after the one named, without tokens. What has been dormant for too long
    /// goes first.
    ///
    /// # Errors
    /// [`VaultFailed`] when the vault as a whole cannot be read.
    pub async fn list(&self, after: Option<Name>) -> Result<Page<Listed>, VaultFailed> {
        if after.is_none() {
            // What cannot be cleared away is listed.
            let _next_time = self.prune().await;
        }
        let page = self.entries(after).await?;
        let listed = |(record, opened): (Record, Result<Entry, Unopened>)| {
            let sealed_by = self.sealer.sealed_by(&record);
            Listed { name: record.name, found: opened.map(|entry| entry.summary(sealed_by)) }
        };
        Ok(Page { items: page.items.into_iter().map(listed).collect(), after: page.after })
    }

    /// Up to 500 entries after the one named, as they are kept and opened.
    ///
    /// # Errors
    /// [`VaultFailed`] when the vault as a whole cannot be read.
    pub async fn entries(
        &self,
        after: Option<Name>,
    ) -> Result<Page<(Record, Result<Entry, Unopened>)>, VaultFailed> {
        let records = self.store.page(after).await?;
        let after = records.last().map(|record| record.name.clone());
        let opened = |record: Record| {
            let opened = self.sealer.open(&record);
            (record, opened)
        };
        Ok(Page { items: records.into_iter().map(opened).collect(), after })
    }

    /// Reads a line of an export, of either kind, without keeping it.
    ///
    /// # Errors
    /// [`LineRefused`] for anything that could not have been exported, or that our keys do not open.
    pub fn read_line(&self, line: &str) -> Result<Entry, LineRefused> {
        read_line(line, &self.sealer)
    }

    /// Opens every entry, and has the store look at itself and at its settings.
    ///
    /// # Errors
    /// [`VaultFailed`] when it cannot be read at all; what is wrong with it is in the answer.
    pub async fn verify(&self) -> Result<Verified, VaultFailed> {
        let mut found = Verified { faults: self.check().await?, ..Verified::default() };
        let concerns = self.store.concerns().await?;
        found.faults.extend(concerns.into_iter().map(|words| Fault { name: None, words }));
        let mut after = None;
        loop {
            let page = match self.entries(after).await {
                Err(VaultFailed::Corrupt(words)) => {
                    found.faults.push(Fault { name: None, words });
                    return Ok(found);
                }
                page => page?,
            };
            page.items.iter().for_each(|(record, opened)| self.judge(record, opened, &mut found));
            after = page.after;
            if after.is_none() {
                break;
            }
        }
        for (waiting, opened) in self.letters().await? {
            found.letters += 1;
            found.faults.extend(opened.err().map(|why| letter_fault(&waiting, why)));
        }
        for waiting in self.aside().await? {
            found.aside += 1;
            found.faults.push(aside_fault(&waiting));
        }
        Ok(found)
    }

    /// What is wrong with the place as a whole: entries may be missing then.
    ///
    /// # Errors
    /// [`VaultFailed`] when it cannot be read at all.
    pub async fn check(&self) -> Result<Vec<Fault>, VaultFailed> {
        let found = self.store.check().await?;
        Ok(found.into_iter().map(|words| Fault { name: None, words }).collect())
    }

    /// Seals what an older key sealed with the first one, and tells `progress` after each part how
    /// many entries were looked at.
    ///
    /// # Errors
    /// [`VaultFailed`]: it stopped; what was done is done, and the rest is as it was.
    pub async fn rewrap(
        &self,
        mut progress: impl FnMut(usize) + Send,
    ) -> Result<Rewrapped, VaultFailed> {
        let mut done = Rewrapped::default();
        let (mut after, mut seen) = (None, 0);
        loop {
            let page = self.entries(after).await?;
            seen += page.items.len();
            for (record, opened) in page.items {
                self.seal_anew(record, opened, &mut done).await?;
            }
            after = page.after;
            if after.is_none() {
                break;
            }
            progress(seen);
        }
        self.seal_letters_anew(&mut done).await?;
        Ok(done)
    }

    async fn seal_letters_anew(&self, done: &mut Rewrapped) -> Result<(), VaultFailed> {
        for (waiting, _) in self.letters().await? {
            match self.sealer.letter_anew(&waiting) {
                Ok(None) => {}
                Ok(Some(sealed)) => {
                    done.letters += usize::from(self.store.reseal(waiting, sealed).await?);
                }
                Err(why) => done.left.push(letter_fault(&waiting, why)),
            }
        }
        done.left.extend(self.aside().await?.iter().map(aside_fault));
        Ok(())
    }

    async fn seal_anew(
        &self,
        record: Record,
        opened: Result<Entry, Unopened>,
        done: &mut Rewrapped,
    ) -> Result<(), VaultFailed> {
        match opened {
            Err(why) => {
                done.left.push(Fault { name: Some(record.name), words: why.to_string() });
            }
            Ok(_) if self.sealer.sealed_by(&record) == SealedBy::First => done.current += 1,
            // Who changed it meanwhile has sealed it with their first key.
            Ok(entry) => match self.store.swap(record, Some(self.sealer.seal(&entry)), None).await?
            {
                true => done.anew += 1,
                false => done.current += 1,
            },
        }
        Ok(())
    }

    fn judge(&self, record: &Record, opened: &Result<Entry, Unopened>, found: &mut Verified) {
        let fault = |words| Fault { name: Some(record.name.clone()), words };
        found.entries += 1;
        match opened {
            Err(why) => found.faults.push(fault(why.to_string())),
            Ok(entry) => {
                found.opened += 1;
                found.dormant += usize::from(entry.dormant.is_some());
                found.older_key += usize::from(self.sealer.sealed_by(record) != SealedBy::First);
                if !record.is_whole() {
                    found.faults.push(fault("opens, but its checksum is damaged".to_owned()));
                }
            }
        }
    }
}

fn aside_fault(waiting: &Waiting) -> Fault {
    let words = format!("the event {} is damaged and set aside: nobody is told", waiting.letter.id);
    Fault { name: Some(waiting.letter.name.clone()), words }
}

fn letter_fault(waiting: &Waiting, why: Unopened) -> Fault {
    let words = format!("the event {} that waits to be told {why}", waiting.letter.id);
    Fault { name: Some(waiting.letter.name.clone()), words }
}
