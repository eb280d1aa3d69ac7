//! Whether an answer has a body, and how long that is.

use http::{HeaderValue, Method, header};
use pingora::http::ResponseHeader;
use pingora::{Error, ErrorType};

/// The length that an answer's head tells. However often it is said and with however many zeros before
/// it, from here on it is said once, and plainly.
///
/// # Errors
/// When it is not one number.
pub(super) fn length(head: &mut ResponseHeader) -> pingora::Result<Option<u64>> {
    let mut said = head.headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(first) = said.next() else { return Ok(None) };
    let mut is_plain = true;
    for other in said {
        is_plain = false;
        if other != first {
            return Err(wrong("two lengths of one body"));
        }
    }
    let digits = first.as_bytes();
    let is_number = (1..=MOST_DIGITS).contains(&digits.len())
        && digits.iter().all(|digit| digit.is_ascii_digit());
    let number = std::str::from_utf8(digits).ok().filter(|_| is_number);
    let number = number.and_then(|digits| digits.parse().ok());
    let number: u64 = number.ok_or_else(|| wrong("a length that is no number"))?;
    is_plain &= digits.len() == 1 || digits[0] != b'0';
    if !is_plain {
        head.insert_header(header::CONTENT_LENGTH, HeaderValue::from(number))?;
    }
    Ok(Some(number))
}

fn wrong(what: &'static str) -> Box<Error> {
    Error::explain(ErrorType::InvalidHTTPHeader, what).into_up()
}

/// Whether a body may follow `head`, where `method` was asked (RFC 9112 §6.3).
pub(super) fn may_have_a_body(head: &ResponseHeader, method: &Method) -> bool {
    method != Method::HEAD && !matches!(head.status.as_u16(), 204 | 304)
}

/// As many as fit into 63 bits, of which no body has more bytes.
const MOST_DIGITS: usize = 18;
