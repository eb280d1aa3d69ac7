//! What a browser has of a session that is kept elsewhere: which one it is, and half of its key.
//!
//! The other half is our key ring's: a store alone opens nothing, and neither do our keys.

use crate::crypto::{Half, KeyRing, Purpose, Random};

use super::{SessionId, SessionState};

/// The two, as they are sealed in the cookie: nobody but us makes one, so a made-up cookie is refused
/// before any store is asked.
#[derive(Clone, Copy)]
pub(super) struct Handle {
    pub id: SessionId,
    pub half: Half,
}

impl Handle {
    /// For a new session; its half is the one the session knows, if it knows one.
    pub fn fresh(state: &SessionState, random: &Random) -> Self {
        Self::known(state).unwrap_or_else(|| Self { id: state.id, half: random.bytes() })
    }

    /// As the session itself knows it: one that can be refreshed does.
    pub fn known(state: &SessionState) -> Option<Self> {
        let half = *state.refresh.as_ref()?.half();
        Some(Self { id: state.id, half })
    }

    /// The cookie's value; `context` says where it opens.
    pub fn seal(&self, keys: &KeyRing, context: &[u8], random: &Random) -> String {
        keys.seal(Purpose::Handle, context, &[&self.id.0[..], &self.half].concat(), random)
    }

    pub fn open(keys: &KeyRing, context: &[u8], sealed: &[u8]) -> Option<Self> {
        let plain = keys.open(Purpose::Handle, context, sealed).ok()?;
        let (id, half) = plain.split_first_chunk::<16>()?;
        Some(Self { id: SessionId(*id), half: half.try_into().ok()? })
    }
}
