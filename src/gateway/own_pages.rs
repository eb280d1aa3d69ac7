//! The addresses that are ours on every host: start, callback, finish, sign-out and after it.

use http::{Method, header};

use crate::clock::Timestamp;
use crate::config::{Flow, RelyingParty, ResponseMode};
use crate::identity::ContextId;
use crate::pages::Trouble;
use crate::web::{Fields, Inbound, Refusal, ReturnTo};

use super::app_pages;
use super::respond::Refused;
use super::site::{HostSite, Site};
use super::start::{asked_by_a_page, counted, sign_in};
use super::verdict::{Step, Verdict};

/// The verdict on a request for one of our own addresses; `None` for all others.
pub(super) fn answer(
    site: &Site,
    number: usize,
    inbound: &Inbound<'_>,
    now: Timestamp,
) -> Option<Verdict> {
    let host = &site.hosts[number];
    let path = inbound.path();
    if host.host.is_answered_at(path) {
        return Some(counted(site, inbound, || callback(host, number, inbound)));
    }
    if host.host.notice_path.as_deref() == Some(path) {
        return Some(notice(site, number, inbound));
    }
    if let Some(verdict) = app_pages::answer(site, number, inbound, now) {
        return Some(verdict);
    }
    let verdict = match own_name(host, path)? {
        "start" if gets(inbound) => counted(site, inbound, || start(site, host, inbound)),
        "finish" if gets(inbound) => Verdict::Wait(Step::Finish { host: number }),
        "signed_out" if asks(inbound) => Verdict::SignedOut,
        "sign_out" if gets(inbound) || inbound.method() == Method::POST => {
            sign_out(host, number, inbound)
        }
        "start" | "finish" | "signed_out" | "sign_out" => {
            Verdict::Refuse(Refused::refusal(Refusal::Method))
        }
        _ => Verdict::Refuse(Refused::new(Trouble::NotFound, "no page of ours has this address")),
    };
    Some(verdict)
}

/// What of our prefix, or of oauth2-proxy's, a path names.
fn own_name<'p>(host: &HostSite, path: &'p str) -> Option<&'p str> {
    if let Some(rest) = path.strip_prefix(host.host.prefix.as_str()) {
        if let Some(name) = rest.strip_prefix('/') {
            return Some(name);
        }
        if rest.is_empty() {
            return Some("");
        }
    }
    match path {
        "/oauth2/start" | "/oauth2/sign_in" if host.host.oauth2_proxy_paths => Some("start"),
        "/oauth2/sign_out" if host.host.oauth2_proxy_paths => Some("sign_out"),
        _ => None,
    }
}

/// Whether an address is one of our own, under whatever name.
pub(super) fn is_ours(host: &HostSite, target: &str) -> bool {
    let path = target.split('?').next().unwrap_or(target);
    own_name(host, path).is_some()
        || host.host.notice_path.as_deref() == Some(path)
        || host.host.is_answered_at(path)
}

/// SuperOffice posts its notices; nobody's session is asked for.
fn notice(site: &Site, number: usize, inbound: &Inbound<'_>) -> Verdict {
    if inbound.method() != Method::POST {
        return Verdict::Refuse(Refused::refusal(Refusal::Method));
    }
    match site.turnstile.notice_turn(inbound) {
        Ok(()) => Verdict::Wait(Step::Notice { host: number }),
        Err(over) => Verdict::Refuse(Refused::over(over)),
    }
}

/// A redirect URL, or an error callback URL. Forms come where somebody asked for them.
fn callback(host: &HostSite, number: usize, inbound: &Inbound<'_>) -> Verdict {
    let (gets, posts) = (gets(inbound), inbound.method() == Method::POST);
    let parties = host.parties_at(inbound.path());
    let step = match parties.as_slice() {
        [] if gets || posts => Step::Told { host: number },
        parties if posts && parties.iter().any(|party| takes_forms(party)) => {
            Step::Posted { host: number }
        }
        [_, ..] if gets => Step::Callback { host: number },
        _ => return Verdict::Refuse(Refused::refusal(Refusal::Method)),
    };
    Verdict::Wait(step)
}

fn takes_forms(party: &RelyingParty) -> bool {
    match &party.flow {
        Flow::Code => party.response.mode != ResponseMode::Query,
        Flow::Legacy(legacy) => legacy.is_posted(),
    }
}

/// `rd`: where to go afterwards; `with`: the relying party; `tenant`: the tenant. Nothing but a
/// document or a frame may ask, so that an image on another site begins no sign-ins.
fn start(site: &Site, host: &HostSite, inbound: &Inbound<'_>) -> Verdict {
    if !asked_by_a_page(inbound) {
        let detail = "sign-in asked for by something that is not a page";
        return Verdict::Refuse(Refused::new(Trouble::BadRequest, detail));
    }
    let Ok(fields) = Fields::parse(inbound.query().as_bytes()) else {
        return Verdict::Refuse(Refused::new(Trouble::BadRequest, "a parameter twice"));
    };
    let target = fields
        .get("rd")
        .and_then(|rd| ReturnTo::parse(rd, &host.host.origin, &host.host.prefix))
        .filter(|target| !is_ours(host, target.as_str()))
        .unwrap_or_else(ReturnTo::root);
    let tenant = fields.get("tenant").and_then(|text| ContextId::parse(text).ok());
    let parties = wanted(site, host, inbound, &target, fields.get("with"));
    sign_in(site, host, inbound, target, &parties, tenant)
}

/// The relying party asked for, or those of the route the target is on, or all of the host's.
fn wanted<'a>(
    site: &'a Site,
    host: &'a HostSite,
    inbound: &Inbound<'_>,
    target: &ReturnTo,
    with: Option<&str>,
) -> Vec<&'a RelyingParty> {
    if let Some(party) = host.parties().into_iter().find(|party| Some(party.name.as_str()) == with)
    {
        return vec![party];
    }
    let path = target.as_str().split('?').next().unwrap_or("/");
    let route = site
        .table
        .host(inbound.authority())
        .and_then(|number| site.table.route(number, path))
        .map(|number| site.route(number))
        .filter(|route| !route.relying_parties.is_empty());
    match route {
        Some(route) => route.relying_parties.iter().map(|party| &**party).collect(),
        None => host.parties(),
    }
}

/// Another site may link here, but not sign people out behind their back.
fn sign_out(host: &HostSite, number: usize, inbound: &Inbound<'_>) -> Verdict {
    let says = |name: &str| inbound.header(name).map(|value| value.as_bytes());
    let from_here = matches!(says("sec-fetch-site"), None | Some(b"same-origin" | b"none"));
    let seen = says("sec-fetch-mode") == Some(b"navigate")
        && says("sec-fetch-dest").is_none_or(|dest| dest == b"document");
    let hidden = (!from_here && !seen) || says("sec-purpose").is_some();
    let foreign = inbound.method() == Method::POST
        && inbound
            .header(header::ORIGIN.as_str())
            .is_some_and(|origin| origin.as_bytes() != host.host.origin.as_str().as_bytes());
    if hidden || foreign {
        let detail = "sign-out asked for by another site";
        return Verdict::Refuse(Refused::new(Trouble::BadRequest, detail));
    }
    Verdict::Wait(Step::SignOut { host: number })
}

fn gets(inbound: &Inbound<'_>) -> bool {
    inbound.method() == Method::GET
}

fn asks(inbound: &Inbound<'_>) -> bool {
    inbound.method() == Method::GET || inbound.method() == Method::HEAD
}
