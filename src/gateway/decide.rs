//! The verdict: what becomes of a request, decided without a socket.
//!
//! Cases, in order: a host that is not served; an encoded slash the route does not take; a request
//! that may go no further; a page of our own; no route; a public route; a
//! living session within the route's rule, which leaves; a session outside the rule; and nobody, or
//! somebody of another relying party or tenant than is asked for, or whose ticket is dead, who is sent to
//! sign in when a browser navigates and gets 401 otherwise.

use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode};

use crate::authn::{Authenticated, Denied, Permit, Wanted};
use crate::clock::Timestamp;
use crate::config::{Access, Destination, EncodedSlashes, Present, Route};
use crate::credentials::Needed;
use crate::identity::Credential;
use crate::limits::Standing;
use crate::pages::{NotAllowed, Trouble};
use crate::session::{Question, SessionState, Sessions};
use crate::telemetry::Unfit;
use crate::web::{
    Asking, Inbound, PathProblem, Refusal, Reply, ReturnTo, Slashes, with_plain_slashes,
};

use super::about::About;
use super::asked_tenant::asked_tenant;
use super::calls::Call;
use super::fruitless::{Fruitless, fruitless};
use super::keeping;
use super::own_names::is_ours;
use super::own_pages;
use super::parties::parties;
use super::readable;
use super::respond::Refused;
use super::site::{HostSite, Site};
use super::start::{only_tenant, sign_in, unauthorized};
use super::told::Addressed;
use super::turnstile::tighter;
use super::verdict::{Departure, Pause, Verdict};

/// Decides. A function of its own in the program too: the gate on instruction counts finds it by name.
#[inline(never)]
pub fn decide(site: &Site, inbound: &Inbound<'_>, now: Timestamp) -> Verdict {
    let Some(number) = site.table.host(inbound.authority()) else {
        return Verdict::Refuse(Refused::refusal(Refusal::UnknownHost));
    };
    if inbound.slashes() == Slashes::Encoded && !takes_encoded_slashes(site, number, inbound.path())
    {
        return Verdict::Refuse(Refused::refusal(PathProblem::EncodedDelimiter.into()));
    }
    if inbound.ends_here() {
        return Verdict::Answer(Reply::text(StatusCode::OK, "OPTIONS went no further than here"));
    }
    if let Some(verdict) = own_pages::answer(site, number, inbound, now) {
        return verdict;
    }
    let Some(route_number) = site.table.route(number, inbound.path()) else {
        return Verdict::Refuse(Refused::new(Trouble::NotFound, "no route has this path"));
    };
    let route = site.route(route_number);
    let standing = match site.turnstile.turn(route_number, inbound) {
        Ok(standing) => standing,
        Err(over) => return Verdict::Refuse(Refused::over(over)),
    };
    let original = None;
    let leaving =
        Leaving { site, host: number, route: route_number, inbound, now, standing, original };
    if let Some(permit) = Permit::public(route) {
        return leaving.with(&permit);
    }
    let_in(leaving, Hope::Refresh)
}

/// Decides what waited for a session to be refreshed; it waits no more. A place in the rates of the
/// route was taken before.
pub(super) fn resume(
    site: &Site,
    inbound: &Inbound<'_>,
    standing: Option<Standing>,
    now: Timestamp,
) -> Verdict {
    let host = site.table.host(inbound.authority());
    let way = host.and_then(|host| Some((host, site.table.route(host, inbound.path())?)));
    let Some((host, route)) = way else {
        return Verdict::Refuse(Refused::refusal(Refusal::UnknownHost));
    };
    let original = None;
    let_in(Leaving { site, host, route, inbound, now, standing, original }, Hope::Nothing)
}

