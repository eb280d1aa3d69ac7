//! An attempt of any flow but the legacy one: what is remembered between the redirect and the
//! callback, sealed into `state` so that nothing is kept here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::clock::Timestamp;
use crate::config::{Bond, Parts, RelyingParty, ResponseMode};
use crate::crypto::{KeyRing, Purpose, Random};
use crate::identity::ContextId;
use crate::web::PublicOrigin;

use super::binding::Binding;

/// One attempt to sign in.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Attempt {
    pub(super) id: [u8; 16],
    pub(super) relying_party: String,
    /// Which relying party that name means.
    bond: Bond,
    nonce: [u8; 16],
    verifier: [u8; 32],
    binding: [u8; 16],
    pub(super) tenant: Option<ContextId>,
    pub(super) begun: Timestamp,
    /// Times this attempt was begun again because another tab's binding had won.
    pub(super) rounds: u8,
    pub(super) target: Place,
    /// What was asked for, and by which way it has to come.
    pub(super) asked: Parts,
    pub(super) mode: ResponseMode,
}

/// Where the original address is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Place {
    /// In a short-lived cookie of its own: 0 or 1.
    Cookie(u8),
    /// In here.
    Inline(String),
}

/// The random bytes of an attempt, drawn at once: each draw has the generator ask the processor, which is slow.
pub(super) struct Seeds([u8; 64]);

impl Seeds {
    pub(super) fn fresh(random: &Random) -> Self {
        Self(random.bytes())
    }

    /// The attempt's name.
    pub(super) fn id(&self) -> [u8; 16] {
        *self.0.first_chunk().expect("the first quarter")
    }

    /// Nonce and verifier.
    fn secrets(&self) -> ([u8; 16], [u8; 32]) {
        let (nonce, verifier) = self.0[16..].split_first_chunk().expect("the second quarter");
        (*nonce, *verifier.first_chunk().expect("the other half"))
    }
}

impl Attempt {
    /// A new attempt of one browser.
    pub(super) fn new(
        party: &RelyingParty,
        tenant: Option<ContextId>,
        binding: &Binding,
        begun: Timestamp,
        seeds: &Seeds,
    ) -> Self {
        let (nonce, verifier) = seeds.secrets();
        Self {
            id: seeds.id(),
            relying_party: party.name.clone(),
            bond: party.bond,
            nonce,
            verifier,
            binding: binding.fingerprint(),
            tenant,
            begun,
            rounds: 0,
            target: Place::Inline("/".to_owned()),
            asked: party.response.parts,
            mode: party.response.mode,
        }
    }

    /// Opens a `state`; `None` when it is not one of ours for this origin.
    pub(super) fn open(state: &str, origin: &PublicOrigin, keys: &KeyRing) -> Option<Self> {
        let plain = keys.open(Purpose::Attempt, context(origin), state.as_bytes()).ok()?;
        postcard::from_bytes(&plain).ok()
    }

    /// The `state` parameter.
    pub(super) fn seal(&self, origin: &PublicOrigin, keys: &KeyRing, random: &Random) -> String {
        let room = Vec::with_capacity(PLAIN);
        let plain = postcard::to_extend(self, room).expect("an attempt is plain data");
        keys.seal(Purpose::Attempt, context(origin), &plain, random)
    }

    /// Whether `party` is the one it was begun with, and still asks for what was asked for.
    pub(super) fn fits(&self, party: &RelyingParty) -> bool {
        self.bond == party.bond
            && self.asked == party.response.parts
            && self.mode == party.response.mode
    }

    /// Whether it was begun with the relying party of this name and bond.
    pub(super) fn is_with(&self, name: &str, bond: Bond) -> bool {
        self.relying_party == name && self.bond == bond
    }

    /// Whether `binding` is of the browser that began it.
    pub(super) fn is_of(&self, binding: &Binding) -> bool {
        self.binding.ct_eq(&binding.fingerprint()).into()
    }

    /// The `nonce` parameter, which the id_token must repeat.
    pub(super) fn nonce(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.nonce)
    }

    /// The PKCE code verifier: 43 characters (RFC 7636 §4.1).
    pub(super) fn verifier(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.verifier)
    }
}

fn context(origin: &PublicOrigin) -> &[u8] {
    origin.as_str().as_bytes()
}

/// Bytes of nearly every attempt, with the address it leads to.
const PLAIN: usize = 512;
