//! Sealing under a key of which one half is the ring's and the other somebody else's: whoever has
//! only what was sealed and one of the halves opens nothing.
//!
//! A sealed value is `version(1) ‖ key id(4) ‖ nonce(12) ‖ ciphertext ‖ tag(16)`, as [`KeyRing`] makes
//! them, without the base64. The key is HKDF-SHA256 of the configured one, with the other half in the
//! label, so that every half has a key of its own.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::Random;
use super::seal::{HEAD, KeyId, KeyRing, RingKey, Unsealable, VERSION, expand};

/// What somebody else keeps of a key.
pub type Half = [u8; 32];

impl KeyRing {
    /// Seals `plain` for whoever brings `half`.
    pub fn seal_halved(
        &self,
        half: &Half,
        context: &[u8],
        plain: &[u8],
        random: &Random,
    ) -> Vec<u8> {
        let key = &self.0[0];
        let nonce = random.bytes::<NONCE_LEN>();
        let mut sealed = Vec::with_capacity(HEAD + plain.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&key.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = halved(key, half)
            .seal_in_place_separate_tag(nonce, Aad::from(context), &mut sealed[HEAD..])
            .expect("AES-256-GCM seals anything shorter than 64 GiB");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// The key that a value of [`KeyRing::seal_halved`] says it is sealed with.
    pub fn key_naming(sealed: &[u8]) -> Option<KeyId> {
        sealed.get(1..5)?.try_into().ok()
    }

    /// Opens what [`KeyRing::seal_halved`] sealed for the same half and context.
    ///
    /// # Errors
    /// [`Unsealable`] for anything else: another half, key, context, length or byte.
    pub fn open_halved(
        &self,
        half: &Half,
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Unsealable> {
        let (head, body) = sealed.split_at_checked(HEAD).ok_or(Unsealable)?;
        if head[0] != VERSION {
            return Err(Unsealable);
        }
        let key = self.0.iter().find(|key| key.id == head[1..5]).ok_or(Unsealable)?;
        let nonce = Nonce::try_assume_unique_for_key(&head[5..]).map_err(|_| Unsealable)?;
        let mut plain = body.to_vec();
        let length = halved(key, half)
            .open_in_place(nonce, Aad::from(context), &mut plain)
            .map_err(|_| Unsealable)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }
}

fn halved(key: &RingKey, half: &Half) -> LessSafeKey {
    let mut label = LABEL.to_vec();
    label.extend_from_slice(half);
    let key = UnboundKey::new(&AES_256_GCM, &expand(&key.prk, &label))
        .expect("AES-256-GCM takes 32 bytes");
    LessSafeKey::new(key)
}

/// All of one length, because halves are: no label is the beginning of another.
const LABEL: &[u8] = b"superid-gateway session record v1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_with_both_halves_alone() {
        let (ring, random) = (KeyRing::new(&[[7; 32]]), Random::counting());
        let sealed = ring.seal_halved(&[1; 32], b"id", b"hello", &random);
        assert_eq!(ring.open_halved(&[1; 32], b"id", &sealed).unwrap(), b"hello");
        assert!(ring.open_halved(&[2; 32], b"id", &sealed).is_err(), "another half");
        assert!(ring.open_halved(&[1; 32], b"di", &sealed).is_err(), "another context");
        let other = KeyRing::new(&[[8; 32]]);
        assert!(other.open_halved(&[1; 32], b"id", &sealed).is_err(), "another ring");
        let rotated = KeyRing::new(&[[8; 32], [7; 32]]);
        assert_eq!(rotated.open_halved(&[1; 32], b"id", &sealed).unwrap(), b"hello");
    }

    #[test]
    fn any_changed_byte_or_length_keeps_it_shut() {
        let (ring, random) = (KeyRing::new(&[[7; 32]]), Random::counting());
        let sealed = ring.seal_halved(&[1; 32], b"", b"hello", &random);
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(ring.open_halved(&[1; 32], b"", &bent).is_err(), "byte {at}");
            assert!(ring.open_halved(&[1; 32], b"", &sealed[..at]).is_err(), "the first {at}");
        }
    }
}
