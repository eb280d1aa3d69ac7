//! Heads of messages between a client and an app, whatever either of them speaks.

use super::downstream::Downstream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use pingora::http::ResponseHeader;
use pingora::{Error, ErrorType};

use crate::web::Spoofable;

use super::measure::may_have_a_body;
use super::returned;

/// What `Connection` says is its own (RFC 9110 §7.6.1).
///
/// # Errors
/// When that is what no connection has.
pub(super) fn named(headers: &HeaderMap) -> pingora::Result<Vec<HeaderName>> {
    let mut names = Vec::new();
    for value in headers.get_all(header::CONNECTION) {
        for word in value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            let name = HeaderName::from_bytes(word);
            match name {
                Ok(name) if NOBODYS.contains(&name.as_str()) || names.len() == MOST_NAMED => {
                    return Err(odd());
                }
                Ok(name) => names.push(name),
                Err(_) if word.is_empty() => {}
                Err(_) => return Err(odd()),
            }
        }
    }
    names.retain(|name| *name != header::CONTENT_LENGTH);
    Ok(names)
}

fn odd() -> Box<Error> {
    let wrong = "what Connection names is no connection's";
    Error::explain(ErrorType::InvalidHTTPHeader, wrong).into_down()
}

/// The head of the answer a client has got, or the beginning of it. What comes before an answer is none
/// (RFC 9110 §15.2), but for the 101 of a tunnel.
pub(super) fn answered<'a>(downstream: &'a Downstream<'_>) -> Option<&'a ResponseHeader> {
    let head = downstream.response_written()?;
    (!head.status.is_informational() || downstream.was_upgraded()).then_some(head)
}

/// Says how the body ends, for a client that speaks HTTP/1.1. One of HTTP/1.0 knows no chunks (RFC 9112
/// §6.1): there it ends with the connection. For one of HTTP/2 pingora takes it out.
///
/// # Errors
/// Never: it is a header.
pub(super) fn frame(
    head: &mut ResponseHeader,
    downstream: &mut Downstream<'_>,
) -> pingora::Result<()> {
    // Ours to the client, whatever the app speaks.
    head.set_version(Version::HTTP_11);
    if head.status == StatusCode::NO_CONTENT {
        // It has none (RFC 9110 §8.6), and some would wait for it.
        head.remove_header(&header::CONTENT_LENGTH);
    }
    let asked = downstream.req_header();
    let told = head.headers.contains_key(header::CONTENT_LENGTH);
    if told || !may_have_a_body(head, &asked.method) {
        return Ok(());
    }
    if asked.version == Version::HTTP_10 {
        downstream.is_last();
        return Ok(());
    }
    head.insert_header(header::TRANSFER_ENCODING, "chunked")
}

/// Trailers as the client gets them: nothing in them speaks for us, or for a connection.
pub(super) fn trailers(trailers: HeaderMap, ours: &Spoofable) -> HeaderMap {
    let mut kept = trailers;
    let gone: Vec<HeaderName> = kept
        .keys()
        .filter(|name| {
            let text = name.as_str();
            ours.covers(text) || returned::is_of_the_head(text) || NO_TRAILERS.contains(name)
        })
        .chain(&OF_THE_CONNECTION)
        .cloned()
        .collect();
    for name in gone {
        kept.remove(name);
    }
    kept
}

pub(super) fn leave_the_connection_out(headers: &mut HeaderMap) {
    let takes_trailers = takes_trailers(headers);
    // Most have one of them or none: to look at all names costs less than to remove nine.
    while let Some(name) = headers.keys().find_map(|name| of_the_connection(name)) {
        headers.remove(name);
    }
    if takes_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
}

fn of_the_connection(name: &HeaderName) -> Option<&'static HeaderName> {
    OF_THE_CONNECTION.iter().find(|one| *one == name)
}

/// gRPC asks for it, and HTTP/2 has no other word there (RFC 9113 §8.2.2).
pub(super) fn takes_trailers(headers: &HeaderMap) -> bool {
    let mut said = headers.get_all(header::TE).iter();
    said.any(|value| {
        let mut words = value.as_bytes().split(|byte| *byte == b',');
        words.any(|word| word.trim_ascii().eq_ignore_ascii_case(b"trailers"))
    })
}

/// Nearly every one of them would be an error in HTTP/2; credentials for a proxy are for this one.
pub(super) static OF_THE_CONNECTION: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What means something at the head of an answer alone (RFC 9110 §6.5.1), and would be taken for ours.
const NO_TRAILERS: [HeaderName; 7] = [
    header::CACHE_CONTROL,
    HeaderName::from_static("clear-site-data"),
    header::CONTENT_LENGTH,
    header::LOCATION,
    header::SET_COOKIE,
    header::STRICT_TRANSPORT_SECURITY,
    header::WWW_AUTHENTICATE,
];

/// What a request may not be without, or has from the proxies before us.
const NOBODYS: [&str; 4] = ["host", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
/// Names that one connection has at most.
const MOST_NAMED: usize = 9;
