//! `/auth/check`: a proxy asks whether a request may pass that it has, and carries it itself.
//!
//! Only a departure, which only a permit makes, becomes the 200 that lets a request pass; whatever
//! else a verdict is, is a refusal here, be it a page that shows well elsewhere.

use std::sync::Arc;

use super::downstream::Downstream;
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::config::{Destination, ForwardAuth, SignInAnswer};
use crate::pages::Trouble;
use crate::telemetry::Child;
use crate::web::{Asking, Client, Described, Inbound, Refusal, Reply, ReturnTo};

use super::decided::decided;
use super::exchange::{Exchange, Stage};
use super::lane::Lane;
use super::own_names::is_ours;
use super::refusing::refuse;
use super::request_id::RequestId;
use super::respond::{self, Refused};
use super::site::Site;
use super::verdict::{Departure, Verdict};
use super::{entrance, traces, wire};

/// Answers a question.
///
/// # Errors
/// pingora's, when the proxy is gone.
pub(super) async fn answer(
    downstream: &mut Downstream<'_>,
    exchange: &mut Exchange,
    terms: &ForwardAuth,
) -> pingora::Result<bool> {
    let reply = match checked(downstream, exchange, terms).await {
        Ok(departure) => {
            let told = exchange.described.as_ref().is_some_and(|asked| asked.brings_cookies());
            let reply = passes(&departure, told.then_some(NO_COOKIE));
            exchange.enters(Lane::Route(departure.route()));
            exchange.stage = Stage::Checked(departure);
            reply
        }
        Err(denied) => {
            exchange.stage = Stage::Answered;
            let reply = match denied {
                Denied::Answer(reply) => reply,
                Denied::Refuse(refused) => {
                    let asking = exchange.described.as_ref().map(|described| described.asking());
                    refuse(downstream, exchange, *refused, asking.unwrap_or(Asking::Program))
                }
            };
            surely_denied(reply)
        }
    };
    let reply = respond::named(reply, &exchange.request_id);
    let method = downstream.req_header().method.clone();
    wire::write(downstream, &exchange.site, respond::for_method(reply, &method)).await?;
    Ok(true)
}

/// Why a request may not pass.
enum Denied {
    Answer(Reply),
    Refuse(Box<Refused>),
}

impl From<Refused> for Denied {
    fn from(refused: Refused) -> Self {
        Self::Refuse(Box::new(refused))
    }
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        Refused::refusal(refusal).into()
    }
}

async fn checked(
    downstream: &Downstream<'_>,
    exchange: &mut Exchange,
    terms: &ForwardAuth,
) -> Result<Box<Departure>, Denied> {
    let peer = entrance::peer(downstream);
    let site = exchange.site.clone();
    let ask = downstream.req_header();
    let Some(peer) = peer.filter(|peer| terms.proxies.trusts(*peer)) else {
        exchange.client = peer.map(|peer| site.proxies.client(peer, &ask.headers));
        return Err(Refusal::Stranger.into());
    };
    let believed = terms.proxies.and(&site.proxies);
    exchange.client = Some(believed.client(peer, &ask.headers));
    if let Some(given) = believed.request_id(Some(peer), &ask.headers).and_then(RequestId::given) {
        exchange.request_id = given;
    }
    exchange.trace = traces::begun(&site, Some(peer), &ask.headers);
    let admission = exchange.open(Child::Admission);
    entrance::let_in(exchange).map_err(Refused::over)?;
    let described = Described::read(ask, ask.raw_path(), terms.described_by, &site.spoofable)?;
    let described = Arc::new(described);
    exchange.described = Some(described.clone());
    let sender = exchange.client.as_ref().map(Client::subscriber);
    let inbound = described.admit(site.bounds())?.sent_by(sender);
    drop(admission);
    let _authentication = exchange.open(Child::Authentication);
    refuse_own(&site, &inbound)?;
    match decided(&site, &inbound, &mut exchange.stores).await {
        Verdict::Leave(departure) => to_an_app(&site, departure),
        Verdict::Answer(reply) if reply.status == StatusCode::UNAUTHORIZED => {
            let navigates = described.asking() == Asking::Navigation;
            Err(Denied::Answer(signs_in(
                &site,
                &inbound,
                (reply, navigates.then_some(terms.sign_in)),
            )))
        }
        Verdict::Answer(reply) => Err(Denied::Answer(reply)),
        Verdict::Refuse(refused) => Err(refused.into()),
        Verdict::Call { .. }
        | Verdict::Choose(_)
        | Verdict::Refresh(_)
        | Verdict::SignedOut
        | Verdict::Wait(_) => {
            let detail = "a proxy asked about what is answered here and nowhere else";
            Err(Refused::new(Trouble::NotFound, detail).into())
        }
    }
}