/// Lets somebody in who is signed in, if the route is for them.
fn let_in(leaving: Leaving<'_>, hope: Hope) -> Verdict {
    let Leaving { site, host: number, route: route_number, inbound, now, .. } = leaving;
    let (host, route) = (&site.hosts[number], site.route(route_number));
    if let Some(verdict) = of_another_page(host, inbound) {
        return verdict;
    }
    let tenant = match asked_tenant(route, inbound.query()) {
        Ok(tenant) => tenant,
        Err(refused) => return Verdict::Refuse(*refused),
    };
    let wanted = Wanted { host: &host.host, route, tenant: tenant.as_ref() };
    match authenticated((site, number), route, inbound, now) {
        Authenticated::Proven(session) => match Permit::ask(wanted, session, now) {
            Ok(permit) => permitted(leaving, &permit),
            Err(Denied::Credential) => without_credential(leaving, wanted, hope),
            Err(denied) => outside(site, (number, route_number), now, inbound, denied),
        },
        Authenticated::Nobody => nobody(site, (number, route_number), inbound),
        Authenticated::Rejected(why) => {
            site.metrics.sessions().unfit(why);
            if why == Unfit::Ended {
                // What it could be had anew with is at hand again, and nobody is to have it so.
                let whose = host.authenticator.sessions().whose(inbound.cookies());
                whose.iter().for_each(|session| site.refresher.revoke(session));
            }
            nobody(site, (number, route_number), inbound)
        }
        Authenticated::Unavailable => Verdict::Refuse(Refused::without_store()),
    }
}

/// Who sent it. Where the store of sessions does not answer, the route may take its last word.
fn authenticated(
    (site, number): (&Site, usize),
    route: &Route,
    inbound: &Inbound<'_>,
    now: Timestamp,
) -> Authenticated {
    let authenticator = &site.hosts[number].authenticator;
    let found = authenticator.authenticate(inbound, now);
    if !matches!(found, Authenticated::Unavailable) || route.store_outage.is_zero() {
        return found;
    }
    let found = authenticator.authenticate_by_last_word(inbound, now, route.store_outage);
    if matches!(found, Authenticated::Proven(_)) {
        site.metrics.sessions().served_by_last_word();
    }
    found
}

fn permitted(leaving: Leaving<'_>, permit: &Permit) -> Verdict {
    let Leaving { site, host, route, inbound, .. } = leaving;
    match permit.shared().and_then(|session| fruitless(site, site.route(route), session)) {
        None => {}
        Some(Fruitless::Tenant(refused)) => return Verdict::Refuse(*refused),
        Some(Fruitless::Ticket) => return nobody(site, (host, route), inbound),
    }
    match keeping::waiting((site, host), route, inbound, permit) {
        keeping::Found::Nothing => leaving.with(permit),
        keeping::Found::Answer(verdict) => *verdict,
        keeping::Found::Resume => match leaving.with(permit) {
            Verdict::Leave(departure) => Verdict::Leave(Box::new(departure.having_to_resume())),
            other => other,
        },
    }
}

/// Somebody whose access token is dead, or who never had one. What can be refreshed is waited for once.
/// While SuperID cannot be asked, nobody is sent there: who would be shown what there is gets in without
/// it, and a route that needs it has to wait.
fn without_credential(leaving: Leaving<'_>, wanted: Wanted<'_>, hope: Hope) -> Verdict {
    let Leaving { site, host: number, route, inbound, now, .. } = leaving;
    let host = &site.hosts[number];
    // The permit took the session; it is opened already, and so at hand.
    let session = match authenticated((site, number), site.route(route), inbound, now) {
        Authenticated::Proven(session) if !session.credential_lives(now) => session,
        _ => return nobody(site, (number, route), inbound),
    };
    let needed = match hope {
        Hope::Refresh => site.refresher.needed(host.authenticator.sessions(), &session, now),
        Hope::Nothing if session.can_be_refreshed() => Needed::Outage,
        Hope::Nothing => Needed::Nothing,
    };
    match needed {
        Needed::Nothing => nobody(site, (number, route), inbound),
        Needed::Wait(waiting) => {
            Verdict::Refresh(Box::new(Pause { waiting, standing: leaving.standing }))
        }
        Needed::Outage => {
            let credential = Credential::Nothing;
            let bare = SessionState { credential, ..(*session).clone() };
            match Permit::ask(wanted, Arc::new(bare), now) {
                Ok(permit) => permitted(Leaving { original: Some(session), ..leaving }, &permit),
                Err(_) => {
                    let detail =
                        "the access token is dead, and SuperID cannot be asked for another";
                    Verdict::Refuse(Refused::new(Trouble::SuperIdUnreachable, detail))
                }
            }
        }
    }
}

