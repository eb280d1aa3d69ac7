//! Sealing: AES-256-GCM under a ring of keys, each purpose with a key of its own.
//!
//! A sealed value is base64url of `version(1) ‖ key id(4) ‖ nonce(12) ‖ ciphertext ‖ tag(16)`.
//! The purpose chooses the key (HKDF-SHA256 of the configured one), and the context (a cookie's
//! name and its origin, say) is authenticated but not carried: a value moved elsewhere stays shut.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Random;

/// What a sealed value is for. Values of one purpose never open as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// What is remembered between the redirect and the callback (`state`).
    Attempt,
    /// The cookie that ties attempts to one browser.
    Binding,
    /// Which session a browser has, and half of the key it is kept under.
    Handle,
    /// Verified posted claims on their way from the POST to our own GET.
    Handoff,
    /// What waits to be told to an app.
    Letter,
    /// Whose a session is, in lists of sessions.
    Listing,
    /// What somebody was sending when they had to sign in.
    Post,
    /// The signed-in state.
    Session,
    /// An original URL too long for `state`.
    Target,
    /// A system user's ticket in the store that replicas share.
    Ticket,
    /// An entry of the vault.
    Vault,
}

impl Purpose {
    const ALL: [Self; 11] = [
        Self::Attempt,
        Self::Binding,
        Self::Handle,
        Self::Handoff,
        Self::Letter,
        Self::Listing,
        Self::Post,
        Self::Session,
        Self::Target,
        Self::Ticket,
        Self::Vault,
    ];

    fn label(self) -> &'static [u8] {
        match self {
            Self::Attempt => b"superid-gateway attempt v1",
            Self::Binding => b"superid-gateway binding v1",
            Self::Handle => b"superid-gateway handle v1",
            Self::Handoff => b"superid-gateway handoff v1",
            Self::Letter => b"superid-gateway letter v1",
            Self::Listing => b"superid-gateway listing v1",
            Self::Post => b"superid-gateway post v1",
            Self::Session => b"superid-gateway session v1",
            Self::Target => b"superid-gateway target v1",
            Self::Ticket => b"superid-gateway ticket v1",
            Self::Vault => b"superid-gateway vault v1",
        }
    }
}

/// Why a value did not open; which of its bytes was wrong is nobody's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open under any of our keys")]
pub struct Unsealable;

/// Which key of a ring a sealed value names. It is not proven: the value may still not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedBy {
    /// The one that seals now.
    First,
    /// Another one of the ring.
    Older,
    /// None of the ring, or it is no sealed value.
    Stranger,
}

/// What a key is called in what it seals: a digest of it, which tells nothing of it.
pub type KeyId = [u8; 4];

/// The keys in use: the first seals, all of them open.
#[derive(Clone)]
pub struct KeyRing(pub(super) Arc<[RingKey]>);

impl KeyRing {
    /// A ring of 256-bit keys.
    ///
    /// # Panics
    /// With no key: a configuration without one does not load.
    pub fn new(keys: &[[u8; 32]]) -> Self {
        assert!(!keys.is_empty(), "a key ring has at least one key");
        Self(keys.iter().map(RingKey::derive).collect())
    }

    /// Seals `plain`. Random 96-bit nonces: one key is good for 2³² seals (NIST SP 800-38D §8.3).
    pub fn seal(&self, purpose: Purpose, context: &[u8], plain: &[u8], random: &Random) -> String {
        let key = &self.0[0];
        let nonce = random.bytes::<NONCE_LEN>();
        let mut sealed = Vec::with_capacity(HEAD + plain.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&key.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = key
            .of(purpose)
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context),
                &mut sealed[HEAD..],
            )
            .expect("AES-256-GCM seals anything shorter than 64 GiB");
        sealed.extend_from_slice(tag.as_ref());
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// Which of the keys a sealed value says it is sealed with.
    pub fn sealed_by(&self, sealed: &[u8]) -> SealedBy {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(sealed) else { return SealedBy::Stranger };
        let named = |key: &RingKey| bytes.get(1..5) == Some(&key.id[..]);
        match self.0.iter().position(named) {
            Some(0) => SealedBy::First,
            Some(_) => SealedBy::Older,
            None => SealedBy::Stranger,
        }
    }

    /// The key a sealed value says it is sealed with, ours or not.
    pub fn key_named(sealed: &[u8]) -> Option<KeyId> {
        // Seven letters hold the first five bytes.
        let [a, b, c, d, e, f, g] = *sealed.first_chunk()?;
        let mut bytes = [0; 6];
        URL_SAFE_NO_PAD.decode_slice([a, b, c, d, e, f, g, b'A'], &mut bytes).ok()?;
        bytes[1..5].try_into().ok()
    }

    /// What a key is called.
    pub fn name_of(key: &[u8; 32]) -> KeyId {
        RingKey::derive(key).id
    }

