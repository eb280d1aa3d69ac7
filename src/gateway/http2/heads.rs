//! Heads of messages, as pingora has them and as HTTP/2 has them.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, Version, header};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::{Error, ErrorType, OrErr as _};

use crate::web::Spoofable;

use super::super::returned;
use super::answer::Rest;

/// The client's request without what is about the client's own connection (RFC 9113 §8.2.2), and what
/// that says is. Nothing of ours is in it yet: a client must not be able to name that.
pub(super) fn of_client(request: &RequestHeader) -> RequestHeader {
    let mut parts: http::request::Parts = request.clone().into();
    leave_the_connection_out(&mut parts.headers);
    parts.into()
}

/// The request as the app gets it: `:authority` is what `Host` said (RFC 9113 §8.3.1).
///
/// # Errors
/// When it cannot be put into a request of HTTP/2: then it does not leave.
pub(super) fn asked(request: RequestHeader, scheme: &str) -> pingora::Result<Request<()>> {
    let mut parts: http::request::Parts = request.into();
    let host = parts.headers.remove(header::HOST);
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let authority = host.as_ref().map_or(&b""[..], |host| host.as_bytes());
    parts.uri = Uri::builder()
        .scheme(scheme)
        .authority(authority)
        .path_and_query(target)
        .build()
        .or_err(ErrorType::InternalError, "a target that HTTP/2 cannot have")?;
    parts.version = Version::HTTP_2;
    leave_the_connection_out(&mut parts.headers);
    Ok(Request::from_parts(parts, ()))
}

/// The answer as pingora has it; it frames the message anew for the client.
///
/// # Errors
/// When the app promised a body in the head it ended with (RFC 9113 §8.1.1).
pub(super) fn answered(
    head: Response<()>,
    rest: Rest,
    method: &Method,
) -> pingora::Result<Box<ResponseHeader>> {
    let mut head = Box::new(ResponseHeader::from(head.into_parts().0));
    head.set_version(Version::HTTP_11);
    let said = head.headers.get(header::CONTENT_LENGTH);
    let promised = said.is_some_and(|said| said.as_bytes().iter().any(|digit| *digit != b'0'));
    if rest == Rest::Nothing && promised && may_have_a_body(&head, method) {
        let wrong = "the app ended before the body it promised";
        return Err(Error::explain(ErrorType::H2Error, wrong).into_up());
    }
    head.remove_header(&header::TRANSFER_ENCODING);
    Ok(head)
}

/// Says how the body ends where the client speaks HTTP/1.1; for one of HTTP/2 pingora takes it out.
///
/// # Errors
/// Never: it is a header.
pub(super) fn frame(head: &mut ResponseHeader, method: &Method) -> pingora::Result<()> {
    let told = head.headers.contains_key(header::CONTENT_LENGTH);
    if !told && !head.status.is_informational() && may_have_a_body(head, method) {
        head.insert_header(header::TRANSFER_ENCODING, "chunked")?;
    }
    Ok(())
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

fn may_have_a_body(head: &ResponseHeader, method: &Method) -> bool {
    method != Method::HEAD && !matches!(head.status.as_u16(), 204 | 304)
}

fn leave_the_connection_out(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .filter(|name| *name != header::HOST && *name != header::CONTENT_LENGTH)
        .collect();
    let takes_trailers = takes_trailers(headers);
    for name in named.iter().chain(&OF_THE_CONNECTION) {
        headers.remove(name);
    }
    if takes_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
}

/// gRPC asks for it, and HTTP/2 has no other word there (RFC 9113 §8.2.2).
fn takes_trailers(headers: &HeaderMap) -> bool {
    let mut said = headers.get_all(header::TE).iter();
    said.any(|value| {
        let mut words = value.as_bytes().split(|byte| *byte == b',');
        words.any(|word| word.trim_ascii().eq_ignore_ascii_case(b"trailers"))
    })
}

/// Nearly every one of them would be an error in HTTP/2; credentials for a proxy are for this one.
const OF_THE_CONNECTION: [HeaderName; 9] = [
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

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(fields: &[(&'static str, &'static str)]) -> Request<()> {
        let mut request = RequestHeader::build("POST", b"/a/b?c=d", None).unwrap();
        request.insert_header("Host", "app.example").unwrap();
        for (name, value) in fields {
            request.append_header(*name, *value).unwrap();
        }
        asked(of_client(&request), "https").unwrap()
    }

    #[test]
    fn a_request_of_http_1_leaves_its_connection_behind() {
        let request = leaves(&[
            ("Connection", "keep-alive, x-hop, host"),
            ("Proxy-Authorization", "Basic eA=="),
            ("Keep-Alive", "timeout=5"),
            ("X-Hop", "1"),
            ("TE", "gzip, Trailers;q=1"),
            ("Transfer-Encoding", "chunked"),
            ("Upgrade", "h2c"),
            ("X-Stays", "1"),
        ]);
        assert_eq!(request.uri(), "https://app.example/a/b?c=d");
        let names: Vec<&str> = request.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-stays"]);
    }

    #[test]
    fn trailers_may_be_asked_for() {
        assert_eq!(leaves(&[("TE", "trailers")]).headers()[header::TE], "trailers");
        assert_eq!(leaves(&[("TE", "deflate, trailers")]).headers()[header::TE], "trailers");
    }

    #[test]
    fn an_answer_that_ends_before_its_body_is_none() {
        let head = |length: &str| {
            Response::builder().header("content-length", length).body(()).expect("it is one")
        };
        assert!(answered(head("5"), Rest::Nothing, &Method::GET).is_err());
        for (length, rest, method) in [
            ("0", Rest::Nothing, Method::GET),
            ("5", Rest::Comes, Method::GET),
            ("5", Rest::Nothing, Method::HEAD),
        ] {
            assert!(answered(head(length), rest, &method).is_ok());
        }
    }
}
