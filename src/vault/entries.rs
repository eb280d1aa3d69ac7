//! The vault: entries in and out of a store, sealed on the way.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::{Clock, Timestamp};
use crate::config::{self, Redis, VaultPlace};
use crate::crypto::{KeyRing, Random};
use crate::identity::TenantKey;
use crate::redis_link::{LinkFailed, RedisLink};
use crate::telemetry::{Child, child};

use super::embedded::Embedded;
use super::entry::Entry;
use super::event::{EventKind, Telling};
use super::failure::VaultFailed;
use super::memory::Memory;
use super::record::{Name, Record};
use super::sealer::Sealer;
use super::shared::Shared;
use super::store::{PAGE, Store};
use super::tending::Tending;

/// System user tokens by environment, app and tenant; cheap to clone. A write that is answered with
/// `Ok` is on the disk. Every call ends in time, and blocks no worker.
#[derive(Clone)]
pub struct Vault {
    pub(super) store: Arc<dyn Store>,
    pub(super) sealer: Sealer,
    pub(super) clock: Clock,
    /// Rings when there is a letter to deliver.
    pub(super) bell: Arc<Notify>,
    place: Option<VaultPlace>,
    _tending: Option<Arc<Tending>>,
}

impl Vault {
    /// Opens the place a configuration names, or makes it. Blocks for a file; for Redis nobody waits.
    ///
    /// # Errors
    /// [`VaultFailed`]: it cannot be read, is no vault, or is a later version's.
    pub fn open(vault: &config::Vault, clock: Clock, random: Random) -> Result<Self, VaultFailed> {
        Self::opened_by(vault, clock, random, RedisLink::open)
    }

    /// The same over a link that somebody else makes, where one is needed.
    ///
    /// # Errors
    /// Those of [`Vault::open`].
    pub fn opened_by(
        vault: &config::Vault,
        clock: Clock,
        random: Random,
        link: impl FnOnce(&Redis, Random) -> Result<RedisLink, LinkFailed>,
    ) -> Result<Self, VaultFailed> {
        let store: Arc<dyn Store> = match &vault.place {
            VaultPlace::File(path) => Arc::new(Embedded::open(path)?),
            VaultPlace::Memory => Arc::new(Memory::default()),
            VaultPlace::Redis(redis) => {
                let shared = Shared::over(link(redis, random.clone())?);
                shared.look_at_settings();
                Arc::new(shared)
            }
        };
        let sealer = Sealer::new(vault.keys.clone(), random);
        Ok(Self { place: Some(vault.place.clone()), ..Self::over(store, sealer, clock) })
    }

    /// An empty one that leaves nothing behind, under a key that nobody has.
    pub fn in_memory(clock: Clock, random: Random) -> Self {
        let keys = KeyRing::new(&[random.bytes()]);
        let store = Arc::new(Memory::default());
        Self {
            place: Some(VaultPlace::Memory),
            ..Self::over(store, Sealer::new(keys, random), clock)
        }
    }

    /// A vault over any store.
    pub fn over(store: Arc<dyn Store>, sealer: Sealer, clock: Clock) -> Self {
        let bell = Arc::default();
        Self { store, sealer, clock, bell, place: None, _tending: None }
    }

    /// The vault of a new configuration: the same store under new keys where the place has stayed,
    /// so that one in memory keeps what it has. `None` where it is another place.
    pub fn reopened(&self, vault: &config::Vault, random: Random) -> Option<Self> {
        let sealer = Sealer::new(vault.keys.clone(), random);
        let same = self.place.as_ref() == Some(&vault.place);
        same.then(|| Self { sealer, _tending: None, ..self.clone() })
    }

    /// The same vault, out of which a thread takes what has been dormant for too long: at once, and
    /// again after each `pause`, until the last clone of it is gone. What cannot be taken out now is
    /// tried the next time.
    pub fn tended(self, pause: Duration) -> Self {
        let untended = Self { _tending: None, ..self };
        let vault = untended.clone();
        let tending = Tending::start(pause, move || {
            let vault = vault.clone();
            async move { vault.prune().await }
        });
        Self { _tending: tending.map(Arc::new), ..untended }
    }

    /// The entry to buy tickets with; `None` also for a dormant one.
    ///
    /// # Errors
    /// [`VaultFailed::Entry`] when this one does not open; the others when the vault fails.
    pub async fn get(&self, key: &TenantKey) -> Result<Option<Entry>, VaultFailed> {
        let found = self.look(key).await?;
        Ok(found.filter(|entry| entry.dormant.is_none()))
    }

    /// The entry, dormant or not.
    ///
    /// # Errors
    /// Those of [`Vault::get`].
    pub async fn look(&self, key: &TenantKey) -> Result<Option<Entry>, VaultFailed> {
        let _span = child(Child::Store);
        Ok(self.opened(key).await?.map(|(_, entry)| entry))
    }

