//! What can be ended: a session by its own id, or all that have a mark in common.

use crate::clock::Timestamp;
use crate::crypto::KeyId;
use crate::identity::ContextId;

use super::ended::{FOREVER, Names};
use super::marks::{EVERYTHING, PERSON, SID, SUBJECT, TENANT, UNKNOWN, key_mark, lowered, mark};
use super::state::{SessionId, SessionState};

/// What is ended. An authority is the name of an environment or a provider in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// Every session there is.
    Everything,
    /// All that a key has sealed, whenever it began: who has the key makes what he likes with it.
    Key(KeyId),
    /// A person, in one tenant or in all of them; the subject is compared in lower case.
    Person { authority: &'a str, subject: &'a str, tenant: Option<&'a ContextId> },
    /// All that a provider's session led to, whenever it began: the provider makes no other of the
    /// name. Its `sid` (OpenID Connect Front-Channel Logout §3).
    ProviderSession { authority: &'a str, issuer: &'a str, sid: &'a str },
    /// Whoever a provider calls so: its `sub`.
    ProviderSubject { authority: &'a str, issuer: &'a str, subject: &'a str },
    /// One session.
    Session(SessionId),
    /// Everybody of a tenant.
    Tenant { authority: &'a str, tenant: &'a ContextId },
}

/// What is over from now on: of this set, what has this name and began no later than then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Over {
    pub names: Names,
    pub name: [u8; 16],
    pub began: Timestamp,
}

impl What<'_> {
    /// What that means for the sets. Sessions made by a replica whose clock is ahead are counted in.
    pub(super) fn over(self, now: Timestamp) -> Vec<Over> {
        let began = now.plus(CLOCKS_APART);
        let marked = |name| Over { names: Names::Marks, name, began };
        match self {
            Self::Everything => vec![marked(EVERYTHING)],
            Self::Key(key) => vec![Over { began: FOREVER, ..marked(key_mark(key)) }],
            Self::Person { authority, subject, tenant } => {
                let who = lowered(subject);
                let of = |authority| match tenant {
                    Some(tenant) => marked(mark(&[PERSON, authority, &who, tenant.as_str()])),
                    None => marked(mark(&[PERSON, authority, &who])),
                };
                vec![of(authority), of(UNKNOWN)]
            }
            Self::ProviderSession { authority, issuer, sid } => {
                vec![marked(mark(&[SID, authority, issuer, sid]))]
            }
            Self::ProviderSubject { authority, issuer, subject } => {
                vec![marked(mark(&[SUBJECT, authority, issuer, subject]))]
            }
            Self::Session(id) => vec![Over { names: Names::Sessions, name: id.0, began }],
            Self::Tenant { authority, tenant } => {
                let of = |authority| marked(mark(&[TENANT, authority, tenant.as_str()]));
                vec![of(authority), of(UNKNOWN)]
            }
        }
    }
}

impl Over {
    /// One session, and no more is known of it than its state says.
    pub(super) fn session(state: &SessionState) -> Self {
        Self { names: Names::Sessions, name: state.id.0, began: state.signed_in }
    }
}

/// Seconds that the clocks of replicas may differ.
pub(super) const CLOCKS_APART: u64 = 5;