/// Our own pages are for the proxy to send here, without asking: no app has them.
fn refuse_own(site: &Site, inbound: &Inbound<'_>) -> Result<(), Denied> {
    let host = site.table.host(inbound.authority()).map(|number| &site.hosts[number]);
    let ours = host.is_some_and(|host| {
        let pages = host.host.app_pages.as_ref();
        let of_app = pages.is_some_and(|pages| pages.paths().any(|page| page == inbound.path()));
        of_app || is_ours(host, inbound.path())
    });
    if !ours {
        return Ok(());
    }
    let detail = "a proxy asked about a page of ours, which it should send here";
    Err(Refused::new(Trouble::NotFound, detail).into())
}

/// What goes to a tenant, or takes a credential or a body along that only we have, goes through us.
fn to_an_app(site: &Site, mut departure: Box<Departure>) -> Result<Box<Departure>, Denied> {
    let to_tenant = matches!(site.route(departure.route()).upstream, Destination::Tenant(_));
    if departure.take_call().is_none() && departure.resumed().is_none() && !to_tenant {
        return Ok(departure);
    }
    let detail = "a proxy asked about a route whose requests go through this gateway alone";
    Err(Refused::new(Trouble::NotFound, detail).into())
}

/// What the app is to be told, the cookies it is to see, and those the browser is to keep. `none` stands
/// for no cookies of the app's where the request has some: proxies that put what they are told in the
/// place of what the client sent would else hand on the session's.
fn passes(departure: &Departure, none: Option<HeaderValue>) -> Reply {
    let mut reply = Reply::status(StatusCode::OK);
    reply.headers.extend(departure.injection().iter().cloned());
    let cookie = departure.cookie().cloned().or(none);
    reply.headers.extend(cookie.map(|cookie| (header::COOKIE, cookie)));
    for (cookie, name) in departure.renewal().iter().zip(EACH_COOKIE) {
        reply.headers.push((header::SET_COOKIE, cookie.clone()));
        reply.headers.push((name, cookie.clone()));
    }
    reply
}

/// 401 for a program, and for a browser what its proxy makes a sign-in of. `X-Sign-In` has the address
/// for proxies that keep the body back.
fn signs_in(
    site: &Site,
    inbound: &Inbound<'_>,
    (unauthorized, browser): (Reply, Option<SignInAnswer>),
) -> Reply {
    let number = site.table.host(inbound.authority());
    let Some(host) = number.map(|number| &site.hosts[number]) else { return unauthorized };
    let target = match inbound.method().is_safe() {
        true => ReturnTo::of(inbound),
        false => ReturnTo::root(),
    };
    let address = format!("{}{}", host.host.origin, host.start_address(&target, None));
    let Ok(value) = HeaderValue::try_from(&address) else { return unauthorized };
    match browser {
        Some(SignInAnswer::Redirect) => Reply::redirect(&address),
        Some(SignInAnswer::Unauthorized) => {
            unauthorized.with(header::LOCATION, value.clone()).with(SIGN_IN, value)
        }
        None => unauthorized.with(SIGN_IN, value),
    }
}

/// A proxy lets pass what is answered with success, whatever the answer says.
fn surely_denied(mut reply: Reply) -> Reply {
    if reply.status.is_success() || reply.status.is_informational() {
        reply.status = StatusCode::FORBIDDEN;
    }
    reply
}

const NO_COOKIE: HeaderValue = HeaderValue::from_static("");
const SIGN_IN: HeaderName = HeaderName::from_static("x-sign-in");
/// Each of the session's cookies once more, for proxies that read one value of a name: at most as many
/// as a session has pieces.
const EACH_COOKIE: [HeaderName; 3] = [
    HeaderName::from_static("x-set-cookie-1"),
    HeaderName::from_static("x-set-cookie-2"),
    HeaderName::from_static("x-set-cookie-3"),
];