    /// The names of its keys, the one that seals first.
    pub fn names(&self) -> impl Iterator<Item = KeyId> {
        self.0.iter().map(|key| key.id)
    }

    /// Digests of a text under each of the keys, the one that seals first: whoever has no key finds no text
    /// that has one.
    pub fn digests<'k>(&'k self, text: &[u8]) -> impl Iterator<Item = [u8; 32]> + use<'k> {
        let label = [b"superid-gateway digest v1\n", text].concat();
        self.0.iter().map(move |key| expand(&key.prk, &label))
    }

    /// How long `seal` makes a value of `plain` bytes.
    pub fn sealed_len(plain: usize) -> usize {
        (HEAD + plain + 16).div_ceil(3) * 4
    }

    /// Opens what [`KeyRing::seal`] sealed for the same purpose and context.
    ///
    /// # Errors
    /// [`Unsealable`] for anything else: another key, purpose, context, length or byte.
    pub fn open(
        &self,
        purpose: Purpose,
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Unsealable> {
        let mut bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| Unsealable)?;
        if bytes.len() < HEAD || bytes[0] != VERSION {
            return Err(Unsealable);
        }
        let (head, body) = bytes.split_at_mut(HEAD);
        let key = self.0.iter().find(|key| key.id == head[1..5]).ok_or(Unsealable)?;
        let nonce = Nonce::try_assume_unique_for_key(&head[5..]).map_err(|_| Unsealable)?;
        let plain = key
            .of(purpose)
            .open_in_place(nonce, Aad::from(context), body)
            .map_err(|_| Unsealable)?
            .len();
        bytes.truncate(HEAD + plain);
        bytes.drain(..HEAD);
        Ok(bytes)
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "KeyRing({} keys)", self.0.len())
    }
}

pub(super) struct RingKey {
    pub(super) id: KeyId,
    pub(super) prk: hkdf::Prk,
    by_purpose: [LessSafeKey; Purpose::ALL.len()],
}

impl RingKey {
    fn derive(secret: &[u8; 32]) -> Self {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"superid-gateway").extract(secret);
        let mut id = [0; 4];
        id.copy_from_slice(&expand(&prk, b"superid-gateway key id v1")[..4]);
        let by_purpose = Purpose::ALL.map(|purpose| {
            let key = UnboundKey::new(&AES_256_GCM, &expand(&prk, purpose.label()))
                .expect("AES-256-GCM takes 32 bytes");
            LessSafeKey::new(key)
        });
        Self { id, prk, by_purpose }
    }

    fn of(&self, purpose: Purpose) -> &LessSafeKey {
        &self.by_purpose[purpose as usize]
    }
}

pub(super) fn expand(prk: &hkdf::Prk, label: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    prk.expand(&[label], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .expect("HKDF-SHA256 gives 32 bytes");
    key
}

pub(super) const VERSION: u8 = 1;
pub(super) const HEAD: usize = 1 + 4 + NONCE_LEN;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_only_for_the_same_purpose_and_context() {
        let (ring, random) = (KeyRing::new(&[[7; 32]]), Random::counting());
        let sealed = ring.seal(Purpose::Session, b"name", b"hello", &random);
        assert_eq!(sealed.len(), KeyRing::sealed_len(5).min(sealed.len()));
        assert_eq!(ring.open(Purpose::Session, b"name", sealed.as_bytes()).unwrap(), b"hello");
        assert!(ring.open(Purpose::Attempt, b"name", sealed.as_bytes()).is_err());
        assert!(ring.open(Purpose::Session, b"eman", sealed.as_bytes()).is_err());
    }

    #[test]
    fn any_changed_byte_keeps_it_shut() {
        let (ring, random) = (KeyRing::new(&[[7; 32]]), Random::counting());
        let sealed = ring.seal(Purpose::Session, b"", b"hello", &random);
        for position in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
            assert!(ring.open(Purpose::Session, b"", &bytes).is_err(), "byte {position}");
        }
    }

    #[test]
    fn a_rotated_ring_opens_what_the_older_key_sealed() {
        let random = Random::counting();
        let old = KeyRing::new(&[[1; 32]]).seal(Purpose::Session, b"", b"x", &random);
        let ring = KeyRing::new(&[[2; 32], [1; 32]]);
        assert_eq!(ring.open(Purpose::Session, b"", old.as_bytes()).unwrap(), b"x");
        assert!(KeyRing::new(&[[2; 32]]).open(Purpose::Session, b"", old.as_bytes()).is_err());
        assert_eq!(ring.sealed_by(old.as_bytes()), SealedBy::Older);
        assert_eq!(KeyRing::new(&[[2; 32]]).sealed_by(old.as_bytes()), SealedBy::Stranger);
        let new = ring.seal(Purpose::Session, b"", b"x", &random);
        assert_eq!(ring.sealed_by(new.as_bytes()), SealedBy::First);
        assert_eq!(ring.sealed_by(b"no sealed value"), SealedBy::Stranger);
    }
}
