//! Heads of messages, as pingora has them and as HTTP/2 has them.

use http::{Method, Request, Response, Uri, Version, header};
use pingora::http::ResponseHeader;
use pingora::{Error, ErrorType, OrErr as _};

use super::super::heads::leave_the_connection_out;
use super::super::measure::{length, may_have_a_body};
use super::super::outbound::Outbound;
use super::super::talk::Rest;

/// The request as the app gets it: `:authority` is what `Host` said (RFC 9113 §8.3.1).
///
/// # Errors
/// When it cannot be put into a request of HTTP/2: then it does not leave.
pub(in crate::gateway) fn asked(
    request: &Outbound<'_>,
    scheme: &str,
) -> pingora::Result<Request<()>> {
    let mut parts = request.parts();
    let host = parts.headers.remove(header::HOST);
    let authority = host.as_ref().map_or(&b""[..], |host| host.as_bytes());
    parts.uri = Uri::builder()
        .scheme(scheme)
        .authority(authority)
        .path_and_query(request.target())
        .build()
        .or_err(ErrorType::InternalError, "a target that HTTP/2 cannot have")?;
    parts.version = Version::HTTP_2;
    leave_the_connection_out(&mut parts.headers);
    Ok(Request::from_parts(parts, ()))
}

/// The answer as pingora has it; it frames the message anew for the client.
///
/// # Errors
/// When the app promised a body in the head it ended with (RFC 9113 §8.1.1), or one of no length.
pub(super) fn answered(
    head: Response<()>,
    rest: Rest,
    method: &Method,
) -> pingora::Result<Box<ResponseHeader>> {
    let mut head = Box::new(ResponseHeader::from(head.into_parts().0));
    head.set_version(Version::HTTP_11);
    let promised = length(&mut head)?.is_some_and(|bytes| bytes > 0);
    if rest == Rest::Nothing && promised && may_have_a_body(&head, method) {
        let wrong = "the app ended before the body it promised";
        return Err(Error::explain(ErrorType::H2Error, wrong).into_up());
    }
    head.remove_header(&header::TRANSFER_ENCODING);
    Ok(head)
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn leaves(fields: &[(&'static str, &'static str)]) -> Request<()> {
        let mut request = Request::post("/a/b?c=d").header("Host", "app.example");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        asked(&Outbound::of_client(&parts).unwrap(), "https").unwrap()
    }

    #[test]
    fn a_request_of_http_1_leaves_its_connection_behind() {
        let request = leaves(&[
            ("Connection", "keep-alive, x-hop"),
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
