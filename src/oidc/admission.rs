//! A person as a provider's token describes them, for whoever decides who may in.

use crate::admission::{Newcomer, admit as let_in};
use crate::config::Membership;
use crate::identity::Principal;
use crate::superid::is_address;

use super::failure::ProviderFailed;
use super::vouched::Vouched;

/// The person, with those of their claims that are named. An address counts only where the provider
/// has checked it.
///
/// # Errors
/// [`ProviderFailed::NotLetIn`] when nothing of the membership's people names them.
pub(super) fn admit(
    membership: &Membership,
    vouched: &Vouched,
    kept_claims: &[String],
) -> Result<Principal, ProviderFailed> {
    let newcomer = Newcomer {
        issuer: vouched.issuer(),
        subject: vouched.subject(),
        directory: vouched.text("tid"),
        hosted_domain: vouched.text("hd"),
        email: vouched.verified_email().filter(|email| is_address(email)),
        first_name: vouched.text("given_name"),
        last_name: vouched.text("family_name"),
    };
    let admitted = let_in(&membership.people, newcomer);
    let mut principal = admitted.map_err(ProviderFailed::NotLetIn)?;
    for name in kept_claims {
        let values = vouched.values(name).into_iter();
        principal.claims.extend(values.map(|value| (name.clone(), value)));
    }
    Ok(principal)
}
