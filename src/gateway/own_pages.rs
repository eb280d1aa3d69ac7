//! The addresses that are ours on every host: start, callback, finish, renewal, sign-out and after it, who
//! is signed in, and the keys that assertions are signed with.

use http::{Method, StatusCode, header};

use crate::clock::Timestamp;
use crate::config::{Flow, RelyingParty, ResponseMode};
use crate::pages::Trouble;
use crate::web::{Fields, Inbound, Refusal, Reply};

use super::app_pages;
use super::own_names::{own_name, target};
use super::renewing;
use super::respond::Refused;
use super::site::{HostSite, Site};
use super::start::{
    asked_by_a_page, counted, named_tenant, only_tenant, route_of, sign_in, with_whom,
};
use super::userinfo;
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
        "keys" if asks(inbound) => keys(site),
        "renew" if gets(inbound) => renewing::answer(site, number, inbound, now),
        "renew.js" if asks(inbound) => Verdict::Answer(renewing::script(inbound)),
        "userinfo" if asks(inbound) => {
            userinfo::answer(host, inbound, (&site.settings.session, now))
        }
        "signed_out" if asks(inbound) => Verdict::SignedOut,
        "sign_out" if gets(inbound) || inbound.method() == Method::POST => {
            sign_out(host, number, inbound)
        }
        "start" | "finish" | "signed_out" | "sign_out" | "keys" | "renew" | "renew.js"
        | "userinfo" => Verdict::Refuse(Refused::refusal(Refusal::Method)),
        _ => Verdict::Refuse(Refused::new(Trouble::NotFound, "no page of ours has this address")),
    };
    Some(verdict)
}

/// The public keys of assertions, for anybody to keep for a while.
fn keys(site: &Site) -> Verdict {
    match site.told.signer() {
        Some(signer) => Verdict::Answer(
            Reply::json(StatusCode::OK, signer.published().to_owned()).kept_for(KEYS_KEPT),
        ),
        None => Verdict::Refuse(Refused::new(Trouble::NotFound, "nothing is signed here")),
    }
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
        Flow::WsFederation => true,
    }
}

/// `rd`: where to go afterwards; `with`: the relying party; `tenant`: the tenant, where `rd` names
/// none. Nothing but a document or a frame may ask, so that an image on another site begins no sign-ins.
fn start(site: &Site, host: &HostSite, inbound: &Inbound<'_>) -> Verdict {
    if !asked_by_a_page(inbound) {
        let detail = "sign-in asked for by something that is not a page";
        return Verdict::Refuse(Refused::new(Trouble::BadRequest, detail));
    }
    let Ok(fields) = Fields::parse(inbound.query().as_bytes()) else {
        return Verdict::Refuse(Refused::new(Trouble::BadRequest, "a parameter twice"));
    };
    let target = target(host, fields.get("rd"));
    let route = route_of(site, inbound, &target);
    let tenant = match named_tenant(route, &target, fields.get("tenant")) {
        Ok(tenant) => tenant.or_else(|| route.and_then(only_tenant)),
        Err(refused) => return Verdict::Refuse(*refused),
    };
    let parties = with_whom(host, route, (fields.get("with"), tenant.as_ref()));
    sign_in(site, host, inbound, target, &parties, tenant)
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

/// For how many seconds anybody may keep the public keys: so long before a key signs, it has to be
/// published.
const KEYS_KEPT: u32 = 300;
