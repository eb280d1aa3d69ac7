//! What must hold where people come by a provider that is not SuperID.

use super::route_read::ReadRoute;
use super::{Destination, Present, RelyingParty};

/// A provider's token is no credential for SuperOffice, so a route its people use presents none.
pub(super) fn refuse_credentials(read: &ReadRoute) {
    let (route, section) = (&read.route, &read.section);
    let elsewhere = |party: &&std::sync::Arc<RelyingParty>| party.membership().is_some();
    let Some(party) = route.relying_parties.iter().find(elsewhere) else { return };
    if matches!(route.upstream, Destination::Tenant(_)) {
        section.reading.problem(
            &section.place("upstream"),
            format!("a tenant takes SuperID's credentials, and {} gives none", party.name),
            "name the relying parties of SuperID alone, or another upstream",
        );
    }
    let word = match route.present {
        Present::Auto | Present::Nothing => return,
        Present::Bearer => "bearer",
        Present::SystemUser => "system_user",
        Present::Ticket => "ticket",
    };
    section.reading.problem(
        &section.place("present"),
        format!("\"{word}\" is a credential of SuperOffice's, and {} gives none", party.name),
        "leave it out, or name the relying parties of SuperID alone",
    );
}