/// Whether a dead access token is waited for.
#[derive(Clone, Copy)]
enum Hope {
    Nothing,
    Refresh,
}

/// The verdict on what browsers send for pages of other origins whoever is signed in: a preflight, or an
/// upgrade.
fn of_another_page(host: &HostSite, inbound: &Inbound<'_>) -> Option<Verdict> {
    if let Some(reply) = readable::preflight(&host.host, inbound) {
        return Some(Verdict::Answer(reply));
    }
    let detail = "a page of another site asked for an upgrade";
    let refused = || Refused::new(Trouble::PostOriginRefused, detail);
    inbound.is_foreign_upgrade(&host.host.origin).then(|| Verdict::Refuse(refused()))
}

/// What the session store has to be asked before this is decided; nothing where the answer would
/// change nothing.
pub(super) fn session_question(site: &Site, inbound: &Inbound<'_>) -> Option<Question> {
    let number = site.table.host(inbound.authority())?;
    let host = &site.hosts[number];
    let route = site.table.route(number, inbound.path()).map(|route| site.route(route));
    let open = route.is_none_or(|route| matches!(route.access, Access::Public));
    let pages = host.host.app_pages.as_ref();
    let of_app = pages.is_some_and(|pages| pages.paths().any(|page| page == inbound.path()));
    if open && !of_app && !is_ours(host, inbound.path()) {
        return None;
    }
    host.authenticator.sessions().question(inbound.cookies())
}

/// Whether the route takes an encoded slash. It has to be the same route for an app that takes it
/// for a plain one: or else a rule could be gone round. A page of our own is never asked for so.
pub(super) fn takes_encoded_slashes(site: &Site, host: usize, path: &str) -> bool {
    let found = site.table.route(host, path);
    let decoded = with_plain_slashes(path);
    found == site.table.route(host, &decoded)
        && !is_ours(&site.hosts[host], &decoded)
        && found.is_some_and(|route| site.route(route).encoded_slashes == EncodedSlashes::Pass)
}

/// What is needed to let a request go.
struct Leaving<'a> {
    site: &'a Site,
    host: usize,
    route: usize,
    inbound: &'a Inbound<'a>,
    now: Timestamp,
    standing: Option<Standing>,
    /// The session as it is kept, where the permit was given for less.
    original: Option<Arc<SessionState>>,
}

