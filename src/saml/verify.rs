//! Whether a posted document is a configured issuer's word, and what it says.

use super::assertion::Unaddressed;
use super::envelope::{Located, Version, applies_to, check_response};
use super::refused::SamlRefused;
use super::rules::{Profile, SamlRules};
use super::signature::{only_signature, prove};
use super::stated::Stated;
use super::tree::Tree;
use super::{algorithm, posted};

/// Verifies what a form field held: base64 of a document.
///
/// # Errors
/// [`SamlRefused`] with the first rule it breaks.
pub fn verify_posted(field: &str, rules: &SamlRules<'_>) -> Result<Unaddressed, SamlRefused> {
    verify_xml(&posted::decoded(field)?, rules)
}

/// Verifies a document: form, signature, then every condition but the audience. Whether it was
/// used before is the caller's to know.
///
/// # Errors
/// [`SamlRefused`] with the first rule it breaks.
pub fn verify_xml(document: &[u8], rules: &SamlRules<'_>) -> Result<Unaddressed, SamlRefused> {
    let tree = Tree::parse(posted::text(document)?)?;
    let posted = Located::find(&tree, rules.profile)?;
    let (signature, signed) = only_signature(&tree)?;
    let identifier = posted.identifier_of(signed)?;
    let proven = prove(&tree, (signature, signed), identifier, (rules.keys, rules.sha1))?;
    // From here on the posted document is of use for refusing alone.
    let believed = Tree::parse(&proven.bytes)?;
    let root = believed.root()?;
    let is_whole_response = posted.response.is_some_and(|response| response.id() == signed.id());
    let (assertion, response) = if is_whole_response {
        let located = Located::find(&believed, Profile::WebSso)?;
        (located.assertion, located.response)
    } else {
        (root, posted.response)
    };
    let named = [root.attribute("ID"), root.attribute("AssertionID")];
    let is_what_was_signed = (root.namespace(), root.local())
        == (signed.namespace(), signed.local())
        && named.contains(&Some(&proven.target));
    if !is_what_was_signed
        || believed.everywhere().any(|node| node.is(algorithm::DSIG, "Signature"))
    {
        return Err(SamlRefused::SignatureCount);
    }
    let mut stated = match posted.version {
        Version::OneDotOne => Stated::read_11(assertion)?,
        Version::Two => Stated::read_20(assertion)?,
    };
    if rules.profile == Profile::WsFederation {
        stated.applies_to = applies_to(&tree)?;
    }
    response.map_or(Ok(()), |response| check_response(response, rules))?;
    let expires = stated.holds(rules)?;
    Ok(Unaddressed::new(stated, expires))
}
