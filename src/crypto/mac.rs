//! HMAC-SHA256 (RFC 2104): proof that bytes come from somebody who has the same key.

use std::fmt;

use aws_lc_rs::hmac;

/// A key that signs; it cannot print.
#[derive(Clone)]
pub struct MacKey(hmac::Key);

impl MacKey {
    /// A key of any length; 32 bytes are enough, and more than 64 are hashed first.
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The 32 bytes over the parts, one after another.
    pub fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut signing = hmac::Context::with_key(&self.0);
        parts.iter().for_each(|part| signing.update(part));
        let mut out = [0; 32];
        out.copy_from_slice(signing.sign().as_ref());
        out
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("MacKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_signs_as_rfc_4231_says_case_2() {
        let signed = MacKey::new(b"Jefe").sign(&[b"what do ya want ", b"for nothing?"]);
        let text: String = signed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
