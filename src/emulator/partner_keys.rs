//! The public keys of apps, and the check of what their private halves have signed.

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY as LEGACY, UnparsedPublicKey,
};
use base64::prelude::{BASE64_STANDARD, Engine};

use super::xml;

/// Whether one of the keys has made this signature: RSASSA-PKCS1-v1_5 with SHA-256, and moduli
/// from 1,024 bits up, since the portal's published samples have no more (`superid.md` §5). A key
/// that cannot be read has signed nothing.
pub(super) fn any_has_signed(keys: &[String], message: &[u8], signature: &[u8]) -> bool {
    keys.iter()
        .filter_map(|text| PartnerKey::read(text))
        .any(|key| key.bears_out(message, signature))
}

enum PartnerKey {
    /// `SubjectPublicKeyInfo` or `RSAPublicKey`, as PEM had it.
    Der(Vec<u8>),
    Numbers(PublicKeyComponents<Vec<u8>>),
}

impl PartnerKey {
    fn read(text: &str) -> Option<Self> {
        match text.trim_start().starts_with('<') {
            true => Self::from_xml(text),
            false => Self::from_pem(text),
        }
    }

    fn from_pem(text: &str) -> Option<Self> {
        let lines = text.lines().map(str::trim);
        let mut lines = lines.skip_while(|line| !line.starts_with("-----BEGIN "));
        lines.next().filter(|line| line.ends_with("PUBLIC KEY-----"))?;
        let body: String = lines.take_while(|line| !line.starts_with("-----")).collect();
        Some(Self::Der(BASE64_STANDARD.decode(body).ok()?))
    }

    fn from_xml(text: &str) -> Option<Self> {
        let key = xml::parse(text).ok().filter(|root| root.name == "RSAKeyValue")?;
        let number = |name: &str| BASE64_STANDARD.decode(key.child(name)?.text.trim()).ok();
        let (n, e) = (number("Modulus")?, number("Exponent")?);
        Some(Self::Numbers(PublicKeyComponents { n, e }))
    }

    fn bears_out(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Der(der) => {
                UnparsedPublicKey::new(&LEGACY, der).verify(message, signature).is_ok()
            }
            Self::Numbers(numbers) => numbers.verify(&LEGACY, message, signature).is_ok(),
        }
    }
}
