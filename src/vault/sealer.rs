//! Between entries and what a store holds: sealing, opening, and telling why one does not open.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::crypto::{KeyRing, Purpose, Random, SealedBy};
use crate::identity::SystemUserToken;

use super::entry::Entry;
use super::failure::Unopened;
use super::record::{Name, Record};

/// Seals with the first key of `vault.keys`, opens with any of them.
#[derive(Clone, Debug)]
pub struct Sealer {
    pub(super) keys: KeyRing,
    pub(super) random: Random,
}

impl Sealer {
    pub fn new(keys: KeyRing, random: Random) -> Self {
        Self { keys, random }
    }

    /// Everything but the name, which is authenticated and not carried.
    pub fn seal(&self, entry: &Entry) -> Record {
        let name = Name::from(&entry.key);
        let kept = Kept {
            serial: entry.serial.clone(),
            web_api_url: entry.web_api_url.clone(),
            token: entry.token.clone(),
            consented_by: entry.consented_by.clone(),
            stored: entry.stored,
            dormant: entry.dormant,
        };
        // Room enough from the start: a buffer that grows leaves what it held behind.
        let mut plain = Zeroizing::new(Vec::with_capacity(LARGEST));
        serde_json::to_writer(&mut *plain, &kept).expect("strings and numbers are JSON");
        let sealed = self.keys.seal(Purpose::Vault, &name.context(), &plain, &self.random);
        Record::new(name, entry.dormant, sealed)
    }

    /// Opens a record under its own name alone.
    ///
    /// # Errors
    /// [`Unopened`]: another key sealed it, or something of it is not what was written.
    pub fn open(&self, record: &Record) -> Result<Entry, Unopened> {
        let key = record.name.key().ok_or(Unopened::Damaged)?;
        let (context, sealed) = (record.name.context(), record.sealed.as_bytes());
        let plain = self.keys.open(Purpose::Vault, &context, sealed).map_err(|_| {
            match self.keys.sealed_by(sealed) {
                SealedBy::Stranger if record.is_whole() => Unopened::KeyMissing,
                _ => Unopened::Damaged,
            }
        })?;
        let plain = Zeroizing::new(plain);
        let kept: Kept = serde_json::from_slice(&plain).map_err(|_| Unopened::Damaged)?;
        if kept.dormant != record.dormant {
            return Err(Unopened::Damaged);
        }
        let Kept { serial, web_api_url, token, consented_by, stored, dormant } = kept;
        Ok(Entry { key, serial, web_api_url, token, consented_by, stored, dormant })
    }

    /// Which key a record names.
    pub fn sealed_by(&self, record: &Record) -> SealedBy {
        self.keys.sealed_by(record.sealed.as_bytes())
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    serial: String,
    web_api_url: Option<String>,
    token: SystemUserToken,
    consented_by: String,
    stored: Timestamp,
    dormant: Option<Timestamp>,
}

/// More than the longest entry as JSON, most of whose bytes may be escaped to six.
const LARGEST: usize = 24 << 10;
