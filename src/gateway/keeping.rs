//! What a sign-in would lose, where a route asks to have it kept: the fragment of an address, which
//! no server sees, and what somebody was posting.
//!
//! A post is kept where a page of the host itself sends it as a navigation and nobody is signed in. Back from the
//! sign-in, the browser gets the address and meets a page of ours there, which posts some bytes to it in the same way;
//! what was kept goes to the app in their place, once.

use super::downstream::Downstream;
use form_urlencoded::Serializer;
use http::{Method, header};

use crate::authn::Permit;
use crate::pages::{self, Footing, NotSent, Trouble};
use crate::signin::{HandedOut, Post, PostNotKept, Waiting, Wish};
use crate::telemetry::Limit;
use crate::web::{Asking, Cookies, Inbound, Reply, ReturnTo};

use super::asked_tenant::asked_tenant;
use super::exchange::Exchange;
use super::parties::parties;
use super::respond::{self, Refused};
use super::resumed::Resumed;
use super::site::{HostSite, Site};
use super::start::{begun, chosen, counted, nowhere, only_tenant};
use super::turnstile::Over;
use super::verdict::{Departure, Step, Verdict};
use super::wire::{self, Form};

/// What waits for somebody who is signed in.
pub(super) enum Found {
    Answer(Box<Verdict>),
    Nothing,
    /// It is to be sent, if it is handed out.
    Resume,
}

/// The verdict on what nobody who is signed in asked for, where something of it is kept.
pub(super) fn keep(
    site: &Site,
    (number, route): (usize, usize),
    inbound: &Inbound<'_>,
) -> Option<Verdict> {
    let (host, settings) = (&site.hosts[number], site.route(route));
    if inbound.has_lost_its_scheme(&host.host.origin) {
        return None;
    }
    let dest = inbound.header("sec-fetch-dest").map(|value| value.as_bytes());
    if settings.keep_fragment
        && inbound.method() == Method::GET
        && inbound.asking() == Asking::Navigation
        && matches!(dest, None | Some(b"document"))
    {
        return Some(Verdict::Wait(Step::Fragment { host: number }));
    }
    let keeps = settings.keep_post.is_some()
        && inbound.method() == Method::POST
        && Asking::of_form(inbound.headers()) == Asking::Navigation
        && is_of_a_page_here(host, inbound);
    keeps.then(|| counted(site, inbound, || Verdict::Wait(Step::KeepPost { host: number, route })))
}

/// What waits where somebody may go: a page that sends it, it itself, or a page that says why not.
pub(super) fn waiting(
    (site, number): (&Site, usize),
    route: usize,
    inbound: &Inbound<'_>,
    permit: &Permit,
) -> Found {
    let host = &site.hosts[number];
    let (Some(_), Some(session)) = (site.route(route).keep_post, permit.session()) else {
        return Found::Nothing;
    };
    if !inbound.cookies().has(&host.names.post) {
        return Found::Nothing;
    }
    let counter = host.counter(inbound.cookies());
    let waiting = site.desk.waiting(counter, inbound.target(), session);
    let answer = |step| Found::Answer(Box::new(Verdict::Wait(step)));
    let not = |why| answer(Step::NotSent { host: number, why });
    let navigates = inbound.method() == Method::GET && inbound.asking() == Asking::Navigation;
    match waiting {
        _ if !navigates && !is_of_our_page(inbound) => Found::Nothing,
        Waiting::Nothing => Found::Nothing,
        Waiting::AnotherPersons => not(NotSent::AnotherPersons),
        Waiting::Lost => not(NotSent::Lost),
        Waiting::Sent if navigates => Found::Nothing,
        Waiting::Sent => not(NotSent::Sent),
        Waiting::Ready if navigates => answer(Step::Resend { host: number }),
        Waiting::Ready => Found::Resume,
    }
}

/// What was kept, handed out: the last thing before it leaves, so that nothing but the app can fail it.
///
/// # Errors
/// What the person is told instead: it was handed out before, or nobody knows.
pub(super) async fn handed_out(
    exchange: &Exchange,
    departure: &Departure,
    downstream: &Downstream<'_>,
) -> Result<Resumed, NotSent> {
    let site = &exchange.site;
    let host = &site.hosts[departure.host()];
    let request = downstream.req_header().as_owned_parts();
    let counter = host.counter(Cookies::of(&request.headers));
    let target = target_of(host, downstream);
    let (session, _) = departure.session().ok_or(NotSent::Lost)?;
    match site.desk.hand_out(counter, target.as_str(), session).await {
        HandedOut::Now(post, cookie) => Ok(Resumed::new(post, &host.host.origin, cookie)),
        HandedOut::Not(Waiting::AnotherPersons) => Err(NotSent::AnotherPersons),
        HandedOut::Not(Waiting::Sent) => Err(NotSent::Sent),
        HandedOut::Not(Waiting::Lost | Waiting::Nothing | Waiting::Ready) => Err(NotSent::Lost),
        HandedOut::Unavailable(failed) => {
            tracing::warn!(%failed, "nobody can tell whether a kept post was sent");
            Err(NotSent::Unavailable)
        }
    }
}

/// A verdict that begins a sign-in anew. Who asks for the address itself has given up what they posted to it.
pub(super) fn abandoned(
    site: &Site,
    (number, route): (usize, usize),
    inbound: &Inbound<'_>,
    verdict: Verdict,
) -> Verdict {
    let counter = site.hosts[number].counter(inbound.cookies());
    match verdict {
        Verdict::Answer(reply)
            if site.route(route).keep_post.is_some()
                && site.desk.has_kept(counter, inbound.target()) =>
        {
            Verdict::Answer(reply.with_cookies([site.desk.forget_post(counter)]))
        }
        other => other,
    }
}

