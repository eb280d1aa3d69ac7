//! An assertion of SAML 2.0 as it stands there (SAML core §2.3 to §2.7).

use super::moment::moment;
use super::refused::SamlRefused;
use super::stated::{Confirmation, Data, Stated};
use super::tree::Node;

pub(super) const SAML_20: &str = "urn:oasis:names:tc:SAML:2.0:assertion";

impl Stated {
    pub(super) fn read_20(assertion: Node<'_>) -> Result<Self, SamlRefused> {
        if assertion.required("Version")? != "2.0" {
            return Err(SamlRefused::Version);
        }
        let mut stated = Self {
            id: assertion.required("ID")?.to_owned(),
            issuer: assertion.one(SAML_20, "Issuer")?.text()?,
            ..Self::default()
        };
        stated
            .subject_20(assertion.at_most_one(SAML_20, "Subject")?.ok_or(SamlRefused::Subject)?)?;
        stated.conditions_20(assertion.one(SAML_20, "Conditions")?)?;
        for part in assertion.elements()? {
            match (part.namespace(), part.local()) {
                (SAML_20, "Issuer" | "Subject" | "Conditions") => {}
                (SAML_20, "AuthnStatement") => {
                    let until = part.attribute("SessionNotOnOrAfter").map(moment).transpose()?;
                    stated.sign_ins.push(until);
                }
                (SAML_20, "AttributeStatement") => stated.attributes_20(part)?,
                _ => return Err(SamlRefused::Shape),
            }
        }
        Ok(stated)
    }

    fn subject_20(&mut self, subject: Node<'_>) -> Result<(), SamlRefused> {
        for part in subject.elements()? {
            match (part.namespace(), part.local()) {
                (SAML_20, "NameID") if self.subject.is_none() => {
                    self.subject = Some(part.text()?);
                    self.subject_for = part.attribute("SPNameQualifier").map(str::to_owned);
                }
                (SAML_20, "SubjectConfirmation") => {
                    if part.required("Method")? == BEARER {
                        self.confirmations.push(confirmation(part)?);
                    }
                }
                _ => return Err(SamlRefused::Subject),
            }
        }
        Ok(())
    }

    fn conditions_20(&mut self, conditions: Node<'_>) -> Result<(), SamlRefused> {
        self.not_before = conditions.attribute("NotBefore").map(moment).transpose()?;
        self.until = conditions.attribute("NotOnOrAfter").map(moment).transpose()?;
        for condition in conditions.elements()? {
            match (condition.namespace(), condition.local()) {
                (SAML_20, "AudienceRestriction") => {
                    let named = condition.all(SAML_20, "Audience")?.into_iter().map(Node::text);
                    self.audiences.push(named.collect::<Result<_, _>>()?);
                }
                // Each assertion is taken once anyway, and we hand none on.
                (SAML_20, "OneTimeUse" | "ProxyRestriction") => {}
                _ => return Err(SamlRefused::Condition),
            }
        }
        Ok(())
    }

    fn attributes_20(&mut self, statement: Node<'_>) -> Result<(), SamlRefused> {
        for attribute in statement.elements()? {
            if !attribute.is(SAML_20, "Attribute") {
                return Err(SamlRefused::Shape);
            }
            let name = attribute.required("Name")?.to_owned();
            self.attributes.add(name, attribute, SAML_20)?;
        }
        Ok(())
    }
}

fn confirmation(node: Node<'_>) -> Result<Confirmation, SamlRefused> {
    let data = match node.elements()?.as_slice() {
        [] => None,
        [data] if data.is(SAML_20, "SubjectConfirmationData") => Some(Data {
            in_response_to: data.attribute("InResponseTo").map(str::to_owned),
            not_before: data.attribute("NotBefore").map(moment).transpose()?,
            recipient: data.attribute("Recipient").map(str::to_owned),
            until: data.attribute("NotOnOrAfter").map(moment).transpose()?,
        }),
        _ => return Err(SamlRefused::Confirmation),
    };
    Ok(Confirmation { data })
}

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
