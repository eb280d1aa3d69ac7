//! What an assertion states, whichever version of SAML said it.

use std::collections::BTreeMap;

use crate::clock::Timestamp;

use super::refused::SamlRefused;
use super::tree::Node;

/// An assertion as it was read; nothing of it has been compared with anything.
#[derive(Debug, Default)]
pub(super) struct Stated {
    pub(super) id: String,
    pub(super) issuer: String,
    /// `NameID` or `NameIdentifier`.
    pub(super) subject: Option<String>,
    /// Who the name is for, where it says so.
    pub(super) subject_for: Option<String>,
    pub(super) attributes: Attributes,
    /// Whom the answer around it is for, where it says so. Nobody signed that, so it can only refuse.
    pub(super) applies_to: Option<String>,
    pub(super) audiences: Vec<Vec<String>>,
    pub(super) confirmations: Vec<Confirmation>,
    pub(super) not_before: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    /// Whether somebody signed in, says a statement, and until when that holds.
    pub(super) sign_ins: Vec<Option<Timestamp>>,
}

/// A bearer's confirmation; others are no use here and left out.
#[derive(Debug, Default)]
pub(super) struct Confirmation {
    pub(super) data: Option<Data>,
}

/// SAML core §2.4.1.2.
#[derive(Debug)]
pub(super) struct Data {
    pub(super) in_response_to: Option<String>,
    pub(super) not_before: Option<Timestamp>,
    pub(super) recipient: Option<String>,
    pub(super) until: Option<Timestamp>,
}

/// Attributes by name, each once, with its values in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes(BTreeMap<String, Vec<String>>);

impl Attributes {
    /// Takes an attribute's values in. A value that is not text is left out.
    pub(super) fn add(
        &mut self,
        name: String,
        attribute: Node<'_>,
        namespace: &str,
    ) -> Result<(), SamlRefused> {
        let mut values = Vec::new();
        for value in attribute.elements()? {
            if !value.is(namespace, "AttributeValue") {
                return Err(SamlRefused::Shape);
            }
            values.extend(value.text().ok());
        }
        if self.0.insert(name, values).is_some() {
            return Err(SamlRefused::AttributeTwice);
        }
        Ok(())
    }

    pub(super) fn values(&self, name: &str) -> &[String] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }
}
