//! Whose a session is, as lists of sessions tell: kept beside what is sealed, which nobody but its browser opens.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::identity::ContextId;

use super::marks::{Mark, Source};
use super::state::{SessionId, SessionState};

/// What a list says of a session, and what ends it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Label {
    source: Source,
    person: String,
    tenant: ContextId,
    relying_party: String,
}

/// One session.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: SessionId,
    pub label: Label,
    pub signed_in: Timestamp,
    /// When it was last written as in use, where the store tells: once for each tenth of the idle lifetime.
    pub seen: Option<Timestamp>,
}

impl Label {
    pub(super) fn of(state: &SessionState) -> Self {
        Self {
            source: state.source.clone(),
            person: state.principal.subject.clone(),
            tenant: state.principal.context.clone(),
            relying_party: state.relying_party.clone(),
        }
    }

    /// As it is kept; empty where it cannot be written.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// Reads what [`Label::to_bytes`] wrote; `None` for anything else.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }

    /// The environment or provider that vouched for them; empty for a session from before that was kept.
    pub fn authority(&self) -> &str {
        self.source.authority()
    }

    /// By the name the provider has for them.
    pub fn person(&self) -> &str {
        &self.person
    }

    pub fn tenant(&self) -> &ContextId {
        &self.tenant
    }

    pub fn relying_party(&self) -> &str {
        &self.relying_party
    }

    /// What ends it if it began no later than that.
    pub(super) fn dated(&self) -> impl Iterator<Item = Mark> + use<> {
        self.source.dated_of(&self.person, &self.tenant)
    }

    /// What ends it whenever it began.
    pub(super) fn undated(&self) -> Option<Mark> {
        self.source.undated()
    }
}