    /// Keeps the entry, in the place of one with the same key; what has slept too long goes.
    ///
    /// # Errors
    /// [`VaultFailed`]: nothing was written, and the old value stands.
    pub async fn put(&self, entry: Entry) -> Result<(), VaultFailed> {
        entry.check_lengths()?;
        let _span = child(Child::Store);
        self.store.write(vec![self.sealer.seal(&entry)], Vec::new()).await?;
        // The entry is kept; what could not be cleared away goes with the next one.
        let _next_time = self.prune().await;
        Ok(())
    }

    /// Keeps all of the entries or none, each in the place of one with the same key.
    ///
    /// # Errors
    /// [`VaultFailed`]: nothing was written.
    pub async fn put_all(&self, entries: &[Entry]) -> Result<(), VaultFailed> {
        entries.iter().try_for_each(Entry::check_lengths)?;
        let records = entries.iter().map(|entry| self.sealer.seal(entry)).collect();
        self.store.write(records, Vec::new()).await
    }

    /// Deletes the entry for good, also one that does not open; `false` when there is none.
    ///
    /// # Errors
    /// [`VaultFailed`]: nothing was deleted.
    pub async fn forget(&self, key: &TenantKey) -> Result<bool, VaultFailed> {
        self.store.remove(&Name::from(key), None).await
    }

    /// Marks the entry dormant since `at`; `false` when there is none that is awake. It can be
    /// woken for 30 days.
    ///
    /// # Errors
    /// [`VaultFailed`]: nothing has changed; so also when it is to be told and the outbox is full.
    pub async fn sleep(
        &self,
        key: &TenantKey,
        at: Timestamp,
        telling: Telling,
    ) -> Result<bool, VaultFailed> {
        let asleep =
            |entry: Entry| entry.dormant.is_none().then_some(Entry { dormant: Some(at), ..entry });
        self.change(key, asleep, telling.of(EventKind::Dormant)).await
    }

    /// Ends the sleep of an entry; `false` when there is none that sleeps.
    ///
    /// # Errors
    /// [`VaultFailed`]: nothing has changed; so also when it is to be told and the outbox is full.
    pub async fn wake(&self, key: &TenantKey, telling: Telling) -> Result<bool, VaultFailed> {
        let awake =
            |entry: Entry| entry.dormant.is_some().then_some(Entry { dormant: None, ..entry });
        self.change(key, awake, telling.of(EventKind::Restored)).await
    }

    /// Deletes what has been dormant for more than 30 days, and tells how many. What does not open
    /// stays: its date is not proven.
    ///
    /// # Errors
    /// [`VaultFailed`]: some of them may be there still.
    pub async fn prune(&self) -> Result<usize, VaultFailed> {
        let until = Timestamp(self.clock.now().0.saturating_sub(RESTORABLE));
        let mut gone = 0;
        loop {
            let before = gone;
            let found = self.store.dormant(until).await?;
            let more = found.len() == PAGE;
            for record in found {
                let proven = self.sealer.open(&record).is_ok();
                if proven && self.store.swap(record, None, None).await? {
                    gone += 1;
                }
            }
            if !more || gone == before {
                return Ok(gone);
            }
        }
    }

    /// Changes an entry that nobody else changes meanwhile.
    async fn change(
        &self,
        key: &TenantKey,
        change: impl Fn(Entry) -> Option<Entry>,
        told: Option<EventKind>,
    ) -> Result<bool, VaultFailed> {
        for _ in 0..TRIES {
            let Some((record, entry)) = self.opened(key).await? else { return Ok(false) };
            let Some(changed) = change(entry) else { return Ok(false) };
            let now = self.clock.now();
            let letter = told.map(|kind| self.sealer.letter(&changed, (kind, None), now));
            if self.store.swap(record, Some(self.sealer.seal(&changed)), letter).await? {
                self.bell.notify_one();
                return Ok(true);
            }
        }
        Err(VaultFailed::Busy)
    }

    async fn opened(&self, key: &TenantKey) -> Result<Option<(Record, Entry)>, VaultFailed> {
        let name = Name::from(key);
        let Some(record) = self.store.read(&name).await? else { return Ok(None) };
        match self.sealer.open(&record) {
            Ok(entry) => Ok(Some((record, entry))),
            Err(why) => Err(VaultFailed::Entry { name, why }),
        }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Vault({:?})", self.place)
    }
}

/// How long a dormant entry can be woken, in seconds: 30 days.
pub const RESTORABLE: u64 = 30 * 86_400;

/// Somebody else would have to change the same entry each time.
const TRIES: usize = 8;
