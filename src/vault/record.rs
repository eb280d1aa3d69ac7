//! An entry as a store holds it: its name in the clear, the rest sealed.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::crypto::sha256;
use crate::identity::{ContextId, TenantKey};

/// What a store says an entry is called. Nothing is proven before the entry has been opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Name {
    pub environment: String,
    pub client_id: String,
    pub tenant: String,
}

/// One row. The name and `dormant` are there to find it by; what is sealed has them again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    #[serde(flatten)]
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dormant: Option<Timestamp>,
    pub sealed: String,
    /// Tells a damaged row from one that is sealed with another key. It protects nothing:
    /// the seal does.
    pub checksum: Checksum,
}

/// 32 bytes in hexadecimal: half for the name alone, half for the whole row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum(pub String);

impl Name {
    /// The bytes an entry is sealed to, so that it opens under no other name.
    pub(super) fn context(&self) -> Vec<u8> {
        let mut context = b"vault entry".to_vec();
        for part in [&self.environment, &self.client_id, &self.tenant] {
            context.extend_from_slice(&(part.len() as u64).to_be_bytes());
            context.extend_from_slice(part.as_bytes());
        }
        context
    }

    /// The key it stands for; `None` when it is damaged.
    pub fn key(&self) -> Option<TenantKey> {
        let tenant = ContextId::parse(&self.tenant).ok()?;
        let key = TenantKey {
            environment: Arc::from(&*self.environment),
            client_id: Arc::from(&*self.client_id),
            tenant,
        };
        (Self::from(&key) == *self).then_some(key)
    }
}

impl From<&TenantKey> for Name {
    fn from(key: &TenantKey) -> Self {
        Self {
            environment: key.environment.to_string(),
            client_id: key.client_id.to_string(),
            tenant: key.tenant.as_str().to_owned(),
        }
    }
}

impl fmt::Display for Name {
    /// What a damaged name may hold is shown escaped.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}/{}/{}", self.environment, self.client_id, self.tenant);
        let escaped = text.chars().flat_map(|letter| {
            letter
                .is_control()
                .then(|| letter.escape_default())
                .into_iter()
                .flatten()
                .chain((!letter.is_control()).then_some(letter))
        });
        out.write_str(&escaped.collect::<String>())
    }
}

impl Record {
    pub(super) fn new(name: Name, dormant: Option<Timestamp>, sealed: String) -> Self {
        let checksum = Checksum::of(&name, dormant, &sealed);
        Self { name, dormant, sealed, checksum }
    }

    /// Whether it is, by its checksum, what was written.
    pub fn is_whole(&self) -> bool {
        self.checksum == Checksum::of(&self.name, self.dormant, &self.sealed)
    }

    /// Whether its name is: then no other entry is missing because of it.
    pub fn is_named(&self) -> bool {
        self.checksum.0.get(..HALF) == Some(hexadecimal(&digest(&self.name)).as_str())
    }
}

impl Checksum {
    fn of(name: &Name, dormant: Option<Timestamp>, sealed: &str) -> Self {
        let named = digest(name);
        let since = dormant.map_or(0, |since| since.0).to_be_bytes();
        let whole = sha256(&[&named, &since, sealed.as_bytes()]);
        Self(hexadecimal(&named) + &hexadecimal(&whole))
    }
}

fn digest(name: &Name) -> [u8; 32] {
    sha256(&[&name.context()])
}

/// The first half of a digest.
fn hexadecimal(digest: &[u8; 32]) -> String {
    digest[..HALF / 2].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Digits of each half.
const HALF: usize = 32;
