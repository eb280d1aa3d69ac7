//! Fields that may come once, and under their own names alone, on connections whose lines no guard
//! of ours has read: over HTTP/2.

use http::{HeaderMap, HeaderName, header};

use super::Refusal;

/// Looks at the fields of a request as the guard looks at those of HTTP/1, so that an app hears
/// the same whichever way they came: at most `most` fields, no second copy of what must be single,
/// no `content_length` that a gateway interface would take for `Content-Length`, and no other
/// expectation than `100-continue` (RFC 9110 §10.1.1).
///
/// # Errors
/// The first [`Refusal`] found.
pub(super) fn check(headers: &HeaderMap, most: usize) -> Result<(), Refusal> {
    if headers.len() > most {
        return Err(Refusal::TooManyHeaders);
    }
    if SINGLE.iter().any(|name| headers.get_all(name).iter().nth(1).is_some()) {
        return Err(Refusal::Repeated);
    }
    if headers.keys().any(is_disguised) {
        return Err(Refusal::Framing);
    }
    match headers.get(header::EXPECT) {
        Some(asked) if !asked.as_bytes().eq_ignore_ascii_case(b"100-continue") => {
            Err(Refusal::Expectation)
        }
        _ => Ok(()),
    }
}

/// CGI and its heirs read `content_length` as Content-Length.
fn is_disguised(name: &HeaderName) -> bool {
    FRAMING.iter().any(|framing| {
        let (name, framing) = (name.as_str().as_bytes(), framing.as_str().as_bytes());
        name.len() == framing.len()
            && name != framing
            && name.iter().zip(framing).all(|(byte, letter)| {
                byte == letter || (*letter == b'-' && !byte.is_ascii_alphanumeric())
            })
    })
}

const SINGLE: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPECT,
    header::ORIGIN,
    header::PROXY_AUTHORIZATION,
];
const FRAMING: [HeaderName; 2] = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(fields: &[(&'static str, &'static str)]) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        check(&headers, 4)
    }

    #[test]
    fn what_two_readers_could_take_differently_is_refused() {
        for name in [
            "authorization",
            "content-length",
            "content-type",
            "expect",
            "origin",
            "proxy-authorization",
        ] {
            assert_eq!(checked(&[(name, "100-continue")]), Ok(()), "{name}");
            let twice = [(name, "100-continue"), (name, "100-continue")];
            assert_eq!(checked(&twice), Err(Refusal::Repeated), "{name}");
        }
        for name in ["content_length", "content.length", "transfer_encoding", "transfer~encoding"] {
            assert_eq!(checked(&[(name, "3")]), Err(Refusal::Framing), "{name}");
        }
        assert_eq!(checked(&[("content-length", "3"), ("contentxlength", "3")]), Ok(()));
        assert_eq!(checked(&[("expect", "200-ok")]), Err(Refusal::Expectation));
        assert_eq!(checked(&[("a", "1"); 4]), Ok(()));
        assert_eq!(checked(&[("a", "1"); 5]), Err(Refusal::TooManyHeaders));
    }
}
