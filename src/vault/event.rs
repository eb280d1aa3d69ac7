//! What happened to an installation, and the sealed letter that tells it.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::crypto::{Purpose, SealedBy};
use crate::identity::TenantKey;

use super::entry::Entry;
use super::failure::Unopened;
use super::outbox::{Letter, Waiting};
use super::record::Name;
use super::sealer::Sealer;

/// One event. It holds no credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The same however often it is told.
    pub id: String,
    pub kind: EventKind,
    pub key: TenantKey,
    /// The tenant's serial number, where it was known.
    pub serial: Option<String>,
    pub web_api_url: Option<String>,
    /// The administrator, by SuperID user name; nobody where SuperOffice's state API told it.
    pub by: Option<String>,
    pub at: Timestamp,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// SuperOffice says that the tenant is gone; its token sleeps.
    Dormant,
    /// There was no token of the tenant, and now there is one.
    Installed,
    /// A token that slept is awake.
    Restored,
    /// Another token has taken the place of the one there was.
    TokenReplaced,
    /// An administrator had the token deleted.
    Uninstalled,
}

/// Whether an app hears of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    App,
    Nobody,
}

impl Telling {
    /// The event, where somebody hears of it.
    pub(super) fn of(self, kind: EventKind) -> Option<EventKind> {
        (self == Self::App).then_some(kind)
    }
}

impl EventKind {
    /// Its name for apps and people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dormant => "dormant",
            Self::Installed => "installed",
            Self::Restored => "restored",
            Self::TokenReplaced => "token_replaced",
            Self::Uninstalled => "uninstalled",
        }
    }
}

impl Sealer {
    /// The letter about an entry, under a new id.
    pub(super) fn letter(
        &self,
        entry: &Entry,
        (kind, by): (EventKind, Option<&str>),
        at: Timestamp,
    ) -> Letter {
        let said = Said {
            kind,
            serial: Some(entry.serial.clone()),
            web_api_url: entry.web_api_url.clone(),
            by: by.map(str::to_owned),
        };
        self.written(&entry.key, &said, at)
    }

    /// The letter about an entry that does not open.
    pub(super) fn letter_about(
        &self,
        key: &TenantKey,
        (kind, by): (EventKind, Option<&str>),
        at: Timestamp,
    ) -> Letter {
        let by = by.map(str::to_owned);
        self.written(key, &Said { kind, serial: None, web_api_url: None, by }, at)
    }

    /// What a letter tells.
    ///
    /// # Errors
    /// [`Unopened`]: another key sealed it, or it is not what was written.
    pub(super) fn event(&self, letter: &Letter) -> Result<Event, Unopened> {
        let key = letter.name.key().ok_or(Unopened::Damaged)?;
        let sealed = letter.sealed.as_bytes();
        let plain = self.keys.open(Purpose::Letter, &context(letter), sealed);
        let plain = plain.map_err(|_| match self.keys.sealed_by(sealed) {
            SealedBy::Stranger => Unopened::KeyMissing,
            SealedBy::First | SealedBy::Older => Unopened::Damaged,
        })?;
        let said: Said = serde_json::from_slice(&plain).map_err(|_| Unopened::Damaged)?;
        let Said { kind, serial, web_api_url, by } = said;
        let (id, at) = (letter.id.clone(), letter.written);
        Ok(Event { id, kind, key, serial, web_api_url, by, at })
    }

    /// The same under the first key; `None` where it is that already.
    pub(super) fn letter_anew(&self, waiting: &Waiting) -> Result<Option<String>, Unopened> {
        let letter = &waiting.letter;
        if self.keys.sealed_by(letter.sealed.as_bytes()) == SealedBy::First {
            return Ok(None);
        }
        let Event { kind, serial, web_api_url, by, .. } = self.event(letter)?;
        Ok(Some(self.sealed(letter, &Said { kind, serial, web_api_url, by })))
    }

    fn written(&self, key: &TenantKey, said: &Said, at: Timestamp) -> Letter {
        let id = format!("evt_{}", self.random.token());
        let mut letter = Letter { id, name: Name::from(key), written: at, sealed: String::new() };
        letter.sealed = self.sealed(&letter, said);
        letter
    }

    fn sealed(&self, letter: &Letter, said: &Said) -> String {
        let plain = serde_json::to_vec(said).expect("strings are JSON");
        self.keys.seal(Purpose::Letter, &context(letter), &plain, &self.random)
    }
}

/// A letter opens under its own id, name and time alone.
fn context(letter: &Letter) -> Vec<u8> {
    let mut context = letter.name.context();
    context.extend_from_slice(&letter.written.0.to_be_bytes());
    context.extend_from_slice(letter.id.as_bytes());
    context
}

#[derive(Serialize, Deserialize)]
struct Said {
    kind: EventKind,
    serial: Option<String>,
    web_api_url: Option<String>,
    by: Option<String>,
}
