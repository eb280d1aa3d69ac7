//! Somebody who came with a token that is believed.

use std::fmt;

use crate::admission::{Newcomer, admit};
use crate::clock::Timestamp;
use crate::config::{Emails, Trust};
use crate::identity::Principal;
use crate::saml::Assertion;
use crate::superid::is_address;

use super::failure::FederationFailed;

/// A verified token's word.
pub struct Arrival {
    assertion: Assertion,
    subject: String,
    expires: Timestamp,
}

impl Arrival {
    pub(super) fn new(assertion: Assertion, subject: String, expires: Timestamp) -> Self {
        Self { assertion, subject, expires }
    }

    /// Names this token, for remembering that it was used.
    pub fn digest(&self) -> [u8; 32] {
        self.assertion.digest()
    }

    /// From when on the token would be refused, leeway included: how long to remember it.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Who they are to the apps, with those of their claims that are named.
    ///
    /// # Errors
    /// [`FederationFailed::NotLetIn`] when nothing of the trust's people names them.
    pub fn admit(
        &self,
        trust: &Trust,
        kept_claims: &[String],
    ) -> Result<Principal, FederationFailed> {
        let address = || self.text(EMAIL).or_else(|| self.text(UPN));
        let newcomer = Newcomer {
            issuer: self.assertion.issuer(),
            subject: &self.subject,
            directory: self.text(DIRECTORY),
            hosted_domain: None,
            email: match trust.federation.emails {
                Emails::Verified => address().filter(|email| is_address(email)),
                Emails::Unverified => None,
            },
            first_name: self.text(FIRST_NAME),
            last_name: self.text(LAST_NAME),
        };
        let admitted = admit(&trust.people, newcomer);
        let mut principal = admitted.map_err(FederationFailed::NotLetIn)?;
        for (name, values) in self.assertion.attributes() {
            if kept_claims.iter().any(|kept| kept == name) {
                let values = values.iter().filter(|value| is_line(value));
                principal.claims.extend(values.map(|value| (name.to_owned(), value.clone())));
            }
        }
        Ok(principal)
    }

    /// A claim with one value that can be shown, logged and put in a header.
    fn text(&self, name: &str) -> Option<String> {
        self.assertion.attribute(name).filter(|text| is_line(text)).map(str::to_owned)
    }
}

fn is_line(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && !text.chars().any(char::is_control)
}

impl fmt::Debug for Arrival {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Arrival({})", self.assertion.issuer())
    }
}

const LONGEST: usize = 1024;
/// Names of claims as Entra and AD FS write them.
const DIRECTORY: &str = "http://schemas.microsoft.com/identity/claims/tenantid";
const EMAIL: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress";
const FIRST_NAME: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname";
const LAST_NAME: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname";
const UPN: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn";
