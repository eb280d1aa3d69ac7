//! Changes to a vault that an app hears of, and the letters that wait until it has.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::clock::Timestamp;
use crate::identity::TenantKey;

use super::entries::Vault;
use super::entry::Entry;
use super::event::{Event, EventKind, Telling};
use super::failure::{Unopened, VaultFailed};
use super::outbox::{Backlog, Claim, NEVER, Waiting};
use super::record::Name;

impl Vault {
    /// Keeps what an administrator's consent gave, and the news of it with it.
    ///
    /// # Errors
    /// [`VaultFailed`]: neither was written, and the old value stands; so also when the outbox is
    /// full.
    pub async fn install(&self, entry: Entry, telling: Telling) -> Result<(), VaultFailed> {
        if telling == Telling::Nobody {
            return self.put(entry).await;
        }
        let kind = match self.look(&entry.key).await {
            Ok(Some(before)) if before.dormant.is_some() => EventKind::Restored,
            Ok(Some(_)) => EventKind::TokenReplaced,
            Ok(None) | Err(VaultFailed::Entry { .. }) => EventKind::Installed,
            Err(failed) => return Err(failed),
        };
        entry.check_lengths()?;
        let by = Some(entry.consented_by.as_str());
        let letter = self.sealer.letter(&entry, (kind, by), self.clock.now());
        self.store.write(vec![self.sealer.seal(&entry)], vec![letter]).await?;
        self.bell.notify_one();
        // The entry is kept; what could not be cleared away goes with the next one.
        let _next_time = self.prune().await;
        Ok(())
    }

    /// Deletes the entry for good at an administrator's word, also one that does not open; `false`
    /// when there is none. It is never refused because too many letters wait.
    ///
    /// # Errors
    /// [`VaultFailed`]: nothing was deleted.
    pub async fn uninstall(
        &self,
        key: &TenantKey,
        by: &str,
        telling: Telling,
    ) -> Result<bool, VaultFailed> {
        if telling == Telling::Nobody {
            return self.forget(key).await;
        }
        let what = (EventKind::Uninstalled, Some(by));
        let letter = match self.look(key).await {
            Ok(None) => return Ok(false),
            Ok(Some(entry)) => self.sealer.letter(&entry, what, self.clock.now()),
            Err(_unopened) => self.sealer.letter_about(key, what, self.clock.now()),
        };
        let gone = self.store.remove(&Name::from(key), Some(letter)).await?;
        self.bell.notify_one();
        Ok(gone)
    }

    /// The letters of an app that may be delivered now, each with what it tells. They are this
    /// caller's until `until`.
    ///
    /// # Errors
    /// [`VaultFailed`]: none is claimed.
    pub async fn claim(
        &self,
        claim: Claim,
    ) -> Result<Vec<(Waiting, Result<Event, Unopened>)>, VaultFailed> {
        let claimed = self.store.claim(claim).await?;
        Ok(claimed.into_iter().map(|waiting| self.opened_letter(waiting)).collect())
    }

    /// The letter was delivered, or somebody gives it up: it goes.
    ///
    /// # Errors
    /// [`VaultFailed`]: it may come again.
    pub async fn taken(&self, letter: Waiting) -> Result<bool, VaultFailed> {
        self.store.taken(letter).await
    }

    /// The letter is tried again at another time, unless somebody else has claimed it since.
    ///
    /// # Errors
    /// [`VaultFailed`]: it is tried again when the claim is over.
    pub async fn put_off(&self, letter: Waiting, due: Timestamp) -> Result<bool, VaultFailed> {
        self.store.put_off(letter, due).await
    }

    /// Every letter that waits, with what it tells, in the order they were written.
    ///
    /// # Errors
    /// [`VaultFailed`] when the vault cannot be read.
    pub async fn letters(&self) -> Result<Vec<(Waiting, Result<Event, Unopened>)>, VaultFailed> {
        let mut found: Vec<(Waiting, Result<Event, Unopened>)> = Vec::new();
        loop {
            let after = found.last().map(|(waiting, _)| waiting.number);
            let page = self.store.letters(after).await?;
            if page.is_empty() {
                return Ok(found);
            }
            found.extend(page.into_iter().map(|waiting| self.opened_letter(waiting)));
        }
    }

    /// How much waits.
    ///
    /// # Errors
    /// [`VaultFailed`] when the vault cannot be read.
    pub async fn backlog(&self) -> Result<Backlog, VaultFailed> {
        self.store.backlog().await
    }

    /// Takes a claimed letter that is damaged out of the way of the next of its tenant. It is kept
    /// until somebody gives it up.
    ///
    /// # Errors
    /// [`VaultFailed`]: it is claimed again when the claim is over.
    pub async fn set_aside(&self, letter: Waiting) -> Result<bool, VaultFailed> {
        if letter.due == NEVER { Ok(true) } else { self.store.set_aside(letter).await }
    }

    /// Every letter that was set aside.
    ///
    /// # Errors
    /// [`VaultFailed`] when the vault cannot be read.
    pub async fn aside(&self) -> Result<Vec<Waiting>, VaultFailed> {
        self.store.aside().await
    }

    /// Rings when this process has written a letter.
    pub fn bell(&self) -> Arc<Notify> {
        self.bell.clone()
    }

    fn opened_letter(&self, waiting: Waiting) -> (Waiting, Result<Event, Unopened>) {
        let event = match waiting.due {
            NEVER => Err(Unopened::Damaged),
            _ => self.sealer.event(&waiting.letter),
        };
        (waiting, event)
    }
}
