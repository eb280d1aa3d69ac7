//! Which relying parties could sign somebody in for a request: those of its host and route, and of
//! them those for its tenant.

use std::sync::Arc;

use crate::config::{RelyingParty, Route};
use crate::identity::ContextId;
use crate::session::SessionState;

use super::site::HostSite;

/// In the order the host has them. Where the tenant is known, those that are for it alone; without
/// any, those for more tenants that could be for it as well.
pub(super) fn parties<'a>(
    host: &'a HostSite,
    route: Option<&'a Route>,
    tenant: Option<&ContextId>,
) -> Vec<&'a RelyingParty> {
    let taken = |party: &&RelyingParty| route.is_none_or(|route| takes(route, party));
    let here: Vec<&RelyingParty> = host.parties().into_iter().filter(taken).collect();
    let Some(tenant) = tenant else { return here };
    let theirs = |party: &&&RelyingParty| party.tenant.as_ref() == Some(tenant);
    match here.iter().any(|party| theirs(&party)) {
        true => here.iter().filter(theirs).copied().collect(),
        false => here.into_iter().filter(|party| party.serves_tenant(tenant)).collect(),
    }
}

/// The relying party a session was made with, where the host still has it and it means what it meant
/// then.
pub(super) fn party_of<'a>(host: &'a HostSite, session: &SessionState) -> Option<&'a RelyingParty> {
    let context = &session.principal.context;
    host.parties().into_iter().find(|party| {
        party.name == session.relying_party
            && party.bond == session.bond
            && party.tenant.as_ref().is_none_or(|own| own == context)
    })
}

/// Those of several that the chooser page shows.
pub(super) fn listed<'a>(parties: &[&'a RelyingParty]) -> Vec<&'a RelyingParty> {
    parties.iter().filter(|party| party.listed).copied().collect()
}

/// A public route names nobody: whoever wants to sign in for it may do so with anybody.
fn takes(route: &Route, party: &RelyingParty) -> bool {
    let is = |own: &Arc<RelyingParty>| own.name == party.name;
    route.relying_parties.is_empty()
        || (route.relying_parties.iter().any(is) && route.could_admit(party))
}
