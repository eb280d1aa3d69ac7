//! The methods that are passed on: a list, so that nothing unheard of reaches an app.

use http::Method;

/// Whether a method is passed on: those of RFC 9110 and PATCH, QUERY, and what WebDAV, its versions
/// and its calendars register with IANA. CONNECT makes tunnels and TRACE shows a request's headers,
/// cookies among them, to whoever sent it; neither is passed on.
pub fn is_served(method: &Method) -> bool {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::DELETE
        | Method::OPTIONS
        | Method::PATCH => true,
        Method::CONNECT | Method::TRACE => false,
        _ => REGISTERED.contains(&method.as_str()),
    }
}

const REGISTERED: [&str; 30] = [
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "COPY",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "ORDERPATCH",
    "PROPFIND",
    "PROPPATCH",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
];
