//! What a request is called: in the log, towards the app, in the answer, on a page.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

/// A request's name, at hand as a header's value too.
#[derive(Clone, Debug)]
pub(super) struct RequestId(HeaderValue);

impl RequestId {
    /// A name that a trusted proxy gave.
    pub(super) fn given(text: &str) -> Option<Self> {
        HeaderValue::from_str(text).ok().map(Self)
    }

    /// As a header says it.
    pub(super) fn value(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl Deref for RequestId {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(self.0.as_bytes()).unwrap_or_default()
    }
}

/// Names requests: eight hexadecimal digits of this worker's life, then a number of at least eight.
#[derive(Debug)]
pub(super) struct RequestIds {
    /// With the dash after it.
    process: String,
    count: AtomicU64,
}

impl RequestIds {
    pub(super) fn new(process: [u8; 4]) -> Self {
        let process = format!("{:08x}-", u32::from_be_bytes(process));
        Self { process, count: AtomicU64::new(1) }
    }

    pub(super) fn next(&self) -> RequestId {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let digits = (64 - count.leading_zeros()).div_ceil(4).max(8);
        let mut name = Vec::with_capacity(self.process.len() + digits as usize);
        name.extend_from_slice(self.process.as_bytes());
        for place in (0..digits).rev() {
            name.push(HEXADECIMAL[(count >> (4 * place) & 0xf) as usize]);
        }
        let value = HeaderValue::from_maybe_shared(Bytes::from(name));
        RequestId(value.expect("digits and a dash are visible"))
    }
}

const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";
/// Its header, to the app and in the answer.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_numbered_in_hexadecimal_without_end() {
        let ids = RequestIds::new([0x0a, 0, 0, 1]);
        assert_eq!(&*ids.next(), "0a000001-00000001");
        ids.count.store(0x1_2345_6789, Ordering::Relaxed);
        assert_eq!(&*ids.next(), "0a000001-123456789");
        assert_eq!(ids.next().value(), "0a000001-12345678a");
    }
}