impl Leaving<'_> {
    fn with(self, permit: &Permit) -> Verdict {
        let host = &self.site.hosts[self.host];
        let turn = permit
            .session()
            .map(|session| self.site.turnstile.session_turn(self.route, &session.id.0));
        let standing = match turn.transpose() {
            Ok(turn) => tighter(self.standing, turn.flatten()),
            Err(over) => return Verdict::Refuse(Refused::over(over)),
        };
        let kept = self.original.as_ref().or(permit.shared());
        let renewal = kept.and_then(|session| self.renewal(session));
        let cookie = self.inbound.cookies().without(&host.names);
        let route = self.site.route(self.route);
        let to_tenant = matches!(route.upstream, Destination::Tenant(_));
        let origin = &self.site.hosts[self.host].host.origin;
        if to_tenant && self.inbound.may_be_anothers_doing(origin) {
            let detail = "a page of another site may have asked for it";
            let refused = Refused::new(Trouble::PostOriginRefused, detail);
            return Verdict::Refuse(match permit.shared() {
                Some(session) => refused.about(About::Person(session.clone(), route.name.clone())),
                None => refused,
            });
        }
        let call = match Call::of_a_person(&self.site.users, permit, route, self.inbound.target()) {
            Ok(call) => call,
            Err(refused) => return Verdict::Refuse(refused),
        };
        let to = Addressed { route, origin, now: self.now };
        let departure = Departure::new(permit, (self.host, self.route), to, &self.site.told);
        let departure = departure.calling(call);
        let departure = if renewal.is_some() { departure.in_use(self.now) } else { departure };
        let renewal = renewal.unwrap_or_default();
        Verdict::Leave(Box::new(departure.with_cookies(cookie, renewal).at(standing)))
    }

    /// The cookies that change, where the session is due to be written again. One that does not fit is
    /// left out: the session still lives as it was. In passing, what is due is refreshed.
    fn renewal(&self, session: &Arc<SessionState>) -> Option<Vec<HeaderValue>> {
        let sessions = self.sessions();
        self.site.refresher.ahead(sessions, session, self.now);
        let present = self.site.route(self.route).present;
        let goes_along = matches!(present, Present::Auto | Present::Ticket);
        let presenting = goes_along.then(|| session.presenting(self.now)).flatten();
        if presenting.is_none() && !sessions.is_due(session, self.inbound.cookies(), self.now) {
            return None;
        }
        let session = presenting.as_ref().unwrap_or(&**session);
        if sessions.is_of_an_older_key(session) {
            self.site.metrics.sessions().of_an_older_key();
        }
        self.site.in_use.is_used(session.id, self.now);
        Some(sessions.renew(session, &self.site.random, (self.inbound.cookies(), self.now)))
    }

    fn sessions(&self) -> &Sessions {
        self.site.hosts[self.host].authenticator.sessions()
    }
}

fn outside(
    site: &Site,
    (number, route_number): (usize, usize),
    now: Timestamp,
    inbound: &Inbound<'_>,
    denied: Denied,
) -> Verdict {
    let (host, route) = (&site.hosts[number], site.route(route_number));
    let rule = match denied {
        Denied::Administrator => NotAllowed::Administrator,
        Denied::Claim => NotAllowed::Claim,
        Denied::Tenant => NotAllowed::Tenant,
        Denied::AnotherTenant | Denied::Credential | Denied::RelyingParty => {
            return nobody(site, (number, route_number), inbound);
        }
    };
    // Signing in again would bring the same person back: SuperID must forget them first.
    let again = format!("{}/sign_out", host.host.prefix);
    let detail = format!("route {}: {denied:?} rule not met", route.name);
    let refused = Refused::new(Trouble::NotAllowed(rule), detail).again(again);
    // The permit took the session; it is opened already, and so at hand.
    Verdict::Refuse(match host.authenticator.authenticate(inbound, now) {
        Authenticated::Proven(session) => refused.about(About::Person(session, route.name.clone())),
        Authenticated::Nobody | Authenticated::Rejected(_) | Authenticated::Unavailable => refused,
    })
}

fn nobody(site: &Site, way: (usize, usize), inbound: &Inbound<'_>) -> Verdict {
    let (host, route) = (&site.hosts[way.0], site.route(way.1));
    if let Some(verdict) = keeping::keep(site, way, inbound) {
        return verdict;
    }
    let target = if safe(inbound.method()) { ReturnTo::of(inbound) } else { ReturnTo::root() };
    if inbound.asking() == Asking::Program {
        let asked = ReturnTo::of(inbound);
        return Verdict::Answer(unauthorized(host, (&target, &asked), None));
    }
    let tenant = match asked_tenant(route, target.query()) {
        Ok(tenant) => tenant.or_else(|| only_tenant(route)),
        Err(refused) => return Verdict::Refuse(*refused),
    };
    let parties = parties(host, Some(route), tenant.as_ref());
    let verdict = sign_in(site, host, inbound, target, &parties, tenant);
    keeping::abandoned(site, way, inbound, verdict)
}

fn safe(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}
