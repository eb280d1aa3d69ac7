//! What is set and removed on the way to the app and on the way back.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use pingora::http::ResponseHeader;

use crate::web::CookieNames;

use super::exchange::Exchange;
use super::outbound::Outbound;
use super::request_id::REQUEST_ID;
use super::respond::told;
use super::returned::binds_the_connection;
use super::verdict::Departure;
use super::way::Way;

/// Sets what the app is told. It wants the departure, which only a permit makes.
///
/// # Errors
/// When a header cannot be set: then the request does not leave.
pub(super) fn edit_request(
    request: &mut Outbound<'_>,
    departure: &Departure,
    exchange: &Exchange,
) -> pingora::Result<()> {
    let site = &exchange.site;
    let host = &site.hosts[departure.host()];
    let server = exchange.chosen.server();
    let way = site.roads[departure.route()].as_ref().and_then(|roads| roads.ways.get(server));
    let upstream_host = way.and_then(Way::host);
    // Before all others (RFC 9110 §7.2).
    request.set(header::HOST, upstream_host.unwrap_or(&host.authority).clone());
    match departure.cookie() {
        Some(cookie) => request.set(header::COOKIE, cookie.clone()),
        None => request.leave_out(header::COOKIE),
    }
    request.set(FORWARDED_HOST, host.authority.clone());
    request.set(FORWARDED_PROTO, HeaderValue::from_static(host.host.origin.scheme()));
    request.set(REQUEST_ID, exchange.request_id.value());
    // A user of this machine has no address to tell.
    if let Some(client) = exchange.client.as_ref().filter(|client| !client.is_local()) {
        request.say(FORWARDED_FOR, client.chain())?;
        request.say(REAL_IP, client.address())?;
    }
    if request.all(&header::AUTHORIZATION).any(binds_the_connection) {
        request.leave_out(header::AUTHORIZATION);
    }
    if request.method() == Method::OPTIONS {
        one_hop_less(request);
    }
    if let Some(resumed) = departure.resumed() {
        resumed.edit(request);
    }
    for (name, value) in departure.injection() {
        request.set(name.clone(), value.clone());
    }
    Ok(())
}

/// What was kept, in place of what the browser sends for it.
pub(super) fn fill(body: &mut Option<Bytes>, exchange: &Exchange) {
    if let Some(resumed) = exchange.departure().and_then(Departure::resumed) {
        resumed.fill(body);
    }
}

/// RFC 9110 §7.6.2. It was admitted as one number above zero, or is not there.
fn one_hop_less(request: &mut Outbound<'_>) {
    let mut said = request.all(&header::MAX_FORWARDS);
    let hops = said.next().and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    drop(said);
    if let Some(hops) = hops {
        request.set(header::MAX_FORWARDS, HeaderValue::from(hops.saturating_sub(1)));
    }
}

/// Keeps the app from setting our cookies, keeps what a signed-in person was told out of shared
/// caches, and adds the renewed session.
///
/// An answer to a permitted person is for that person: where the app does not say `public` or
/// `s-maxage` in so many words, `private` is added to what it says (RFC 9111 §5.2.2.7). Where it
/// does, the answer is left alone and the session is not renewed with it.
///
/// # Errors
/// pingora's, when a header cannot be set.
pub(super) fn edit_response(
    response: &mut ResponseHeader,
    departure: &Departure,
    names: &CookieNames,
) -> pingora::Result<()> {
    keep_app_cookies(response, names)?;
    for (name, value) in departure.standing().into_iter().flat_map(told) {
        // An app with a limit of its own knows better what its clients should go by.
        if !response.headers.contains_key(&name) {
            response.insert_header(name, value)?;
        }
    }
    if let Some(cookie) = departure.resumed().and_then(|resumed| resumed.cookie.as_ref()) {
        response.append_header(header::SET_COOKIE, cookie.clone())?;
    }
    if departure.tenant().is_none() {
        return Ok(());
    }
    match Storing::of(response) {
        Storing::Anybody => return Ok(()),
        Storing::NotShared => {}
        Storing::Unsaid => {
            response.append_header(header::CACHE_CONTROL, "private")?;
        }
    }
    for cookie in departure.renewal() {
        response.append_header(header::SET_COOKIE, cookie.clone())?;
    }
    Ok(())
}

fn keep_app_cookies(response: &mut ResponseHeader, names: &CookieNames) -> pingora::Result<()> {
    // A cookie without a name is sent back as its value alone, which may look like one of ours
    // (RFC 6265bis §5.6, §5.8.3): what stands before the first name is skipped.
    let is_ours = |value: &HeaderValue| {
        let blank = |byte: &u8| *byte == b'=' || byte.is_ascii_whitespace();
        let start = value.as_bytes().iter().position(|byte| !blank(byte)).unwrap_or(0);
        let name = value.as_bytes()[start..].split(|byte| matches!(byte, b'=' | b';')).next();
        names.covers(name.unwrap_or_default().trim_ascii())
    };
    let cookies = response.headers.get_all(header::SET_COOKIE);
    if !cookies.iter().any(is_ours) {
        return Ok(());
    }
    let kept: Vec<HeaderValue> = cookies.iter().filter(|value| !is_ours(value)).cloned().collect();
    response.remove_header(&header::SET_COOKIE);
    for cookie in kept {
        response.append_header(header::SET_COOKIE, cookie)?;
    }
    Ok(())
}

/// Who may store an answer, as the app says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Storing {
    /// Shared caches, in the standard's words or in a network's.
    Anybody,
    /// The person's own browser, or nobody.
    NotShared,
    /// It does not say.
    Unsaid,
}

impl Storing {
    /// Reads `Cache-Control`; a value that cannot be read says everything.
    fn of(response: &ResponseHeader) -> Self {
        if NETWORKS_OWN.iter().any(|name| response.headers.contains_key(name)) {
            return Self::Anybody;
        }
        let mut storing = Self::Unsaid;
        for value in &response.headers.get_all(header::CACHE_CONTROL) {
            for directive in value.as_bytes().split(|byte| *byte == b',') {
                let name = directive.split(|byte| *byte == b'=').next().unwrap_or_default();
                let name = name.trim_ascii();
                let is = |word: &str| name.eq_ignore_ascii_case(word.as_bytes());
                if is("public") || is("s-maxage") || !value.as_bytes().is_ascii() {
                    return Self::Anybody;
                }
                if is("private") || is("no-store") {
                    storing = Self::NotShared;
                }
            }
        }
        storing
    }
}

/// How content delivery networks are told apart from browsers (RFC 9213, and older).
const NETWORKS_OWN: [HeaderName; 2] =
    [HeaderName::from_static("cdn-cache-control"), HeaderName::from_static("surrogate-control")];
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
