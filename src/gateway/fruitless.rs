//! Permits that would lead nowhere: the tenant is closed, or takes the person's ticket no more.

use std::sync::Arc;

use crate::config::{Destination, Present, RelyingParty, Route};
use crate::identity::Credential;
use crate::pages::Trouble;
use crate::session::SessionState;
use crate::tenants::AwayReason;

use super::about::About;
use super::respond::Refused;
use super::site::Site;

/// What is wrong with a credential that would go along.
pub(super) enum Fruitless {
    /// Its tenant is gone or suspended, and the person is told so.
    Tenant(Box<Refused>),
    /// It is dead: they sign in for another one.
    Ticket,
}

/// Why a request of a session that the route takes should not leave with what it would present; nothing
/// is asked for it. A route that presents nothing asks no tenant anything.
pub(super) fn fruitless(
    site: &Site,
    route: &Route,
    session: &Arc<SessionState>,
) -> Option<Fruitless> {
    let to_tenant = matches!(route.upstream, Destination::Tenant(_));
    if route.present == Present::Nothing && !to_tenant {
        return None;
    }
    let of_session = |party: &&Arc<RelyingParty>| party.name == session.relying_party;
    let party = route.relying_parties.iter().find(of_session)?;
    if let Some(away) = site.users.closed(party, &session.principal.context) {
        let about = About::Person(session.clone(), route.name.clone());
        let refused = match away.reason {
            _ if to_tenant => Refused::away(&away),
            AwayReason::Deleted => Refused::new(Trouble::TenantDeleted, CLOSED),
            _ => Refused::new(Trouble::TenantSuspended, CLOSED),
        };
        return Some(Fruitless::Tenant(Box::new(refused.about(about))));
    }
    let goes_along = matches!(route.present, Present::Auto | Present::Ticket);
    match &session.credential {
        Credential::Ticket(ticket) if goes_along && site.users.is_dead(ticket) => {
            Some(Fruitless::Ticket)
        }
        _ => None,
    }
}

const CLOSED: &str = "SuperID's state API says that the tenant is closed";
