//! How an answer's body ends (RFC 9112 §6.3), and its pieces.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, Method, StatusCode, Version, header};
use pingora::http::ResponseHeader;
use pingora::{Error, ErrorType};

use super::super::measure::{length, may_have_a_body};
use super::super::talk::{Part, Rest};
use super::chunks::{Chunks, Next};

/// What of a body is still to come.
#[derive(Debug)]
pub(in crate::gateway) enum Body {
    Length(u64),
    Chunked(Chunks),
    UntilClose,
}

/// Whether a connection may carry another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Afterwards {
    Closed,
    /// For so long at most.
    Kept(Duration),
}

impl Body {
    /// The one behind `head`, from which what frames it here is taken out, but for one length.
    ///
    /// # Errors
    /// When it can be read in two ways.
    pub(super) fn of(
        head: &mut ResponseHeader,
        method: &Method,
    ) -> pingora::Result<(Self, Afterwards)> {
        let afterwards = afterwards(head);
        let coded = head.headers.contains_key(header::TRANSFER_ENCODING);
        if coded && !is_chunked(&head.headers) {
            return Err(odd("a coding nobody asked for"));
        }
        head.remove_header(&header::TRANSFER_ENCODING);
        let length = length(head)?;
        if head.status == StatusCode::NO_CONTENT && (coded || length.is_some_and(|some| some > 0)) {
            // Whoever promises what cannot be there may send it all the same.
            return Ok((Self::Length(0), Afterwards::Closed));
        }
        if !may_have_a_body(head, method) {
            return Ok((Self::Length(0), afterwards));
        }
        if coded {
            // A length beside it is wrong, and so may be whoever says both.
            head.remove_header(&header::CONTENT_LENGTH);
            let kept = if length.is_some() { Afterwards::Closed } else { afterwards };
            return Ok((Self::Chunked(Chunks::default()), kept));
        }
        Ok(match length {
            Some(length) => (Self::Length(length), afterwards),
            None => (Self::UntilClose, Afterwards::Closed),
        })
    }

    /// Whether nothing more is to come, whatever comes.
    pub(in crate::gateway) fn is_over(&self) -> bool {
        matches!(self, Self::Length(0))
    }

    /// The next part of it in `input`, if there is one.
    ///
    /// # Errors
    /// When what comes is no part of it.
    pub(in crate::gateway) fn next(
        &mut self,
        input: &mut BytesMut,
    ) -> pingora::Result<Option<Part>> {
        let piece = match self {
            Self::Length(0) => return Ok(Some(Part::End)),
            _ if input.is_empty() => return Ok(None),
            Self::Length(left) => {
                let count = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= count as u64;
                input.split_to(count)
            }
            Self::UntilClose => input.split(),
            Self::Chunked(chunks) => match chunks.next(input) {
                Ok(Next::Data { skip, count }) => {
                    let _size = input.split_to(skip);
                    input.split_to(count)
                }
                Ok(Next::Skip(count)) => {
                    let _size = input.split_to(count);
                    return Ok(None);
                }
                Ok(Next::End(count)) => {
                    let _last = input.split_to(count);
                    *self = Self::Length(0);
                    return Ok(Some(Part::End));
                }
                Err(_) => return Err(odd("a body that is not chunked as it says")),
            },
        };
        let rest = if self.is_over() { Rest::Nothing } else { Rest::Comes };
        Ok(Some(Part::Piece(Bytes::from(piece), rest)))
    }

    /// Whether a connection's end is the body's.
    pub(super) fn ends_with_the_connection(&self) -> bool {
        matches!(self, Self::UntilClose)
    }
}

fn afterwards(head: &ResponseHeader) -> Afterwards {
    let mut said = head.headers.get_all(header::CONNECTION).iter();
    let closes = said.any(|value| {
        let mut words = value.as_bytes().split(|byte| *byte == b',');
        words.any(|word| word.trim_ascii().eq_ignore_ascii_case(b"close"))
    });
    match kept(&head.headers) {
        most if head.version == Version::HTTP_11 && !closes && !most.is_zero() => {
            Afterwards::Kept(most)
        }
        _ => Afterwards::Closed,
    }
}

