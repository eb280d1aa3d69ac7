//! What a session knows.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::config::Bond;
use crate::crypto::{KeyId, Random};
use crate::identity::{Credential, Principal};

use super::marks::Source;

/// A session's name; a new one at every sign-in, so that none can be planted beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionId(pub [u8; 16]);

impl SessionId {
    /// A name nobody can guess.
    pub fn fresh(random: &Random) -> Self {
        Self(random.bytes())
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
    /// Who vouched for them. It is kept behind the rest, see [`SessionState::to_bytes`].
    #[serde(skip)]
    pub source: Source,
    /// Every key it was sealed with so far, and those that what it was made from was sealed with: who
    /// has one of them may have made it. Kept behind the rest, too.
    #[serde(skip)]
    pub keys: Vec<KeyId>,
    /// When they signed in: the absolute lifetime counts from here.
    pub signed_in: Timestamp,
    /// When the cookie was last written: the idle lifetime counts from here.
    pub seen: Timestamp,
}

impl SessionState {
    /// As it is sealed. What sessions came to know later follows what they knew before, each part whole:
    /// a program of before reads its own, and what it leaves out is as if it were not known.
    ///
    /// # Errors
    /// When a part cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, postcard::Error> {
        let known = postcard::to_stdvec(self)?;
        let known = postcard::to_extend(&self.source, known)?;
        postcard::to_extend(&self.keys, known)
    }

    /// Reads what [`SessionState::to_bytes`] wrote, here or in a program of before; `None` for anything
    /// else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (mut state, rest) = postcard::take_from_bytes::<Self>(bytes).ok()?;
        if rest.is_empty() {
            return Some(state);
        }
        let (source, rest) = postcard::take_from_bytes(rest).ok()?;
        state.source = source;
        if !rest.is_empty() {
            (state.keys, _) = postcard::take_from_bytes(rest).ok()?;
        }
        Some(state)
    }

    /// It was sealed with this key as well.
    pub(super) fn was_sealed_with(&mut self, key: Option<KeyId>) {
        self.keys.extend(key.filter(|key| !self.keys.contains(key)));
    }

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
            source: Source::of("sod"),
            keys: Vec::new(),
            signed_in,
            seen: signed_in,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_before_is_read_and_what_is_sealed_now_is_read_as_before() {
        let state = SessionState::of("a@b", [7; 16], Timestamp(9));
        let before = postcard::to_stdvec(&state).unwrap();
        let read = SessionState::from_bytes(&before).unwrap();
        assert_eq!((read.id, read.source.authority()), (state.id, ""));
        let now = state.to_bytes().unwrap();
        assert_eq!(format!("{:?}", SessionState::from_bytes(&now).unwrap()), format!("{state:?}"));
        let old_program = postcard::from_bytes::<SessionState>(&now).unwrap();
        assert_eq!(old_program.id, state.id);
        let sourced = postcard::to_extend(&state.source, before.clone()).unwrap().len();
        for end in (0..now.len()).filter(|end| ![before.len(), sourced].contains(end)) {
            assert!(SessionState::from_bytes(&now[..end]).is_none(), "the first {end} bytes");
        }
    }
}
