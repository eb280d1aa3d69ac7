//! Whether a posted SAML assertion is SuperID's word about a tenant (`superid.md` §3.3).

use crate::config::AllowedAddresses;
use crate::identity::ContextId;
use crate::saml::{Assertion, SamlRules, verify_posted};

use super::claims::{Checked, Kind, VerifiedClaims, digits, full};
use super::failure::ClaimsRefused;
use super::json::Object;
use super::verify::require;

/// What an assertion must say. It is for a tenant, as a legacy JWT is, unless a name of our own was
/// agreed on.
#[derive(Clone, Copy)]
pub(super) struct AssertionRules<'a> {
    /// Which of the tenant's addresses are believed.
    pub(super) addresses: &'a AllowedAddresses,
    /// Ours, where one was agreed on.
    pub(super) audience: Option<&'a str>,
    pub(super) saml: SamlRules<'a>,
    /// The serial number of a tenant, from anywhere but the assertion itself.
    pub(super) serial: &'a dyn Fn(&ContextId) -> Option<String>,
}

/// Verifies base64 of an assertion, bare or in a response.
pub(super) fn check(
    field: &str,
    rules: &AssertionRules<'_>,
) -> Result<VerifiedClaims, ClaimsRefused> {
    let believed = verify_posted(field, &rules.saml)?;
    let context = believed.attribute(&full("ctx")).and_then(|ctx| ContextId::parse(ctx).ok());
    let context = context.ok_or(ClaimsRefused::Context)?;
    let serial = (rules.serial)(&context);
    let assertion = match (rules.audience, &serial) {
        (Some(ours), _) => believed.addressed_to(ours)?,
        (None, Some(serial)) => believed.addressed_to(&format!("spn:{serial}"))?,
        (None, None) => return Err(ClaimsRefused::SerialUnknown),
    };
    let claims = claims_of(&assertion);
    let stated = digits(&claims, "serial")?;
    let agrees = stated.is_none() || serial.is_none() || stated == serial;
    require(agrees, ClaimsRefused::Serial)?;
    let checked = Checked {
        addresses: rules.addresses,
        context,
        digest: assertion.digest(),
        expires: assertion.expires().plus(rules.saml.leeway),
        kind: Kind::Legacy,
    };
    checked.take(claims)
}

/// The attributes, whose names are the claims' URIs. The person is `upn`, as in a JWT where it
/// equals `sub`; the name in `NameID` stands in where there is none.
fn claims_of(assertion: &Assertion) -> Object {
    let mut claims = Object::default();
    for (name, values) in assertion.attributes().filter(|(name, _)| *name != "sub") {
        claims.set(name, values);
    }
    if let Some(subject) = assertion.subject()
        && !claims.has(&full("upn"))
    {
        claims.set("sub", &[subject.to_owned()]);
    }
    claims
}
