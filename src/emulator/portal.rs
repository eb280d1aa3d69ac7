//! Keys as the developer portal hands them out: the private half for the app, the public one for
//! SuperID.

use std::io;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::prelude::{BASE64_STANDARD, Engine};

/// A new pair of 2,048 bits, as PEM.
pub struct IssuedKey {
    /// PKCS#8; for the app alone.
    pub private: String,
    /// `SubjectPublicKeyInfo`; for [`super::App::system_user_keys`].
    pub public: String,
}

impl IssuedKey {
    /// Takes a tenth of a second or so.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn generate() -> io::Result<Self> {
        let failed = |_| io::Error::other("no key could be made");
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let private: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(failed)?;
        let private = pem("PRIVATE KEY", private.as_ref());
        Ok(Self { private, public: pem("PUBLIC KEY", public.as_ref()) })
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out + &format!("-----END {label}-----\n")
}
