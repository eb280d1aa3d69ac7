//! The way to the app and back: which connection, what is set and removed on either side.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Request, header, request};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorType};

use crate::config::{HostHeader, Upstream, UpstreamScheme};
use crate::crypto::sha256;
use crate::web::CookieNames;

use super::addresses::UpstreamAddress;
use super::exchange::Exchange;
use super::verdict::Departure;

/// A route's way to its app, worked out once for each configuration.
pub(super) struct Way {
    pub(super) address: UpstreamAddress,
    group: u64,
    /// What `Host` says; the public host where there is nothing.
    host: Option<HeaderValue>,
}

impl Way {
    /// The way to `upstream`.
    pub(super) fn new(upstream: &Upstream) -> Self {
        let host = match upstream.host_header {
            HostHeader::Public => None,
            HostHeader::Upstream => Some(upstream.authority()),
        };
        let value = |host| HeaderValue::try_from(host).expect("a URL's host is visible ASCII");
        let (address, group) = (UpstreamAddress::new(upstream), group(upstream));
        Self { address, group, host: host.map(value) }
    }
}

/// The connection to use. The pool keeps connections apart by the group key, and its own key
/// knows nothing of TLS identity beyond the name, so the whole upstream is hashed in.
pub(super) fn peer(upstream: &Upstream, way: &Way, address: std::net::SocketAddr) -> HttpPeer {
    let tls = upstream.scheme == UpstreamScheme::Https;
    let mut peer = HttpPeer::new(address, tls, upstream.host.clone());
    peer.group_key = way.group;
    let options = &mut peer.options;
    options.connection_timeout = Some(upstream.connect_timeout);
    options.total_connection_timeout = Some(upstream.connect_timeout * 2);
    options.read_timeout = Some(upstream.read_timeout);
    options.write_timeout = Some(upstream.read_timeout);
    options.idle_timeout = Some(POOL_IDLE);
    peer
}

/// Sets what the app is told. It wants the departure, which only a permit makes.
///
/// pingora's own inserts spell each name twice and read it anew, at a multiple of the price, to
/// keep the spelling the client chose. Names have no case (RFC 9110 §5.1), so they go out in lower
/// case, as HTTP/2 has them; and the target in origin form (RFC 9112 §3.2.1), as it was admitted:
/// an app might route by the other host in a whole address.
///
/// # Errors
/// When a header cannot be set: then the request does not leave.
pub(super) fn edit_request(
    request: &mut RequestHeader,
    departure: &Departure,
    exchange: &Exchange,
) -> pingora::Result<()> {
    let mut parts: request::Parts = std::mem::replace(request, nothing()).into();
    let headers = &mut parts.headers;
    headers.reserve(departure.injection().len() + OURS);
    let site = &exchange.site;
    let host = &site.hosts[departure.host()];
    match departure.cookie() {
        Some(cookie) => headers.insert(header::COOKIE, cookie.clone()),
        None => headers.remove(header::COOKIE),
    };
    let upstream_host = site.ways[departure.route()].host.as_ref();
    headers.insert(header::HOST, upstream_host.unwrap_or(&host.authority).clone());
    headers.insert(FORWARDED_HOST, host.authority.clone());
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(host.host.origin.scheme()));
    headers.insert(REQUEST_ID, value(&exchange.request_id)?);
    if let Some(client) = &exchange.client {
        headers.insert(FORWARDED_FOR, value(client.chain())?);
        headers.insert(REAL_IP, value(client.address())?);
    }
    for (name, value) in departure.injection() {
        headers.insert(name.clone(), value.clone());
    }
    *request = RequestHeader::from(parts);
    Ok(())
}

fn value(text: &str) -> pingora::Result<HeaderValue> {
    let cause = |error| Error::because(ErrorType::InternalError, "not a header's value", error);
    HeaderValue::from_str(text).map_err(cause)
}

fn nothing() -> RequestHeader {
    RequestHeader::from(Request::new(()).into_parts().0)
}

/// Keeps the app from setting our cookies, and adds the renewed session. A renewal never rides on
/// an answer that a shared cache may keep.
///
/// # Errors
/// pingora's, when a header cannot be set.
pub(super) fn edit_response(
    response: &mut ResponseHeader,
    departure: &Departure,
    names: &CookieNames,
) -> pingora::Result<()> {
    keep_app_cookies(response, names)?;
    if departure.renewal().is_empty() || is_shared(response) {
        return Ok(());
    }
    if !response.headers.contains_key(header::CACHE_CONTROL) {
        response.insert_header(header::CACHE_CONTROL, "private")?;
    }
    for cookie in departure.renewal() {
        response.append_header(header::SET_COOKIE, cookie.clone())?;
    }
    Ok(())
}

fn keep_app_cookies(response: &mut ResponseHeader, names: &CookieNames) -> pingora::Result<()> {
    let is_ours = |value: &HeaderValue| {
        let name = value.as_bytes().split(|byte| matches!(byte, b'=' | b';')).next();
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

fn is_shared(response: &ResponseHeader) -> bool {
    response.headers.get_all(header::CACHE_CONTROL).iter().any(|value| {
        let text = value.to_str().unwrap_or("public").to_ascii_lowercase();
        text.contains("public") || text.contains("s-maxage")
    })
}

fn group(upstream: &Upstream) -> u64 {
    let digest = sha256(&[
        format!("{:?}", upstream.scheme).as_bytes(),
        upstream.host.as_bytes(),
        &upstream.port.to_be_bytes(),
    ]);
    u64::from_be_bytes([
        digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
    ])
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How many of the headers above may be new to a request.
const OURS: usize = 5;
/// Seconds an unused connection to an app is kept.
const POOL_IDLE: Duration = Duration::from_secs(60);
