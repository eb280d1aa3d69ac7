//! A request's head, from the bytes that the guard found good, and an answer's, to bytes.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header};
use memchr::{memchr, memchr_iter};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::protocols::http::date::get_cached_date;
use pingora::{Error, ErrorType};

use super::opened::Behind;

/// The request that `text` is, from its method to its empty line. Its values stay where they are.
///
/// # Errors
/// When it is none; the guard lets no such thing pass.
pub(super) fn read(text: &Bytes) -> pingora::Result<RequestHeader> {
    let line = memchr(b'\r', text).ok_or_else(odd)?;
    let mut words = text[..line].split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(odd());
    };
    let version = match version {
        b"HTTP/1.1" => Version::HTTP_11,
        b"HTTP/1.0" => Version::HTTP_10,
        _ => return Err(odd()),
    };
    let headers = fields(text, line + LINE_END)?;
    if target.first() != Some(&b'/') {
        // With a host of its own, or for no resource: pingora keeps what was said beside what it means.
        let method = Method::from_bytes(method).map_err(|_| odd())?;
        let mut request = RequestHeader::build_no_case(method, target, Some(0))?;
        request.set_version(version);
        for (name, value) in &headers {
            request.append_header(name.clone(), value.clone())?;
        }
        return Ok(request);
    }
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = Method::from_bytes(method).map_err(|_| odd())?;
    parts.uri = Uri::from_maybe_shared(text.slice_ref(target)).map_err(|_| odd())?;
    parts.version = version;
    parts.headers = headers;
    Ok(RequestHeader::from(parts))
}

fn fields(text: &Bytes, from: usize) -> pingora::Result<HeaderMap> {
    let lines = memchr_iter(b'\n', &text[from..]).count().saturating_sub(1);
    let mut headers = HeaderMap::with_capacity(lines + OURS);
    let mut at = from;
    loop {
        let rest = &text[at..];
        let end = memchr(b'\r', rest).ok_or_else(odd)?;
        if end == 0 {
            return Ok(headers);
        }
        let colon = memchr(b':', &rest[..end]).ok_or_else(odd)?;
        let name = HeaderName::from_bytes(&rest[..colon]).map_err(|_| odd())?;
        let value = text.slice_ref(rest[colon + 1..end].trim_ascii());
        let value = HeaderValue::from_maybe_shared(value).map_err(|_| odd())?;
        headers.try_append(name, value).map_err(|_| odd())?;
        at += end + LINE_END;
    }
}

fn odd() -> Box<Error> {
    Error::explain(ErrorType::InvalidHTTPHeader, "a header that its guard let pass").into_down()
}

/// An answer's head with its blank line. When it was made, and whether its connection stays, is ours to
/// say; a head before the answer says neither.
pub(super) fn spelled(head: &ResponseHeader, behind: Behind) -> BytesMut {
    let fields = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let mut text = BytesMut::with_capacity(ROOM + fields.sum::<usize>());
    text.extend_from_slice(b"HTTP/1.1 ");
    text.extend_from_slice(head.status.as_str().as_bytes());
    text.extend_from_slice(b" ");
    text.extend_from_slice(head.get_reason_phrase().unwrap_or_default().as_bytes());
    text.extend_from_slice(b"\r\n");
    let is_early = head.status.is_informational();
    for (name, value) in &head.headers {
        if !is_early && (*name == header::CONNECTION || *name == header::DATE) {
            continue;
        }
        field(&mut text, name.as_str(), value.as_bytes());
    }
    if !is_early {
        field(&mut text, "date", get_cached_date().as_bytes());
        let behind = match behind {
            Behind::Closed => "close",
            Behind::Open => "keep-alive",
        };
        field(&mut text, "connection", behind.as_bytes());
    }
    text.extend_from_slice(b"\r\n");
    text
}

fn field(text: &mut BytesMut, name: &str, value: &[u8]) {
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b": ");
    text.extend_from_slice(value);
    text.extend_from_slice(b"\r\n");
}

const LINE_END: usize = 2;
/// Headers that are added to a request on its way.
const OURS: usize = 12;
/// For the first line of an answer, and for what we add.
const ROOM: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &'static str) -> pingora::Result<RequestHeader> {
        read(&Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn a_request_is_read_with_each_of_its_fields() {
        let text = "POST /a/b?c=%20d HTTP/1.0\r\nHost: a.example\r\nX-One:1\r\nx-one: \t2 \t\r\n\
                    X-None:\r\nCookie: a=b; c=d:e\r\n\r\n";
        let request = request(text).unwrap();
        assert_eq!((request.method.as_str(), request.version), ("POST", Version::HTTP_10));
        assert_eq!(request.raw_path(), b"/a/b?c=%20d");
        assert_eq!(request.uri.query(), Some("c=%20d"));
        let ones: Vec<_> = request.headers.get_all("x-one").iter().collect();
        assert_eq!(ones, ["1", "2"]);
        assert_eq!(
            (&request.headers["x-none"], &request.headers["cookie"]),
            (&HeaderValue::from_static(""), &HeaderValue::from_static("a=b; c=d:e"))
        );
        assert_eq!(request.headers.len(), 5);
    }

    #[test]
    fn a_target_with_a_host_of_its_own_is_kept_as_it_was_said() {
        for target in ["http://a.example/b?c", "http://a.example", "*", "https://a.example:1/"] {
            let text = format!("OPTIONS {target} HTTP/1.1\r\nHost: a.example\r\nA: b\r\n\r\n");
            let read = read(&Bytes::from(text)).unwrap();
            assert_eq!(read.raw_path(), target.as_bytes());
            assert_eq!(
                (&read.headers["a"], read.version),
                (&HeaderValue::from_static("b"), Version::HTTP_11)
            );
        }
    }

    #[test]
    fn what_no_guard_lets_pass_is_no_request() {
        for text in [
            "",
            "GET / HTTP/1.1",
            "GET / HTTP/1.1\r\n",
            "GET  / HTTP/1.1\r\n\r\n",
            "GET / HTTP/2\r\n\r\n",
            "GET /\r\n\r\n",
            "GET / HTTP/1.1\r\nHost\r\n\r\n",
            "GET / HTTP/1.1\r\nHo st: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n",
        ] {
            assert!(request(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_answer_says_once_when_it_was_made_and_whether_its_connection_stays() {
        let mut head = ResponseHeader::build(404, None).unwrap();
        head.append_header("Connection", "x-one").unwrap();
        head.append_header("Date", "yesterday").unwrap();
        head.append_header("Content-Length", "3").unwrap();
        for (behind, said) in [(Behind::Open, "keep-alive"), (Behind::Closed, "close")] {
            let text = spelled(&head, behind);
            let text = std::str::from_utf8(&text).unwrap();
            let (start, rest) = text.split_once("\r\n").unwrap();
            assert_eq!(start, "HTTP/1.1 404 Not Found");
            let date = get_cached_date();
            let date = date.to_str().unwrap();
            let rest = rest.replace(date, "now");
            let whole = format!("content-length: 3\r\ndate: now\r\nconnection: {said}\r\n\r\n");
            assert_eq!(rest, whole);
        }
        let early = ResponseHeader::build(100, None).unwrap();
        assert_eq!(&spelled(&early, Behind::Open)[..], b"HTTP/1.1 100 Continue\r\n\r\n");
    }
}
