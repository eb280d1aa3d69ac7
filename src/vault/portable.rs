//! Entries as lines of JSON, sealed or plain, to carry them elsewhere.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::crypto::Secret;
use crate::identity::SystemUserToken;

use super::entry::Entry;
use super::failure::{Unopened, VaultFailed};
use super::record::{Name, Record};
use super::sealer::Sealer;

/// Why a line was not taken. Its words never hold what the line says.
#[derive(Debug, thiserror::Error)]
pub enum LineRefused {
    #[error("its environment, client_id or tenant is no name")]
    Key,
    #[error("{0}")]
    Length(VaultFailed),
    #[error("it is no line of an export, beginning at character {0}")]
    Shape(usize),
    #[error("its token is no system user token")]
    Token,
    #[error("it {0}")]
    Unopened(Unopened),
}

/// The line of a record: whoever has the keys can read it.
pub fn sealed_line(record: &Record) -> String {
    serde_json::to_string(record).expect("strings and numbers are JSON")
}

/// The line of an entry with its token for everybody to read.
pub fn plain_line(entry: &Entry) -> Zeroizing<String> {
    let plain = Plain {
        name: Name::from(&entry.key),
        serial: entry.serial.clone(),
        web_api_url: entry.web_api_url.clone(),
        token: Secret::new(entry.token.reveal().to_owned()),
        consented_by: entry.consented_by.clone(),
        stored: entry.stored,
        dormant: entry.dormant,
    };
    let line = serde_json::to_string(&plain).expect("strings and numbers are JSON");
    Zeroizing::new(line)
}

/// Reads either kind of line.
///
/// # Errors
/// [`LineRefused`] for anything that could not have been exported, or that our keys do not open.
pub fn read_line(line: &str, sealer: &Sealer) -> Result<Entry, LineRefused> {
    let shape = |error: serde_json::Error| LineRefused::Shape(error.column());
    let kind: Kind = serde_json::from_str(line).map_err(shape)?;
    let entry = match kind.sealed {
        None => serde_json::from_str::<Plain>(line).map_err(shape)?.entry()?,
        Some(_) => {
            let record: Record = serde_json::from_str(line).map_err(shape)?;
            sealer.open(&record).map_err(LineRefused::Unopened)?
        }
    };
    entry.check_lengths().map_err(LineRefused::Length)?;
    Ok(entry)
}

#[derive(Deserialize)]
struct Kind {
    sealed: Option<IgnoredAny>,
}

#[derive(Serialize, Deserialize)]
struct Plain {
    #[serde(flatten)]
    name: Name,
    serial: String,
    web_api_url: Option<String>,
    token: Secret,
    consented_by: String,
    stored: Timestamp,
    dormant: Option<Timestamp>,
}

impl Plain {
    fn entry(self) -> Result<Entry, LineRefused> {
        Ok(Entry {
            key: self.name.key().ok_or(LineRefused::Key)?,
            serial: self.serial,
            web_api_url: self.web_api_url,
            token: SystemUserToken::parse(self.token.reveal()).map_err(|_| LineRefused::Token)?,
            consented_by: self.consented_by,
            stored: self.stored,
            dormant: self.dormant,
        })
    }
}
