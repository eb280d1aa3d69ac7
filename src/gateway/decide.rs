//! The verdict: what becomes of a request, decided without a socket.
//!
//! Cases, in order: a host that is not served; a page of our own; no route; a public route; a
//! living session within the route's rule, which leaves; a session outside the rule; and nobody,
//! who is sent to sign in when a browser navigates and gets 401 otherwise.

use http::{HeaderValue, Method, StatusCode, header};

use crate::authn::{Authenticated, Denied, Permit};
use crate::clock::Timestamp;
use crate::config::{Access, RelyingParty, Route};
use crate::credentials::{Injection, injected};
use crate::identity::ContextId;
use crate::pages::{NotAllowed, Trouble};
use crate::session::SessionState;
use crate::signin::{Failed, Wish};
use crate::web::{Asking, Inbound, Refusal, Reply, ReturnTo};

use super::own_pages::{self, start_address};
use super::respond::Refused;
use super::site::{HostSite, Site};

/// What becomes of a request.
#[derive(Debug)]
pub enum Verdict {
    /// This answer.
    Answer(Reply),
    /// A page that asks with whom to sign in: titles and addresses.
    Choose(Vec<(String, String)>),
    /// To the app, with this.
    Leave(Box<Departure>),
    /// A page or JSON that says why not.
    Refuse(Refused),
    /// The page after sign-out.
    SignedOut,
    /// A step that waits for a form or for SuperID.
    Wait(Step),
}

/// A step of a sign-in that cannot be taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The callback of the code flow.
    Callback { host: usize },
    /// A form posted to a legacy callback.
    Posted { host: usize },
}

/// A request on its way to the app. Only [`decide`] makes one, and only from a permit.
#[derive(Debug)]
pub struct Departure {
    pub(super) host: usize,
    pub(super) route: usize,
    pub(super) injection: Injection,
    /// The app's own cookies, joined; ours are gone.
    pub(super) cookie: Option<HeaderValue>,
    /// The session cookie written anew, when its time has come.
    pub(super) renewal: Vec<HeaderValue>,
    /// For the access log.
    pub(super) tenant: Option<ContextId>,
}

/// Decides.
pub fn decide(site: &Site, inbound: &Inbound<'_>, now: Timestamp) -> Verdict {
    let Some(number) = site.table.host(inbound.authority()) else {
        return Verdict::Refuse(Refused::refusal(Refusal::UnknownHost));
    };
    let host = &site.hosts[number];
    if let Some(verdict) = own_pages::answer(site, number, inbound, now) {
        return verdict;
    }
    let Some(route_number) = site.table.route(number, inbound.path()) else {
        return Verdict::Refuse(Refused::new(Trouble::NotFound, "no route has this path"));
    };
    let route = site.route(route_number);
    let leaving = Leaving { site, host: number, route: route_number, inbound, now };
    if let Some(permit) = Permit::public(route) {
        return leaving.with(&permit);
    }
    match host.authenticator.authenticate(inbound, now) {
        Authenticated::Proven(session) => match Permit::ask(route, session, now) {
            Ok(permit) => leaving.with(&permit),
            Err(denied) => outside(site, host, route, inbound, denied),
        },
        Authenticated::Nobody | Authenticated::Rejected => nobody(site, host, route, inbound),
    }
}

/// What is needed to let a request go.
struct Leaving<'a> {
    site: &'a Site,
    host: usize,
    route: usize,
    inbound: &'a Inbound<'a>,
    now: Timestamp,
}

impl Leaving<'_> {
    fn with(self, permit: &Permit) -> Verdict {
        let host = &self.site.hosts[self.host];
        let renewal = permit.session().map(|session| self.renewal(session)).unwrap_or_default();
        Verdict::Leave(Box::new(Departure {
            host: self.host,
            route: self.route,
            injection: injected(permit, self.site.route(self.route)),
            cookie: self.inbound.cookies().without(&host.names),
            renewal,
            tenant: permit.session().map(|session| session.principal.context.clone()),
        }))
    }

    /// A renewal that does not fit is left out: the old cookie still lives.
    fn renewal(&self, session: &SessionState) -> Vec<HeaderValue> {
        let store = self.site.hosts[self.host].authenticator.cookie();
        if !store.is_due(session, self.now) {
            return Vec::new();
        }
        let renewed = SessionState { seen: self.now, ..session.clone() };
        store.store(&renewed, &self.site.random, self.inbound.cookies()).unwrap_or_default()
    }
}

fn outside(
    site: &Site,
    host: &HostSite,
    route: &Route,
    inbound: &Inbound<'_>,
    denied: Denied,
) -> Verdict {
    let rule = match denied {
        Denied::Administrator => NotAllowed::Administrator,
        Denied::Claim => NotAllowed::Claim,
        Denied::Tenant => NotAllowed::Tenant,
        Denied::Credential | Denied::RelyingParty => return nobody(site, host, route, inbound),
    };
    let again = start_address(host, &ReturnTo::of(inbound), None);
    let detail = format!("route {}: {denied:?} rule not met", route.name);
    Verdict::Refuse(Refused::new(Trouble::NotAllowed(rule), detail).again(again))
}

fn nobody(site: &Site, host: &HostSite, route: &Route, inbound: &Inbound<'_>) -> Verdict {
    let target = if safe(inbound.method()) { ReturnTo::of(inbound) } else { ReturnTo::root() };
    if inbound.asking() == Asking::Program {
        return Verdict::Answer(unauthorized(host, &target));
    }
    let parties: Vec<&RelyingParty> = route.relying_parties.iter().map(|party| &**party).collect();
    sign_in(site, host, inbound, target, &parties, only_tenant(route))
}

/// Redirects to the one relying party there is, or asks which.
pub(super) fn sign_in(
    site: &Site,
    host: &HostSite,
    inbound: &Inbound<'_>,
    target: ReturnTo,
    parties: &[&RelyingParty],
    tenant: Option<ContextId>,
) -> Verdict {
    match parties {
        [] => Verdict::Refuse(Refused::new(Trouble::Misconfigured, "no relying party")),
        [party] => {
            let wish = Wish { party, target, tenant };
            begun(host, site.desk.begin(host.counter(inbound.cookies()), &wish))
        }
        several => Verdict::Choose(
            several
                .iter()
                .map(|party| (party.title.clone(), start_address(host, &target, Some(party))))
                .collect(),
        ),
    }
}

/// An outcome of the sign-in desk as a verdict.
pub(super) fn begun(host: &HostSite, outcome: Result<Reply, Failed>) -> Verdict {
    match outcome {
        Ok(reply) => Verdict::Answer(reply),
        Err(failed) => Verdict::Refuse(Refused::failed(host, failed)),
    }
}

/// RFC 9110 §15.5.2, with the sign-in address for whoever can show a person a page.
fn unauthorized(host: &HostSite, target: &ReturnTo) -> Reply {
    let address = format!("{}{}", host.host.origin, start_address(host, target, None));
    let body = serde_json::json!({
        "error": "sign_in_required",
        "message": "Nobody is signed in. Open sign_in in a browser window, then try again.",
        "sign_in": address,
    });
    Reply::json(StatusCode::UNAUTHORIZED, body.to_string())
        .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("SuperID"))
}

/// A route for one tenant alone asks SuperID for that tenant, without its tenant picker.
fn only_tenant(route: &Route) -> Option<ContextId> {
    match &route.access {
        Access::SignedIn(restriction) => match restriction.tenants.as_slice() {
            [tenant] => Some(tenant.clone()),
            _ => None,
        },
        Access::Public => None,
    }
}

fn safe(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}
