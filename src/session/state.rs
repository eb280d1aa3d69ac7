//! What a session knows.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::config::Bond;
use crate::crypto::Random;
use crate::identity::{Credential, Principal};

/// A session's name; a new one at every sign-in, so that none can be planted beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionId(pub [u8; 16]);

impl SessionId {
    /// A name nobody can guess.
    pub fn fresh(random: &Random) -> Self {
        Self(random.bytes())
    }

    /// Reads what [`SessionId`] is displayed as.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

/// 22 characters of base64url.
impl fmt::Display for SessionId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// A signed-in person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionState {
    pub id: SessionId,
    /// The relying party they signed in with; another one's routes do not take it.
    pub relying_party: String,
    /// Which relying party that name meant then.
    pub bond: Bond,
    pub principal: Principal,
    pub credential: Credential,
    /// When they signed in: the absolute lifetime counts from here.
    pub signed_in: Timestamp,
    /// When the cookie was last written: the idle lifetime counts from here.
    pub seen: Timestamp,
}

impl SessionState {
    /// Whether the credential could still be used at `now`.
    pub fn credential_lives(&self, now: Timestamp) -> bool {
        match &self.credential {
            Credential::Bearer { until, .. } => now < *until,
            Credential::Nothing | Credential::Ticket(_) => true,
        }
    }
}

#[cfg(test)]
impl SessionState {
    /// Somebody of tenant `Cust1`, for tests.
    pub(crate) fn of(subject: &str, id: [u8; 16], signed_in: Timestamp) -> Self {
        let principal = Principal {
            subject: subject.to_owned(),
            context: crate::identity::ContextId::parse("Cust1").unwrap(),
            serial: None,
            company: None,
            email: None,
            initials: None,
            first_name: None,
            last_name: None,
            associate_id: None,
            administrator: false,
            web_api_url: None,
            soap_url: None,
            claims: Vec::new(),
        };
        Self {
            id: SessionId(id),
            relying_party: "main".to_owned(),
            bond: Bond([0; 16]),
            principal,
            credential: Credential::Nothing,
            signed_in,
            seen: signed_in,
        }
    }
}
