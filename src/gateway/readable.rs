//! What pages of other origins may read, where the configuration names them: our own answers, such as that
//! nobody is signed in.
//!
//! What an app says to them is the app's to say. Fetch §3.3 ("CORS protocol"). Browsers send a preflight
//! without cookies, and so no session could answer for it: where a route wants a sign-in we answer it
//! ourselves.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request};

use crate::config::Host;
use crate::web::{Inbound, Reply, is_served};

use super::site::Site;

/// The answer to a preflight from one of the origins; `None` for everything else. Who is named there may
/// send what it likes: the methods we pass on, and any header.
pub(super) fn preflight(host: &Host, inbound: &Inbound<'_>) -> Option<Reply> {
    let asked = inbound.header(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    if inbound.method() != Method::OPTIONS || !is_named(host, inbound.headers()) {
        return None;
    }
    let mut reply = Reply::status(StatusCode::NO_CONTENT);
    if Method::from_bytes(asked.as_bytes()).is_ok_and(|method| is_served(&method)) {
        reply.headers.push((header::ACCESS_CONTROL_ALLOW_METHODS, asked.clone()));
    }
    if let Some(fields) = inbound.header(header::ACCESS_CONTROL_REQUEST_HEADERS)
        && are_names(fields)
    {
        reply.headers.push((header::ACCESS_CONTROL_ALLOW_HEADERS, fields.clone()));
    }
    reply.set(header::ACCESS_CONTROL_MAX_AGE, KEPT_FOR);
    Some(reply)
}

/// An answer of ours with what lets a page of one of the origins read it. Pages of ours are read by nobody.
pub(super) fn to_pages_of(reply: Reply, request: &request::Parts, site: &Site) -> Reply {
    if site.hosts.iter().all(|host| host.host.cors_origins.is_empty()) {
        return reply;
    }
    let host = site.host_named_by(request).map(|host| &*host.host);
    let Some(host) = host.filter(|host| !host.cors_origins.is_empty()) else { return reply };
    let mut reply = reply.with(header::VARY, HeaderValue::from_static("Origin"));
    let origin = request.headers.get(header::ORIGIN);
    if let Some(origin) = origin.filter(|_| is_named(host, &request.headers) && !is_page(&reply)) {
        reply.headers.push((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()));
        reply.set(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        reply.set(header::ACCESS_CONTROL_EXPOSE_HEADERS, "Retry-After, X-Request-Id");
    }
    reply
}

/// Whether one origin is told, and it is one of those; `null` is nobody.
fn is_named(host: &Host, headers: &HeaderMap) -> bool {
    let mut told = headers.get_all(header::ORIGIN).iter();
    let (Some(origin), None) = (told.next(), told.next()) else { return false };
    host.cors_origins.iter().any(|known| known.as_str().as_bytes() == origin.as_bytes())
}

fn is_page(reply: &Reply) -> bool {
    let kind = |(name, value): &(HeaderName, HeaderValue)| {
        *name == header::CONTENT_TYPE && value.as_bytes().starts_with(b"text/html")
    };
    reply.headers.iter().any(kind)
}

/// Whether a list is one of header names, and no longer than any page has use for.
fn are_names(list: &HeaderValue) -> bool {
    list.len() <= MOST_NAMES
        && list
            .as_bytes()
            .split(|byte| *byte == b',')
            .all(|name| HeaderName::from_bytes(name.trim_ascii()).is_ok())
}

/// Seconds a browser need not ask again.
const KEPT_FOR: &str = "600";
/// In bytes, all of them together.
const MOST_NAMES: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names_are_told_from_everything_else() {
        for list in ["content-type", "x-a,x-b", "x-a, x-b"] {
            assert!(are_names(&HeaderValue::from_static(list)), "{list}");
        }
        for list in ["", "x a", "x-a,,x-b", "x-a;", "a:b"] {
            assert!(!are_names(&HeaderValue::from_static(list)), "{list:?}");
        }
        assert!(!are_names(&HeaderValue::try_from("x".repeat(MOST_NAMES + 1)).unwrap()));
    }
}
