//! An assertion of SAML 1.1 as it stands there (SAML 1.1 core §2.3 and §2.4), which is what
//! WS-Federation carries.

use super::moment::moment;
use super::refused::SamlRefused;
use super::stated::{Confirmation, Stated};
use super::tree::Node;

pub(super) const SAML_11: &str = "urn:oasis:names:tc:SAML:1.0:assertion";

impl Stated {
    pub(super) fn read_11(assertion: Node<'_>) -> Result<Self, SamlRefused> {
        let version = (assertion.required("MajorVersion")?, assertion.required("MinorVersion")?);
        if version != ("1", "1") {
            return Err(SamlRefused::Version);
        }
        let mut stated = Self {
            id: assertion.required("AssertionID")?.to_owned(),
            issuer: assertion.required("Issuer")?.to_owned(),
            ..Self::default()
        };
        stated.conditions_11(assertion.one(SAML_11, "Conditions")?)?;
        let mut subjects = Vec::new();
        for part in assertion.elements()? {
            match (part.namespace(), part.local()) {
                (SAML_11, "Conditions") => {}
                (SAML_11, "AuthenticationStatement") => {
                    subjects.push(subject(part)?);
                    stated.sign_ins.push(None);
                }
                (SAML_11, "AttributeStatement") => {
                    subjects.push(subject(part)?);
                    stated.attributes_11(part)?;
                }
                _ => return Err(SamlRefused::Shape),
            }
        }
        // Each statement names its subject; two of them would be two people.
        let first = subjects.first().ok_or(SamlRefused::Subject)?;
        if subjects.iter().any(|subject| subject != first) {
            return Err(SamlRefused::Subject);
        }
        stated.subject.clone_from(&first.name);
        if first.is_bearer {
            stated.confirmations.push(Confirmation::default());
        }
        Ok(stated)
    }

    fn conditions_11(&mut self, conditions: Node<'_>) -> Result<(), SamlRefused> {
        self.not_before = conditions.attribute("NotBefore").map(moment).transpose()?;
        self.until = conditions.attribute("NotOnOrAfter").map(moment).transpose()?;
        for condition in conditions.elements()? {
            match (condition.namespace(), condition.local()) {
                (SAML_11, "AudienceRestrictionCondition") => {
                    let named = condition.all(SAML_11, "Audience")?.into_iter().map(Node::text);
                    self.audiences.push(named.collect::<Result<_, _>>()?);
                }
                (SAML_11, "DoNotCacheCondition") => {}
                _ => return Err(SamlRefused::Condition),
            }
        }
        Ok(())
    }

    /// A claim's name is the attribute's namespace and name, put together as the issuers of such
    /// tokens take them apart.
    fn attributes_11(&mut self, statement: Node<'_>) -> Result<(), SamlRefused> {
        for attribute in statement.elements()? {
            if attribute.is(SAML_11, "Subject") {
                continue;
            }
            if !attribute.is(SAML_11, "Attribute") {
                return Err(SamlRefused::Shape);
            }
            let namespace = attribute.required("AttributeNamespace")?;
            let name = format!("{namespace}/{}", attribute.required("AttributeName")?);
            self.attributes.add(name, attribute, SAML_11)?;
        }
        Ok(())
    }
}

#[derive(PartialEq, Eq)]
struct Subject {
    name: Option<String>,
    is_bearer: bool,
}

fn subject(statement: Node<'_>) -> Result<Subject, SamlRefused> {
    let subject = statement.one(SAML_11, "Subject")?;
    let name = subject.at_most_one(SAML_11, "NameIdentifier")?.map(Node::text).transpose()?;
    let mut is_bearer = false;
    if let Some(confirmation) = subject.at_most_one(SAML_11, "SubjectConfirmation")? {
        for method in confirmation.elements()? {
            if !method.is(SAML_11, "ConfirmationMethod") {
                return Err(SamlRefused::Confirmation);
            }
            is_bearer |= method.text()? == BEARER;
        }
    }
    Ok(Subject { name, is_bearer })
}

const BEARER: &str = "urn:oasis:names:tc:SAML:1.0:cm:bearer";
