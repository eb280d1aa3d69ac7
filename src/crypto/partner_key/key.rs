//! A partner key: read from what people have, named by its fingerprint, written in another form.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::crypto::{Secret, plain_sha256};

use super::components::Components;
use super::pem::Block;
use super::{KeyRefused, encrypted_pkcs1, encrypted_pkcs8, key_xml};

/// An RSA private key. Wiped when dropped; nothing prints it but what says so in its name.
pub struct PartnerKey {
    pub(super) components: Components,
    form: KeyForm,
}

/// How the key came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// `ENCRYPTED PRIVATE KEY` (RFC 5958).
    EncryptedPkcs8,
    /// `RSA PRIVATE KEY` with `DEK-Info`.
    EncryptedPkcs1,
    /// `RSA PRIVATE KEY` (RFC 8017).
    Pkcs1,
    /// `PRIVATE KEY` (RFC 5208).
    Pkcs8,
    /// `<RSAKeyValue>`.
    Xml,
}

impl PartnerKey {
    /// Reads the one private key in a text: PEM with PKCS#1 or PKCS#8 in it, encrypted or not, or
    /// RSAKeyValue XML. A pass phrase that is not needed is passed over. The numbers are within
    /// bounds; that they make a key is found out by [`PartnerKey::signing`].
    ///
    /// # Errors
    /// [`KeyRefused`] says why there is none.
    pub fn read(text: &str, passphrase: Option<&Secret>) -> Result<Self, KeyRefused> {
        if text.len() > LONGEST {
            return Err(KeyRefused::Size);
        }
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.starts_with('<') {
            return Ok(Self { components: key_xml::read(text)?, form: KeyForm::Xml });
        }
        let block = Block::find(text)?;
        let passphrase = passphrase.map(Secret::reveal);
        let (components, form) = match block.label {
            "ENCRYPTED PRIVATE KEY" => {
                let passphrase = passphrase.ok_or(KeyRefused::PassphraseMissing)?;
                let opened = encrypted_pkcs8::decrypt(&block.bytes, passphrase)?;
                (Components::from_pkcs8(&opened)?, KeyForm::EncryptedPkcs8)
            }
            "PRIVATE KEY" => (Components::from_pkcs8(&block.bytes)?, KeyForm::Pkcs8),
            "RSA PRIVATE KEY" => match encrypted_pkcs1::decrypt(&block, passphrase)? {
                Some(opened) => (opened_pkcs1(&opened)?, KeyForm::EncryptedPkcs1),
                None => (Components::from_pkcs1(&block.bytes)?, KeyForm::Pkcs1),
            },
            _ => return Err(KeyRefused::NotRsa),
        };
        Ok(Self { components, form })
    }

    /// Bits of the modulus, 1,024 to 8,192.
    pub fn bits(&self) -> usize {
        self.components.bits()
    }

    /// How it came.
    pub fn form(&self) -> KeyForm {
        self.form
    }

    /// Whether it is under 2,048 bits, which nobody should trust any more (NIST SP 800-131A §3).
    pub fn is_weak(&self) -> bool {
        self.bits() < STRONG_BITS
    }

    /// SHA-256 of the public half (`SubjectPublicKeyInfo`) in hex: the same for every form, and
    /// what `openssl rsa -pubout -outform DER | sha256sum` prints.
    pub fn fingerprint(&self) -> String {
        plain_sha256(&self.components.to_public()).iter().fold(String::new(), |mut hex, byte| {
            let _infallible = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// PEM with PKCS#8, not encrypted.
    pub fn to_pem(&self) -> Secret {
        pem("PRIVATE KEY", &self.components.to_pkcs8())
    }

    /// PEM with PKCS#1, not encrypted.
    pub fn to_pkcs1_pem(&self) -> Secret {
        pem("RSA PRIVATE KEY", &self.components.to_pkcs1())
    }

    /// RSAKeyValue XML as .NET reads it.
    pub fn to_xml(&self) -> Secret {
        Secret::new(std::mem::take(&mut *key_xml::write(&self.components)))
    }
}

impl fmt::Debug for PartnerKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PartnerKey({} bits)", self.bits())
    }
}

impl fmt::Display for KeyForm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::EncryptedPkcs8 => "PEM, PKCS#8, encrypted",
            Self::EncryptedPkcs1 => "PEM, PKCS#1, encrypted in the older way",
            Self::Pkcs1 => "PEM, PKCS#1",
            Self::Pkcs8 => "PEM, PKCS#8",
            Self::Xml => "RSAKeyValue XML",
        })
    }
}

/// A wrong pass phrase sometimes leaves what looks like padding; then the rest is no key.
fn opened_pkcs1(opened: &[u8]) -> Result<Components, KeyRefused> {
    Components::from_pkcs1(opened).map_err(|refused| match refused {
        KeyRefused::Malformed => KeyRefused::PassphraseWrong,
        other => other,
    })
}

fn pem(label: &str, der: &[u8]) -> Secret {
    let digits = Zeroizing::new(STANDARD.encode(der));
    let mut text = String::with_capacity(digits.len() * 66 / 64 + 2 * label.len() + 64);
    for piece in ["-----BEGIN ", label, "-----\n"] {
        text.push_str(piece);
    }
    let mut rest = digits.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    for piece in ["-----END ", label, "-----\n"] {
        text.push_str(piece);
    }
    Secret::new(text)
}

/// The largest key takes 13 kB of XML.
const LONGEST: usize = 64 * 1024;
pub(super) const STRONG_BITS: usize = 2048;
