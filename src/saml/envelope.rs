//! Where the one assertion of a document stands, and what a response around it says.

use super::refused::SamlRefused;
use super::rules::{Profile, SamlRules};
use super::stated_11::SAML_11;
use super::stated_20::SAML_20;
use super::tree::{Node, Tree};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    OneDotOne,
    Two,
}

/// The one assertion of a document.
#[derive(Clone, Copy)]
pub(super) struct Located<'n> {
    pub(super) assertion: Node<'n>,
    /// The response it stands in, of SAML's own.
    pub(super) response: Option<Node<'n>>,
    pub(super) version: Version,
}

impl<'n> Located<'n> {
    /// Finds it: alone of its kind, and at the one place where this profile has it.
    pub(super) fn find(tree: &'n Tree<'_>, profile: Profile) -> Result<Self, SamlRefused> {
        if tree.everywhere().any(|node| node.local().starts_with("Encrypted")) {
            return Err(SamlRefused::Encrypted);
        }
        if profile == Profile::WsFederation && tree.everywhere().any(is_fault) {
            return Err(SamlRefused::Status);
        }
        if tree.everywhere().filter(|node| node.local() == "Assertion").count() != 1 {
            return Err(SamlRefused::AssertionCount);
        }
        let root = tree.root()?;
        let (assertion, response) = match profile {
            Profile::WebSso if root.is(PROTOCOL, "Response") => (of_response(root)?, Some(root)),
            Profile::WebSso => (root, None),
            Profile::WsFederation => (of_token_answer(root)?, None),
        };
        let version = match (profile, assertion.namespace()) {
            _ if assertion.local() != "Assertion" => return Err(SamlRefused::AssertionCount),
            (_, SAML_20) => Version::Two,
            (Profile::WsFederation, SAML_11) => Version::OneDotOne,
            _ => return Err(SamlRefused::Version),
        };
        Ok(Self { assertion, response, version })
    }

    /// What a signature calls this element by: the assertion, or the response around it.
    pub(super) fn identifier_of(&self, signed: Node<'n>) -> Result<&'n str, SamlRefused> {
        let is = |node: Node<'_>| node.id() == signed.id();
        match self.version {
            Version::Two if is(self.assertion) || self.response.is_some_and(is) => {
                signed.required("ID")
            }
            Version::OneDotOne if is(self.assertion) => signed.required("AssertionID"),
            _ => Err(SamlRefused::SignatureCount),
        }
    }
}

/// What a response says besides its assertion (SAML core §3.2.2).
pub(super) fn check_response(response: Node<'_>, rules: &SamlRules<'_>) -> Result<(), SamlRefused> {
    if response.required("Version")? != "2.0" {
        return Err(SamlRefused::Version);
    }
    if response.attribute("Destination").is_some_and(|there| there != rules.recipient) {
        return Err(SamlRefused::Destination);
    }
    if response.attribute("InResponseTo") != rules.in_response_to {
        return Err(SamlRefused::InResponseTo);
    }
    if let Some(issuer) = response.at_most_one(SAML_20, "Issuer")?
        && issuer.text()? != rules.issuer
    {
        return Err(SamlRefused::Issuer);
    }
    let code = response.one(PROTOCOL, "Status")?.one(PROTOCOL, "StatusCode")?;
    if code.required("Value")? != SUCCESS {
        return Err(SamlRefused::Status);
    }
    Ok(())
}

fn of_response(response: Node<'_>) -> Result<Node<'_>, SamlRefused> {
    let mut assertion = None;
    for part in response.elements()? {
        match (part.namespace(), part.local()) {
            (_, "Assertion") => assertion = Some(part),
            (SAML_20, "Issuer") | (PROTOCOL, "Status") | (super::algorithm::DSIG, "Signature") => {}
            _ => return Err(SamlRefused::Shape),
        }
    }
    assertion.ok_or(SamlRefused::AssertionCount)
}

fn of_token_answer(root: Node<'_>) -> Result<Node<'_>, SamlRefused> {
    let trust = TRUST.iter().find(|trust| **trust == root.namespace());
    let trust = trust.ok_or(SamlRefused::Shape)?;
    let answer = match root.local() {
        "RequestSecurityTokenResponseCollection" => {
            root.one(trust, "RequestSecurityTokenResponse")?
        }
        "RequestSecurityTokenResponse" => root,
        _ => return Err(SamlRefused::Shape),
    };
    match answer.one(trust, "RequestedSecurityToken")?.elements()?.as_slice() {
        [only] => Ok(*only),
        _ => Err(SamlRefused::AssertionCount),
    }
}

/// Whom a token answer is for (WS-Trust 1.3 §4.4.1), where it says so.
pub(super) fn applies_to(tree: &Tree<'_>) -> Result<Option<String>, SamlRefused> {
    let is_policy = |node: &Node<'_>| node.local() == "AppliesTo";
    let mut found = tree.everywhere().filter(is_policy);
    let Some(applies) = found.next() else { return Ok(None) };
    let mut addresses = tree
        .everywhere()
        .filter(|node| node.local() == "Address" && stands_in(*node, applies))
        .map(Node::text);
    match (addresses.next(), addresses.next(), found.next()) {
        (Some(only), None, None) => only.map(Some),
        _ => Err(SamlRefused::Shape),
    }
}

fn stands_in(node: Node<'_>, around: Node<'_>) -> bool {
    let mut above = node.parent();
    while let Some(node) = above {
        if node.id() == around.id() {
            return true;
        }
        above = node.parent();
    }
    false
}

/// SOAP 1.1 §4.4 and SOAP 1.2 §5.4: what is answered in place of a token.
fn is_fault(node: Node<'_>) -> bool {
    SOAP.iter().any(|soap| node.is(soap, "Fault"))
}

const SOAP: [&str; 2] =
    ["http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"];
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
const TRUST: [&str; 2] = [
    "http://schemas.xmlsoap.org/ws/2005/02/trust",
    "http://docs.oasis-open.org/ws-sx/ws-trust/200512",
];
