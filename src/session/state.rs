//! What a session knows.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::config::Bond;
use crate::crypto::Random;
use crate::identity::{Credential, Principal};

use super::refresh::Refresh;

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
    /// When they signed in: the absolute lifetime counts from here.
    pub signed_in: Timestamp,
    /// When the cookie was last written: the idle lifetime counts from here.
    pub seen: Timestamp,
    /// What keeps the credential good, where the provider gave something for it.
    #[serde(skip)]
    pub refresh: Option<Refresh>,
}

impl SessionState {
    /// As it is sealed: everything but the last field, and then that one, where there is any. So a
    /// session that was sealed before there was such a thing is still read, and whoever does not know of
    /// it passes it over.
    pub(super) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, postcard::Error> {
        let mut plain = Zeroizing::new(postcard::to_stdvec(self)?);
        if let Some(refresh) = &self.refresh {
            let more = Zeroizing::new(postcard::to_stdvec(refresh)?);
            plain.extend_from_slice(&more);
        }
        Ok(plain)
    }

    /// Reads what [`SessionState::to_bytes`] wrote, and nothing else.
    pub(super) fn from_bytes(plain: &[u8]) -> Option<Self> {
        let (mut state, more) = postcard::take_from_bytes::<Self>(plain).ok()?;
        if !more.is_empty() {
            let (refresh, rest) = postcard::take_from_bytes::<Refresh>(more).ok()?;
            state.refresh = Some(refresh).filter(|_| rest.is_empty());
            state.refresh.as_ref()?;
        }
        Some(state)
    }

    /// Whether the credential could be had anew.
    pub fn can_be_refreshed(&self) -> bool {
        self.refresh.as_ref().is_some_and(|refresh| refresh.token().is_some())
    }

    /// How far refreshing it has come; what is written later of one session has more.
    pub(super) fn round(&self) -> u32 {
        self.refresh.as_ref().map_or(0, Refresh::round)
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
            signed_in,
            seen: signed_in,
            refresh: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::refresh::Given;
    use super::*;
    use crate::identity::RefreshToken;

    fn refreshable() -> SessionState {
        let token = RefreshToken::parse("refresh").unwrap();
        let given = Given { token, asked: Timestamp(1), until: Timestamp(3_601) };
        let refresh = Some(Refresh::fresh(given, [7; 16], &Random::counting()));
        SessionState { refresh, ..SessionState::of("a@b", [1; 16], Timestamp(1)) }
    }

    #[test]
    fn a_session_is_read_as_it_was_written_and_nothing_beside_it() {
        let plain = refreshable().to_bytes().unwrap();
        let read = SessionState::from_bytes(&plain).unwrap();
        assert_eq!(read.refresh.unwrap().token().unwrap().reveal(), "refresh");
        let bare = SessionState::of("a@b", [1; 16], Timestamp(1)).to_bytes().unwrap();
        for length in 0..plain.len() {
            let read = SessionState::from_bytes(&plain[..length]);
            assert_eq!(read.is_some(), length == bare.len(), "the first {length} bytes");
        }
        assert!(SessionState::from_bytes(&[&plain[..], b"x"].concat()).is_none());
    }

    #[test]
    fn a_session_of_before_there_were_refreshes_is_read_and_reads_the_new_ones() {
        // As it was written: every field but the last, in order.
        let state = refreshable();
        let before = (
            (&state.id, &state.relying_party, &state.bond, &state.principal),
            (&state.credential, &state.signed_in, &state.seen),
        );
        let old = postcard::to_stdvec(&before).unwrap();
        let read = SessionState::from_bytes(&old).unwrap();
        assert!(read.refresh.is_none() && read.principal == state.principal);
        let new = state.to_bytes().unwrap();
        assert!(new.starts_with(&old), "whoever knows no more reads the first part alone");
    }
}
