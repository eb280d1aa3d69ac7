//! What a browser has of a session that is kept elsewhere: which one it is, and half of its key.
//!
//! The other half is our key ring's: a store alone opens nothing, and neither do our keys.

use crate::crypto::{Half, KeyRing, Purpose, Random};

use super::SessionId;

/// The two, as they are sealed in the cookie: nobody but us makes one, so a made-up cookie is refused
/// before any store is asked.
#[derive(Clone, Copy)]
pub(super) struct Handle {
    pub id: SessionId,
    pub half: Half,
}

impl Handle {
    pub fn fresh(id: SessionId, random: &Random) -> Self {
        Self { id, half: random.bytes() }
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
