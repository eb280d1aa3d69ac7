//! SuperID's SAML 2.0 assertion before it is signed, each part open to change.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;
use time::OffsetDateTime;

use super::super::keys::{Keys, SigningKey};
use super::canonical::Node;
use super::seal::{SamlHash, Seal, enveloped};

/// An assertion to be: bare as SuperID posts it, or in a `Response`.
#[derive(Clone)]
pub struct SamlDraft {
    key: Arc<SigningKey>,
    hash: SamlHash,
    id: String,
    issuer: String,
    subject: String,
    audience: Option<String>,
    recipient: Option<String>,
    /// Seconds since 1970.
    issued: i64,
    not_before: i64,
    not_on_or_after: i64,
    attributes: Vec<(String, String)>,
}

const ASSERTION: (&str, &str) = ("", "urn:oasis:names:tc:SAML:2.0:assertion");
const PROTOCOL: (&str, &str) = ("saml2p", "urn:oasis:names:tc:SAML:2.0:protocol");
const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";

impl SamlDraft {
    /// From the claims of a legacy token: those with a URI for a name are the attributes.
    pub(in crate::emulator) fn from_claims(
        key: Arc<SigningKey>,
        hash: SamlHash,
        id: String,
        claims: &[(String, Value)],
    ) -> Self {
        let find = |name: &str| claims.iter().find(|(known, _)| known == name).map(|pair| &pair.1);
        let text = |name| find(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |name| find(name).and_then(Value::as_i64).unwrap_or_default();
        let attributes = claims.iter().filter(|(name, _)| name.starts_with("http://"));
        let attributes =
            attributes.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.into())));
        Self {
            key,
            hash,
            id,
            issuer: text("iss"),
            subject: text("sub"),
            audience: Some(text("aud")),
            recipient: None,
            issued: number("iat"),
            not_before: number("nbf"),
            not_on_or_after: number("exp"),
            attributes: attributes.collect(),
        }
    }

    /// Signs and digests with this hash.
    pub fn hashed_with(mut self, hash: SamlHash) -> Self {
        self.hash = hash;
        self
    }

    /// Signs with the key that the key set never lists.
    pub fn by_stranger(mut self, keys: &Keys) -> Self {
        self.key = keys.stranger();
        self
    }

    /// `ID` of the assertion, random otherwise.
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    pub fn issuer(mut self, issuer: &str) -> Self {
        issuer.clone_into(&mut self.issuer);
        self
    }

    pub fn subject(mut self, subject: &str) -> Self {
        subject.clone_into(&mut self.subject);
        self
    }

    /// `None` leaves the restriction out.
    pub fn audience(mut self, audience: Option<&str>) -> Self {
        self.audience = audience.map(str::to_owned);
        self
    }

    /// Says where the assertion may be delivered; otherwise nothing says so, save in a `Response`.
    pub fn recipient(mut self, recipient: &str) -> Self {
        self.recipient = Some(recipient.to_owned());
        self
    }

    /// Seconds since 1970 at which it begins to be good, and at which it ends.
    pub fn good_between(mut self, not_before: i64, not_on_or_after: i64) -> Self {
        (self.not_before, self.not_on_or_after) = (not_before, not_on_or_after);
        self
    }

    /// Sets an attribute by its full name, in its place where it is there already.
    pub fn attribute(mut self, name: &str, value: &str) -> Self {
        match self.attributes.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.attributes.push((name.into(), value.into())),
        }
        self
    }

    /// Adds an attribute even where the name is there already.
    pub fn duplicate_attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    pub fn without_attribute(mut self, name: &str) -> Self {
        self.attributes.retain(|(known, _)| known != name);
        self
    }

    /// The document: XML declaration and signed assertion.
    pub fn sign(&self) -> String {
        self.signed().document()
    }

    /// The document without a signature.
    pub fn unsigned(&self) -> String {
        self.assertion().document()
    }

    /// The document with the signed assertion in an unsigned `Response` to this address.
    pub fn in_response(&self, destination: &str) -> String {
        let assertion = match self.recipient {
            Some(_) => self.clone(),
            None => self.clone().recipient(destination),
        };
        let response = Node::new(PROTOCOL, "Response");
        let success = "urn:oasis:names:tc:SAML:2.0:status:Success";
        let status = response.sibling("StatusCode").with("Value", success);
        let status = response.sibling("Status").holding(status);
        response
            .with("ID", &format!("_r{}", self.id.trim_start_matches('_')))
            .with("Version", "2.0")
            .with("IssueInstant", &instant(self.issued))
            .with("Destination", destination)
            .holding(Node::new(ASSERTION, "Issuer").saying(&self.issuer))
            .holding(status)
            .holding(assertion.signed())
            .document()
    }

    /// As a form carries a document: standard base64.
    pub fn encoded(document: &str) -> String {
        BASE64_STANDARD.encode(document)
    }

    fn signed(&self) -> Node {
        let seal = Seal { key: &self.key, hash: self.hash, prefix: "ds" };
        // The schema has the signature right after the issuer.
        enveloped(self.assertion(), &self.id, 1, seal)
    }

    fn assertion(&self) -> Node {
        let root = Node::new(ASSERTION, "Assertion");
        let issuer = root.sibling("Issuer").saying(&self.issuer);
        let children = [
            issuer,
            self.subject_of(&root),
            self.conditions(&root),
            self.statement(&root),
            self.authentication(&root),
        ];
        root.with("ID", &self.id)
            .with("IssueInstant", &instant(self.issued))
            .with("Version", "2.0")
            .holding_all(children)
    }

    fn subject_of(&self, root: &Node) -> Node {
        let name = root.sibling("NameID").with("Format", UNSPECIFIED).saying(&self.subject);
        let confirmation = root.sibling("SubjectConfirmation");
        let confirmation = confirmation.with("Method", "urn:oasis:names:tc:SAML:2.0:cm:bearer");
        let data = self.recipient.as_ref().map(|recipient| {
            let data = root.sibling("SubjectConfirmationData").with("Recipient", recipient);
            data.with("NotOnOrAfter", &instant(self.not_on_or_after))
        });
        root.sibling("Subject").holding(name).holding(confirmation.holding_all(data))
    }

    fn conditions(&self, root: &Node) -> Node {
        let audience = self.audience.as_ref().map(|audience| {
            let audience = root.sibling("Audience").saying(audience);
            root.sibling("AudienceRestriction").holding(audience)
        });
        root.sibling("Conditions")
            .with("NotBefore", &instant(self.not_before))
            .with("NotOnOrAfter", &instant(self.not_on_or_after))
            .holding_all(audience)
    }

    fn statement(&self, root: &Node) -> Node {
        let attributes = self.attributes.iter().map(|(name, value)| {
            let value = root.sibling("AttributeValue").saying(value);
            root.sibling("Attribute").with("Name", name).holding(value)
        });
        root.sibling("AttributeStatement").holding_all(attributes)
    }

    fn authentication(&self, root: &Node) -> Node {
        let class = root.sibling("AuthnContextClassRef");
        let class = class.saying("urn:oasis:names:tc:SAML:2.0:ac:classes:Password");
        let context = root.sibling("AuthnContext").holding(class);
        let statement = root.sibling("AuthnStatement").with("AuthnInstant", &instant(self.issued));
        statement.holding(context)
    }
}

/// `2026-11-22T10:00:00.000Z`, as .NET writes it.
pub(in crate::emulator) fn instant(seconds: i64) -> String {
    let time = match u64::try_from(seconds) {
        Ok(seconds) => UNIX_EPOCH + Duration::from_secs(seconds),
        Err(_) => SystemTime::UNIX_EPOCH,
    };
    let time = OffsetDateTime::from(time);
    let (hour, minute, second) = time.to_hms();
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}
