//! The way to the app and back: which connection, what is set and removed on either side.

use std::time::Duration;

use http::{HeaderName, HeaderValue, header};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::upstreams::peer::HttpPeer;

use crate::config::{HostHeader, Upstream, UpstreamScheme};
use crate::crypto::sha256;
use crate::web::CookieNames;

use super::exchange::Exchange;
use super::verdict::Departure;

/// The connection to use. The pool keeps connections apart by the group key, and its own key
/// knows nothing of TLS identity beyond the name, so the whole upstream is hashed in.
pub(super) fn peer(upstream: &Upstream, address: std::net::SocketAddr) -> HttpPeer {
    let tls = upstream.scheme == UpstreamScheme::Https;
    let mut peer = HttpPeer::new(address, tls, upstream.host.clone());
    peer.group_key = group(upstream);
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
/// # Errors
/// pingora's, when a header cannot be set: then the request does not leave.
pub(super) fn edit_request(
    request: &mut RequestHeader,
    departure: &Departure,
    exchange: &Exchange,
) -> pingora::Result<()> {
    let site = &exchange.site;
    let origin = &site.hosts[departure.host()].host.origin;
    let upstream = &site.route(departure.route()).upstream;
    if !request.raw_path().starts_with(b"/") {
        // A whole address is for proxies; an app gets the path it was admitted with (RFC 9112
        // §3.2.1), or it might route by the other host in there.
        let local = request.uri.clone();
        request.set_uri(local);
    }
    match departure.cookie() {
        Some(cookie) => request.insert_header(header::COOKIE, cookie.clone())?,
        None => {
            request.remove_header(&header::COOKIE);
        }
    }
    match upstream.host_header {
        HostHeader::Public => request.insert_header(header::HOST, origin.authority())?,
        HostHeader::Upstream => {
            request.insert_header(header::HOST, upstream.authority())?;
        }
    }
    request.insert_header(FORWARDED_HOST, origin.authority())?;
    request.insert_header(FORWARDED_PROTO, origin.scheme())?;
    request.insert_header(REQUEST_ID, exchange.request_id.as_str())?;
    if let Some(client) = &exchange.client {
        request.insert_header(FORWARDED_FOR, client.chain.as_str())?;
        if let Some(address) = client.address {
            request.insert_header(REAL_IP, address.to_string())?;
        }
    }
    for (name, value) in departure.injection() {
        request.insert_header(name.clone(), value.clone())?;
    }
    Ok(())
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
/// Seconds an unused connection to an app is kept.
const POOL_IDLE: Duration = Duration::from_secs(60);
