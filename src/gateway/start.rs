//! Sending somebody to sign in.

use http::{HeaderValue, StatusCode, header};

use crate::config::{Access, RelyingParty, Route};
use crate::identity::ContextId;
use crate::pages::{LoopHint, NoSignIn, Trouble};
use crate::signin::{Failed, Wish};
use crate::web::{Inbound, Reply, ReturnTo};

use super::asked_tenant::{asked_tenant, tenant_said};
use super::parties::{listed, parties};
use super::respond::Refused;
use super::site::{HostSite, Site};
use super::verdict::{Step, Verdict, Wanted};

/// Redirects to the one relying party there is, or asks which of those that are listed.
pub(super) fn sign_in(
    site: &Site,
    host: &HostSite,
    inbound: &Inbound<'_>,
    target: ReturnTo,
    parties: &[&RelyingParty],
    tenant: Option<ContextId>,
) -> Verdict {
    if inbound.has_lost_its_scheme(&host.host.origin) {
        let detail = "a proxy in front says http, and the public origin is https";
        let trouble = Trouble::LoopDetected(LoopHint::Scheme);
        return Verdict::Refuse(Refused::new(trouble, detail));
    }
    match chosen(parties).as_slice() {
        [] => Verdict::Refuse(nowhere(tenant.as_ref())),
        [party] => {
            let party = *party;
            if party.membership().is_some() {
                let wanted = Wanted { party: party.name.clone(), target, tenant };
                let (host, wanted) = (site.number_of(host), Box::new(wanted));
                return Verdict::Wait(Step::Begin { host, wanted });
            }
            let wish = Wish { party, target, tenant };
            begun(host, site.desk.begin(host.counter(inbound.cookies()), &wish))
        }
        several => Verdict::Choose(
            several
                .iter()
                .map(|party| (party.title.clone(), choice(host, &target, (party, tenant.as_ref()))))
                .collect(),
        ),
    }
}

/// Where one of several is chosen, for the tenant that was asked for.
fn choice(
    host: &HostSite,
    target: &ReturnTo,
    (party, tenant): (&RelyingParty, Option<&ContextId>),
) -> String {
    let address = host.start_address(target, Some(party));
    match tenant {
        // The address of a renewal names it itself.
        Some(tenant) if !target.is_renewal(&host.host.prefix) => {
            format!("{address}&tenant={tenant}")
        }
        _ => address,
    }
}

/// The one there is, or those to choose from.
pub(super) fn chosen<'a>(parties: &[&'a RelyingParty]) -> Vec<&'a RelyingParty> {
    match parties {
        [only] => vec![only],
        several => listed(several),
    }
}

/// Nobody signs people of that tenant in, or nobody can tell of which one they are.
pub(super) fn nowhere(tenant: Option<&ContextId>) -> Refused {
    match tenant {
        Some(tenant) => {
            let detail = format!("no relying party here signs people of {tenant} in");
            Refused::new(Trouble::NoSignIn(NoSignIn::ForTenant), detail)
        }
        None => {
            let detail = "no tenant is named, and no relying party is listed";
            Refused::new(Trouble::NoSignIn(NoSignIn::WhichTenant), detail)
        }
    }
}

/// RFC 9110 §15.5.2, with the sign-in address for whoever can show a person a page, and the one that
/// renews it beside a page, for what was asked for.
pub(super) fn unauthorized(
    host: &HostSite,
    (target, asked): (&ReturnTo, &ReturnTo),
    party: Option<&RelyingParty>,
) -> Reply {
    let address = format!("{}{}", host.host.origin, host.start_address(target, party));
    let body = serde_json::json!({
        "error": "sign_in_required",
        "message": "Nobody is signed in. Open sign_in in a browser window, then try again.",
        "sign_in": address,
        "renew": format!("{}{}", host.host.origin, host.renewal_address(asked)),
    });
    Reply::json(StatusCode::UNAUTHORIZED, body.to_string())
        .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("SuperID"))
}

/// An outcome of the sign-in desk as a verdict.
pub(super) fn begun(host: &HostSite, outcome: Result<Reply, Failed>) -> Verdict {
    match outcome {
        Ok(reply) => Verdict::Answer(reply),
        Err(failed) => Verdict::Refuse(Refused::failed(host, failed)),
    }
}

/// The verdict, unless its sender had too many of that kind.
pub(super) fn counted(
    site: &Site,
    inbound: &Inbound<'_>,
    verdict: impl FnOnce() -> Verdict,
) -> Verdict {
    match site.turnstile.sign_in_turn(inbound) {
        Ok(()) => verdict(),
        Err(over) => Verdict::Refuse(Refused::over(over)),
    }
}

/// Whether a document or a frame asks, or something that does not say what it is.
pub(super) fn asked_by_a_page(inbound: &Inbound<'_>) -> bool {
    let dest = inbound.header("sec-fetch-dest").map(|value| value.as_bytes());
    matches!(dest, None | Some(b"document" | b"iframe"))
}

/// The tenant the target names, which it would be asked for again; else the one asked for here.
pub(super) fn named_tenant(
    route: Option<&Route>,
    target: &ReturnTo,
    said: Option<&str>,
) -> Result<Option<ContextId>, Box<Refused>> {
    let named = route.map(|route| asked_tenant(route, target.query())).transpose()?.flatten();
    let said = said.map(tenant_said).transpose()?.flatten();
    Ok(named.or(said))
}

/// The route an address is on.
pub(super) fn route_of<'a>(
    site: &'a Site,
    inbound: &Inbound<'_>,
    target: &ReturnTo,
) -> Option<&'a Route> {
    let host = site.table.host(inbound.authority())?;
    site.table.route(host, target.path()).map(|number| site.route(number))
}

/// The relying party of that name, or else those that could sign somebody in for the route and tenant.
pub(super) fn with_whom<'h>(
    host: &'h HostSite,
    route: Option<&'h Route>,
    (with, tenant): (Option<&str>, Option<&ContextId>),
) -> Vec<&'h RelyingParty> {
    let named = host.parties().into_iter().find(|party| Some(party.name.as_str()) == with);
    named.map_or_else(|| parties(host, route, tenant), |one| vec![one])
}

/// A route for one tenant alone asks SuperID for that tenant, without its tenant picker.
pub(super) fn only_tenant(route: &Route) -> Option<ContextId> {
    match &route.access {
        Access::SignedIn(restriction) => match restriction.tenants.as_slice() {
            [tenant] => Some(tenant.clone()),
            _ => None,
        },
        Access::Public => None,
    }
}