/// The page that asks the browser for the fragment and goes on to the sign-in.
pub(super) fn fragment(exchange: &Exchange, host: usize, downstream: &Downstream<'_>) -> Reply {
    let host = &exchange.site.hosts[host];
    let mut query = Serializer::new(String::new());
    query.append_pair("rd", target_of(host, downstream).as_str());
    let address = format!("{}/start?{}", host.host.prefix, query.finish());
    let footing = Footing { request_id: &exchange.request_id, again: Some(&address), home: "/" };
    respond::page_under(pages::keep_fragment(&footing), pages::keep_fragment_policy())
}

/// The page that sends what was kept.
pub(super) fn resend(exchange: &Exchange, host: usize, downstream: &Downstream<'_>) -> Reply {
    let target = target_of(&exchange.site.hosts[host], downstream);
    let footing = Footing { request_id: &exchange.request_id, again: None, home: "/" };
    respond::page_under(pages::resend(target.as_str(), &footing), pages::resend_policy())
}

/// Keeps a post, and sends its sender to sign in.
///
/// # Errors
/// What they are told instead.
pub(super) async fn take(
    exchange: &Exchange,
    (number, route): (usize, usize),
    downstream: &mut Downstream<'_>,
) -> Result<Reply, Refused> {
    let site = &exchange.site;
    let (host, route) = (&site.hosts[number], site.route(route));
    let most = route.keep_post.unwrap_or(0);
    let form = wire::read_form(downstream, most, site.settings.limits.form_timeout);
    let body = match form.await {
        Form::Whole(body) => body,
        Form::TooLarge => return Err(Refused::over(Over::of(Limit::KeepPost))),
        Form::Stopped => {
            let detail = "what was posted did not arrive whole in its time";
            return Err(Refused::new(Trouble::BadRequest, detail));
        }
    };
    let request = downstream.req_header().as_owned_parts();
    let counter = host.counter(Cookies::of(&request.headers));
    let target = target_of(host, downstream);
    let content_type = request.headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let post = Post { target: target.as_str().to_owned(), content_type, body };
    let named = asked_tenant(route, target.query()).map_err(|refused| *refused)?;
    let tenant = named.or_else(|| only_tenant(route));
    let parties = chosen(&parties(host, Some(route), tenant.as_ref()));
    if parties.is_empty() {
        return Err(nowhere(tenant.as_ref()));
    }
    let kept =
        site.desk.keep_post(counter, post, tenant.clone()).await.map_err(|why| match why {
            PostNotKept::Full(_) => Refused::over(Over::of(Limit::KeptPosts)),
            PostNotKept::Unavailable(failed) => {
                Refused::new(Trouble::NotSent(NotSent::Unavailable), failed.to_string())
            }
        })?;
    if let [party] = parties[..] {
        let wish = Wish { party, target, tenant };
        return match begun(host, site.desk.begin_keeping(counter, &wish, kept).await) {
            Verdict::Answer(reply) => Ok(reply),
            Verdict::Refuse(refused) => Err(refused),
            _ => Err(Refused::new(Trouble::Internal, "a sign-in that neither begins nor fails")),
        };
    }
    let choices: Vec<(String, String)> = parties
        .iter()
        .map(|party| (party.title.clone(), host.start_address(&target, Some(party))))
        .collect();
    let cookies = site.desk.keeping(counter, kept);
    Ok(respond::chooser(&choices, &exchange.request_id).with_cookies(cookies))
}

/// Why what was kept is not sent, for a page; what cannot be sent any more is forgotten.
pub(super) fn not_sent(
    site: &Site,
    host: usize,
    why: NotSent,
    downstream: &Downstream<'_>,
) -> Refused {
    let host = &site.hosts[host];
    let request = downstream.req_header().as_owned_parts();
    let refused = Refused::new(Trouble::NotSent(why), format!("a kept post: {why:?}"));
    let refused = refused.again(target_of(host, downstream).as_str().to_owned());
    match why {
        NotSent::AnotherPersons | NotSent::Lost => {
            let counter = host.counter(Cookies::of(&request.headers));
            refused.with_cookie(site.desk.forget_post(counter))
        }
        NotSent::Sent | NotSent::Unavailable => refused,
    }
}

/// Whether a page of the host itself posts: nobody else may have something kept, to be sent in
/// somebody's name later.
fn is_of_a_page_here(host: &HostSite, inbound: &Inbound<'_>) -> bool {
    let said = |name: &str| inbound.header(name).map(|value| value.as_bytes());
    said(header::ORIGIN.as_str()) == Some(host.host.origin.as_str().as_bytes())
        && matches!(said("sec-fetch-site"), None | Some(b"same-origin"))
}

/// Whether it is what our own page makes browsers send. That page tells no referrer, and so browsers tell no
/// origin (Fetch §3.2.7), but that it is the same one.
fn is_of_our_page(inbound: &Inbound<'_>) -> bool {
    let said = |name: &str| inbound.header(name).map(|value| value.as_bytes());
    let length = pages::resend_body().len().to_string();
    inbound.method() == Method::POST
        && said(header::CONTENT_TYPE.as_str()) == Some(b"text/plain")
        && said(header::CONTENT_LENGTH.as_str()) == Some(length.as_bytes())
        && said("sec-fetch-site") == Some(b"same-origin")
}

/// The address that was asked for; it was admitted.
fn target_of(host: &HostSite, downstream: &Downstream<'_>) -> ReturnTo {
    let raw = std::str::from_utf8(downstream.req_header().raw_path()).unwrap_or("/");
    ReturnTo::parse(raw, &host.host.origin, &host.host.prefix).unwrap_or_else(ReturnTo::root)
}
