//! The proof that a route's access rule was met; headers for the app cannot be made without it.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::config::{Access, ClaimRule, Host, Present, RelyingParty, Restriction, Route};
use crate::identity::{ContextId, Credential, Principal};
use crate::session::SessionState;

/// Permission for one request to use one route. Only [`Permit::ask`] and [`Permit::public`] make
/// one.
#[derive(Debug)]
pub struct Permit(Option<Arc<SessionState>>);

/// Why there is no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// For administrators only.
    Administrator,
    /// A claim has none of the values wanted.
    Claim,
    /// The credential this route presents is past its time, or the sign-in gave none of its kind.
    Credential,
    /// Signed in with a relying party this route does not take.
    RelyingParty,
    /// For other tenants only.
    Tenant,
    /// Signed in to another tenant than the request is for.
    AnotherTenant,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub host: &'a Host,
    pub route: &'a Route,
    /// The tenant the request names, where its route asks that it does.
    pub tenant: Option<&'a ContextId>,
}

impl Permit {
    /// For a public route: nobody's identity goes with it.
    pub fn public(route: &Route) -> Option<Self> {
        matches!(route.access, Access::Public).then_some(Self(None))
    }

    /// For a signed-in person.
    ///
    /// # Errors
    /// [`Denied`] says which rule was not met.
    pub fn ask(
        wanted: Wanted<'_>,
        session: Arc<SessionState>,
        now: Timestamp,
    ) -> Result<Self, Denied> {
        let Wanted { host, route, tenant } = wanted;
        let Access::SignedIn(restriction) = &route.access else { return Ok(Self(None)) };
        if !of_a_party(host, route, &session) {
            return Err(Denied::RelyingParty);
        }
        if tenant.is_some_and(|tenant| *tenant != session.principal.context) {
            return Err(match tenant.is_some_and(|tenant| is_open_to(restriction, tenant)) {
                true => Denied::AnotherTenant,
                false => Denied::Tenant,
            });
        }
        restricted(restriction, &session.principal)?;
        if !credential_serves(route.present, &session, now) {
            return Err(Denied::Credential);
        }
        Ok(Self(Some(session)))
    }

    /// The session it was given for, as it is shared by its requests.
    pub fn shared(&self) -> Option<&Arc<SessionState>> {
        self.0.as_ref()
    }

    /// The session it was given for; none on a public route.
    pub fn session(&self) -> Option<&SessionState> {
        self.0.as_deref()
    }
}

/// Whether a session is of a relying party that the route takes and the host has, as both are now.
fn of_a_party(host: &Host, route: &Route, session: &SessionState) -> bool {
    let is = |party: &Arc<RelyingParty>| {
        party.name == session.relying_party && party.bond == session.bond
    };
    let tenant = |party: &Arc<RelyingParty>| {
        party.tenant.as_ref().is_none_or(|own| *own == session.principal.context)
    };
    route.relying_parties.iter().any(|party| is(party) && tenant(party))
        && host.relying_parties.iter().any(is)
}

fn is_open_to(restriction: &Restriction, tenant: &ContextId) -> bool {
    restriction.tenants.is_empty() || restriction.tenants.contains(tenant)
}

fn restricted(restriction: &Restriction, principal: &Principal) -> Result<(), Denied> {
    if !is_open_to(restriction, &principal.context) {
        return Err(Denied::Tenant);
    }
    if restriction.administrator && !principal.administrator {
        return Err(Denied::Administrator);
    }
    let met = |rule: &ClaimRule| {
        principal
            .claims
            .iter()
            .any(|(name, value)| *name == rule.claim && rule.values.contains(value))
    };
    if restriction.claims.iter().all(met) { Ok(()) } else { Err(Denied::Claim) }
}

fn credential_serves(present: Present, session: &SessionState, now: Timestamp) -> bool {
    match (present, &session.credential) {
        (Present::Nothing | Present::SystemUser, _) => true,
        (Present::Auto, Credential::Nothing) => true,
        (Present::Auto | Present::Bearer, Credential::Bearer { .. })
        | (Present::Auto | Present::Ticket, Credential::Ticket(_)) => session.credential_lives(now),
        (Present::Bearer, Credential::Nothing | Credential::Ticket(_)) => false,
        (Present::Ticket, Credential::Bearer { .. } | Credential::Nothing) => false,
    }
}
