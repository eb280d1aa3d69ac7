//! Marks that sessions have in common: who vouched for their people, who these are, and of which tenant.

use std::fmt;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::crypto::{KeyId, sha256};
use crate::identity::Principal;

/// Who vouched for a session's person, and by which names that one may end it.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Source {
    authority: String,
    subject: Option<Mark>,
    sid: Option<Mark>,
    #[serde(skip)]
    shared: OnceLock<Shared>,
}

/// A digest of what sessions have in common.
pub(super) type Mark = [u8; 16];

/// The marks that a person's state says, worked out once.
#[derive(Clone, Copy)]
struct Shared([Mark; 3]);

impl Source {
    /// Vouched for by the environment or provider of this name.
    pub fn of(authority: &str) -> Self {
        Self { authority: authority.to_owned(), ..Self::default() }
    }

    /// The same, of a provider that names its people and perhaps its sessions.
    #[must_use]
    pub fn known_as(self, issuer: &str, subject: &str, sid: Option<&str>) -> Self {
        let authority = self.authority.as_str();
        let subject = mark(&[SUBJECT, authority, issuer, subject]);
        let sid = sid.map(|sid| mark(&[SID, authority, issuer, sid]));
        Self { subject: Some(subject), sid, ..self }
    }

    /// The name of the environment or provider; empty for a session from before that was kept.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether a provider's session led to this one.
    pub fn is_of(&self, issuer: &str, sid: &str) -> bool {
        self.sid == Some(mark(&[SID, &self.authority, issuer, sid]))
    }

    /// What ends a session that began no later than that.
    pub(super) fn dated(&self, principal: &Principal) -> impl Iterator<Item = Mark> + use<> {
        let shared = self.shared.get_or_init(|| {
            let (who, tenant) = (lowered(&principal.subject), principal.context.as_str());
            let authority = self.authority.as_str();
            Shared([
                mark(&[TENANT, authority, tenant]),
                mark(&[PERSON, authority, &who]),
                mark(&[PERSON, authority, &who, tenant]),
            ])
        });
        shared.0.into_iter().chain([EVERYTHING]).chain(self.subject)
    }

    /// What ends a session whenever it began.
    pub(super) fn undated(&self) -> Option<Mark> {
        self.sid
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Source({}, {:02x?}, {:02x?})", self.authority, self.subject, self.sid)
    }
}

/// The mark of all that a key has sealed.
pub(super) fn key_mark(key: KeyId) -> Mark {
    let digest = sha256(&[b"key", &key]);
    first(&digest)
}

pub(super) fn mark(parts: &[&str]) -> Mark {
    let mut bytes = [b"".as_slice(); 5];
    for (place, part) in bytes.iter_mut().zip(parts) {
        *place = part.as_bytes();
    }
    first(&sha256(&bytes[..parts.len()]))
}

fn first(digest: &[u8; 32]) -> Mark {
    let mut mark = [0; 16];
    mark.copy_from_slice(&digest[..16]);
    mark
}

/// SuperID's names of people are addresses, which nobody writes in one case.
pub(super) fn lowered(subject: &str) -> String {
    subject.to_lowercase()
}

/// Every session has it.
pub(super) const EVERYTHING: Mark = *b"every session on";
/// The authority of a session from before authorities were kept.
pub(super) const UNKNOWN: &str = "";
pub(super) const PERSON: &str = "person";
pub(super) const SID: &str = "sid";
pub(super) const SUBJECT: &str = "subject";
pub(super) const TENANT: &str = "tenant";
