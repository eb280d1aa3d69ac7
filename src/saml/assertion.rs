//! A verified assertion: what its issuer signed, for us, for now.

use std::fmt;

use crate::clock::Timestamp;
use crate::crypto::sha256;

use super::refused::SamlRefused;
use super::stated::Stated;

/// An assertion that is believed, except that nobody has looked yet whom it is for. Its attributes
/// can be asked, because the audience may follow from one of them; no more.
pub struct Unaddressed {
    stated: Stated,
    expires: Timestamp,
}

/// An assertion that is believed, and is for us.
pub struct Assertion {
    stated: Stated,
    expires: Timestamp,
}

impl Unaddressed {
    pub(super) fn new(stated: Stated, expires: Timestamp) -> Self {
        Self { stated, expires }
    }

    /// An attribute's value, if it has exactly one.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        single(&self.stated, name)
    }

    /// The assertion, if each of its audience restrictions names us, and there is one at all.
    ///
    /// # Errors
    /// [`SamlRefused::Audience`], also when the subject's name or the answer is for somebody else.
    pub fn addressed_to(self, audience: &str) -> Result<Assertion, SamlRefused> {
        let Self { stated, expires } = self;
        let named = |listed: &Vec<String>| listed.iter().any(|one| one == audience);
        let for_us = !stated.audiences.is_empty()
            && stated.audiences.iter().all(named)
            && [&stated.subject_for, &stated.applies_to]
                .into_iter()
                .all(|named| named.as_deref().is_none_or(|other| other == audience));
        if for_us { Ok(Assertion { stated, expires }) } else { Err(SamlRefused::Audience) }
    }
}

impl Assertion {
    /// Who issued it.
    pub fn issuer(&self) -> &str {
        &self.stated.issuer
    }

    /// `NameID` or `NameIdentifier`, if there is one.
    pub fn subject(&self) -> Option<&str> {
        self.stated.subject.as_deref()
    }

    /// An attribute's value, if it has exactly one.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        single(&self.stated, name)
    }

    /// Every attribute with its values, by name. An attribute of SAML 1.1 is called by its
    /// namespace, `/`, and its name.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.stated.attributes.iter()
    }

    /// Names this assertion for remembering that it was used: issuer and identifier, both signed.
    /// It is the same however the assertion is wrapped.
    pub fn digest(&self) -> [u8; 32] {
        sha256(&[self.stated.issuer.as_bytes(), self.stated.id.as_bytes()])
    }

    /// From when on it would be refused, leeway not included.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }
}

fn single<'a>(stated: &'a Stated, name: &str) -> Option<&'a str> {
    match stated.attributes.values(name) {
        [only] => Some(only),
        _ => None,
    }
}

impl fmt::Debug for Unaddressed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Unaddressed")
    }
}

impl fmt::Debug for Assertion {
    /// Attributes hold credentials.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Assertion({:?})", self.stated.issuer)
    }
}
