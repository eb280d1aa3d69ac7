//! Heads of messages, as HTTP/1.1 has them on the wire.

use std::mem::MaybeUninit;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, StatusCode, Version, response};
use httparse::{EMPTY_HEADER, Error as ParseError, ParserConfig, Response, Status};
use pingora::http::ResponseHeader;
use pingora::{Error, ErrorType, OrErr as _};

use super::super::outbound::Outbound;

/// A request's head, with its blank line. The target has no origin in it (RFC 9112 §3.2.1).
pub(super) fn spelled(request: &Outbound<'_>) -> BytesMut {
    let target = request.target();
    let mut text = BytesMut::with_capacity(LINE + target.len() + request.bytes_at_most());
    text.extend_from_slice(request.method().as_str().as_bytes());
    text.extend_from_slice(b" ");
    text.extend_from_slice(target.as_bytes());
    text.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in request.fields() {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    text
}

/// Takes an answer's head from the beginning of `input`, if all of it is there.
///
/// # Errors
/// When it is none, or too large.
pub(super) fn taken(input: &mut BytesMut) -> pingora::Result<Option<Box<ResponseHeader>>> {
    let mut room = [const { MaybeUninit::uninit() }; FIELDS];
    let mut few = [EMPTY_HEADER; 0];
    let mut head = Response::new(&mut few);
    let parsed =
        ParserConfig::default().parse_response_with_uninit_headers(&mut head, input, &mut room);
    let length = match parsed {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) if input.len() < BYTES => return Ok(None),
        Ok(Status::Partial) => return Err(odd("a head that is too large")),
        Err(ParseError::TooManyHeaders) => return Err(odd("a head of too many fields")),
        Err(_) => return Err(odd("no head of HTTP/1.1")),
    };
    let (code, version) = (head.code, head.version);
    let begin = input.as_ptr().addr();
    let within = |part: &[u8]| match part.as_ptr().addr().checked_sub(begin) {
        Some(at) if !part.is_empty() => at..at + part.len(),
        _ => 0..0,
    };
    let fields: Vec<(HeaderName, Range<usize>)> = head
        .headers
        .iter()
        .map(|field| {
            let name = HeaderName::from_bytes(field.name.as_bytes())
                .or_err(ErrorType::InvalidHTTPHeader, "a field without a name")
                .map_err(|error| error.into_up())?;
            Ok((name, within(field.value)))
        })
        .collect::<pingora::Result<_>>()?;
    let text = input.split_to(length).freeze();
    built(code, version, fields, &text).map(Some)
}

fn built(
    code: Option<u16>,
    version: Option<u8>,
    fields: Vec<(HeaderName, Range<usize>)>,
    text: &Bytes,
) -> pingora::Result<Box<ResponseHeader>> {
    let status = code.and_then(|code| StatusCode::from_u16(code).ok());
    let (mut parts, ()) = response::Response::new(()).into_parts();
    parts.status = status.ok_or_else(|| odd("a status that is none"))?;
    parts.version = if version == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 };
    parts.headers.reserve(fields.len() + OURS);
    for (name, value) in fields {
        let value = HeaderValue::from_maybe_shared(text.slice(value))
            .or_err(ErrorType::InvalidHTTPHeader, "a value no header has")
            .map_err(|error| error.into_up())?;
        parts.headers.append(name, value);
    }
    Ok(Box::new(ResponseHeader::from(parts)))
}

fn odd(what: &'static str) -> Box<Error> {
    Error::explain(ErrorType::InvalidHTTPHeader, what).into_up()
}

/// Room for what a line has beside its target, and the blank one.
const LINE: usize = 32;
/// Of one answer at most.
const FIELDS: usize = 256;
const BYTES: usize = 256 << 10;
/// How many headers we may add to an answer.
const OURS: usize = 8;

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn read(text: &str) -> pingora::Result<Option<Box<ResponseHeader>>> {
        taken(&mut BytesMut::from(text))
    }

    #[test]
    fn a_head_is_taken_when_all_of_it_is_there() {
        let text = "HTTP/1.1 404 Not Here\r\nX-One: 1\r\nx-one:  2 \r\nServer: æ\r\n\r\nbody";
        let end = text.len() - "body".len();
        for length in 0..end {
            assert!(taken(&mut BytesMut::from(&text.as_bytes()[..length])).unwrap().is_none());
        }
        let mut input = BytesMut::from(text);
        let head = taken(&mut input).unwrap().unwrap();
        assert_eq!((head.status.as_u16(), head.version), (404, Version::HTTP_11));
        let ones: Vec<_> = head.headers.get_all("x-one").iter().collect();
        assert_eq!(ones, ["1", "2"]);
        assert_eq!(&input[..], b"body");
    }

    #[test]
    fn what_is_no_head_is_not_waited_for() {
        let many = "A: b\r\n".repeat(FIELDS + 1);
        let long = format!("A: {}", "b".repeat(BYTES));
        for text in [
            "HTTP/2.0 200 OK\r\n\r\n",
            "HTTP/1.2 200 OK\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/1.1 099 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n",
            "SSH-2.0-OpenSSH_9.9\r\n",
            &format!("HTTP/1.1 200 OK\r\n{many}\r\n"),
            &format!("HTTP/1.1 200 OK\r\n{long}"),
        ] {
            assert!(read(text).is_err(), "{text:.60?}");
        }
    }

    #[test]
    fn a_request_is_spelled_with_its_path_alone() {
        let request = Request::get("https://app.example/a?b=c").header("Host", "app.example");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let text = spelled(&Outbound::whole(&parts));
        assert_eq!(&text[..], b"GET /a?b=c HTTP/1.1\r\nhost: app.example\r\n\r\n");
    }
}
