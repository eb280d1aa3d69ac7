//! Whether what was posted is the provider's word about somebody, for us and for now.

use crate::clock::Timestamp;
use crate::config::{SamlRecipient, SubjectClaim, Trust};
use crate::saml::{Assertion, Profile, SamlRules, Sha1, verify_xml};

use super::arrival::Arrival;
use super::failure::FederationFailed;

/// Now, and the seconds that two clocks may differ.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    pub now: Timestamp,
    pub leeway: u64,
}

/// Verifies `wresult`: one token of SAML 1.1 or 2.0 in an answer of WS-Trust, signed by a configured
/// key, from the configured issuer, for this `realm`, and posted to this `reply` where it says to
/// which. Whether it was used before is the caller's to know.
///
/// # Errors
/// [`FederationFailed`] says whose fault it is.
pub fn verify(
    trust: &Trust,
    wresult: &str,
    (realm, reply): (&str, &str),
    clocks: Clocks,
) -> Result<Arrival, FederationFailed> {
    let federation = &trust.federation;
    let rules = SamlRules {
        in_response_to: None,
        issuer: &federation.issuer,
        keys: &federation.keys,
        leeway: clocks.leeway,
        now: clocks.now,
        profile: Profile::WsFederation,
        recipient: reply,
        // The audience says whose it is.
        recipient_rule: SamlRecipient::Optional,
        sha1: Sha1::Refused,
    };
    let assertion = verify_xml(wresult.as_bytes(), &rules)?.addressed_to(realm)?;
    let subject = subject(&assertion, &federation.subject);
    let subject = subject.ok_or(FederationFailed::Subject)?.to_owned();
    let until = assertion.expires().plus(clocks.leeway);
    Ok(Arrival::new(assertion, subject, until))
}

fn subject<'a>(assertion: &'a Assertion, claim: &SubjectClaim) -> Option<&'a str> {
    let named = match claim {
        SubjectClaim::Claim(name) => assertion.attribute(name),
        SubjectClaim::NameId => assertion.subject(),
    };
    named.filter(|name| (1..=255).contains(&name.len()) && !name.chars().any(char::is_control))
}