/// How long a server says that it keeps a connection at rest (RFC 2068 §19.7.1.1; not in later ones, and
/// still said), less what a request may be on its way: what is sent at that moment is lost.
fn kept(headers: &HeaderMap) -> Duration {
    let said = headers.get(KEEP_ALIVE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let timeout = said.split(',').find_map(|word| {
        let (name, seconds) = word.split_once('=')?;
        name.trim().eq_ignore_ascii_case("timeout").then_some(seconds.trim())
    });
    let seconds = timeout.and_then(|seconds| seconds.parse().ok());
    seconds.map_or(Duration::MAX, Duration::from_secs).saturating_sub(ON_THE_WAY)
}

fn is_chunked(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let first = codings.next();
    first.is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
        && codings.next().is_none()
}

fn odd(what: &'static str) -> Box<Error> {
    Error::explain(ErrorType::InvalidHTTPHeader, what).into_up()
}

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const ON_THE_WAY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, fields: &[(&'static str, &'static str)]) -> ResponseHeader {
        let mut head = ResponseHeader::build(status, None).unwrap();
        head.set_version(Version::HTTP_11);
        for (name, value) in fields {
            head.append_header(*name, *value).unwrap();
        }
        head
    }

    fn framed(status: u16, method: Method, fields: &[(&'static str, &'static str)]) -> String {
        let mut head = head(status, fields);
        match Body::of(&mut head, &method) {
            Ok((body, afterwards)) => {
                assert!(!head.headers.contains_key("transfer-encoding"));
                let body = match body {
                    Body::Length(length) => length.to_string(),
                    Body::Chunked(_) => "chunked".to_owned(),
                    Body::UntilClose => "until close".to_owned(),
                };
                let afterwards = match afterwards {
                    Afterwards::Closed => "Closed",
                    Afterwards::Kept(_) => "Kept",
                };
                format!("{body}, {afterwards}")
            }
            Err(error) => error.context.unwrap().as_str().to_owned(),
        }
    }

    #[test]
    fn a_body_ends_as_the_standard_says() {
        const LENGTH: &str = "content-length";
        const CODING: &str = "transfer-encoding";
        for (fields, expected) in [
            (&[(LENGTH, "7")][..], "7, Kept"),
            (&[(LENGTH, "7"), ("connection", "x, Close")], "7, Closed"),
            (&[(LENGTH, "7"), (LENGTH, "7")], "7, Kept"),
            (&[(LENGTH, "7"), (LENGTH, "8")], "two lengths of one body"),
            (&[(LENGTH, "7, 7")], "a length that is no number"),
            (&[(LENGTH, "+7")], "a length that is no number"),
            (&[(LENGTH, "")], "a length that is no number"),
            (&[(LENGTH, "9999999999999999999")], "a length that is no number"),
            (&[(LENGTH, "99999999999999999999")], "a length that is no number"),
            (&[(CODING, "Chunked")], "chunked, Kept"),
            (&[(CODING, "chunked"), (LENGTH, "7")], "chunked, Closed"),
            (&[(CODING, "gzip, chunked")], "a coding nobody asked for"),
            (&[(CODING, "chunked"), (CODING, "chunked")], "a coding nobody asked for"),
            (&[(CODING, "chunked, identity")], "a coding nobody asked for"),
            (&[(CODING, "")], "a coding nobody asked for"),
            (&[], "until close, Closed"),
        ] {
            assert_eq!(framed(200, Method::GET, fields), expected, "{fields:?}");
        }
        for (status, method) in [(200, Method::HEAD), (304, Method::GET)] {
            for fields in [&[(LENGTH, "7")][..], &[(CODING, "chunked")], &[]] {
                assert_eq!(framed(status, method.clone(), fields), "0, Kept", "{status} {method}");
            }
        }
        for (fields, expected) in [
            (&[(LENGTH, "7")][..], "0, Closed"),
            (&[(CODING, "chunked")], "0, Closed"),
            (&[(LENGTH, "0")], "0, Kept"),
            (&[], "0, Kept"),
        ] {
            assert_eq!(framed(204, Method::GET, fields), expected, "204 {fields:?}");
        }
    }

    #[test]
    fn a_connection_is_kept_for_as_long_as_the_app_says_it_is_less_a_second() {
        for (said, expected) in [
            ("timeout=5, max=100", Afterwards::Kept(Duration::from_secs(4))),
            ("max=100, Timeout = 2", Afterwards::Kept(Duration::from_secs(1))),
            ("timeout=1", Afterwards::Closed),
            ("timeout=0", Afterwards::Closed),
        ] {
            let mut head = head(200, &[("content-length", "7"), ("keep-alive", said)]);
            assert_eq!(Body::of(&mut head, &Method::GET).unwrap().1, expected, "{said}");
        }
        for said in ["", "max=1", "timeout", "timeout=x"] {
            let mut head = head(200, &[("content-length", "7"), ("keep-alive", said)]);
            let Afterwards::Kept(most) = Body::of(&mut head, &Method::GET).unwrap().1 else {
                panic!("{said}: it is kept")
            };
            assert!(most > Duration::from_secs(3_600), "{said}");
        }
    }

    #[test]
    fn a_length_is_passed_on_once_and_plainly() {
        for said in [&["7"][..], &["7", "7"], &["007"], &["007", "007"]] {
            let fields: Vec<_> = said.iter().map(|said| ("content-length", *said)).collect();
            let mut head = head(200, &fields);
            Body::of(&mut head, &Method::GET).unwrap();
            let told: Vec<_> = head.headers.get_all("content-length").iter().collect();
            assert_eq!(told, ["7"], "{said:?}");
        }
    }

    #[test]
    fn a_server_of_http_1_0_has_each_connection_once() {
        let mut head = head(200, &[("content-length", "7")]);
        head.set_version(Version::HTTP_10);
        assert_eq!(Body::of(&mut head, &Method::GET).unwrap().1, Afterwards::Closed);
    }
}
