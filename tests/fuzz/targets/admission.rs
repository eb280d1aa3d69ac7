//! A request header, byte by byte: what is admitted has one reading, and it is the strict one.

use std::ops::Range;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Request, request};
use superid_gateway::server::{HeadScan, Terms};
use superid_gateway::web::{Bounds, HeaderBag, Inbound, Spoofable, canonical_but_for_slashes};

use super::strict;

/// Reads them as one header, whole and cut in two, and admits what passed.
pub fn admission(bytes: &[u8]) -> bool {
    let Some((cut, bytes)) = bytes.split_first() else { return false };
    let whole = HeadScan::new(&TERMS).advance(bytes);
    let mut pieces = HeadScan::new(&TERMS);
    let first = pieces.advance(&bytes[..usize::from(*cut).min(bytes.len())]);
    let cut = match first {
        Ok(None) => pieces.advance(bytes),
        known => known,
    };
    let range = |scanned: &Result<Option<_>, _>| scanned.as_ref().map(Option::is_some).ok();
    assert_eq!(range(&cut), range(&whole), "a verdict hangs on how packets were cut");
    whole.ok().flatten().is_some_and(|head| is_admitted(bytes, head.range))
}

fn is_admitted(bytes: &[u8], range: Range<usize>) -> bool {
    let passed = &bytes[range];
    let read = strict::head(passed).expect("what passed is strict").expect("and whole");
    let (method, target, headers, length) = read;
    assert_eq!(length, passed.len(), "the header ends where it ends");
    let Some(mut parts) = parts(&method, headers) else { return false };
    let spoofable = Spoofable::new(&[HeaderName::from_static("x-who")]);
    let proof = spoofable.clean(&mut Bag(&mut parts.headers));
    assert!(parts.headers.keys().all(|name| !spoofable.covers(name.as_str())));
    let Ok(inbound) = Inbound::admit(&parts, target.as_bytes(), BOUNDS, proof) else {
        return false;
    };
    assert_eq!(parts.headers.get_all("host").iter().count(), 1, "one host");
    assert!(!matches!(inbound.method().as_str(), "CONNECT" | "TRACE"));
    assert!(canonical_but_for_slashes(inbound.path()).is_ok());
    assert!(target.ends_with(inbound.target()) && inbound.target().starts_with('/'));
    let host = inbound.authority();
    assert!(!host.is_empty() && !host.contains(['@', '/', '\\', ' ', ',']), "{host}");
    assert_eq!(host, host.to_ascii_lowercase());
    assert!(inbound.cookies().size() <= BOUNDS.cookies);
    assert!(inbound.target().len() <= BOUNDS.target);
    true
}

/// As the proxy's own parser hands them on; names it does not take are none of ours to judge.
fn parts(method: &str, headers: Vec<(String, Vec<u8>)>) -> Option<request::Parts> {
    let mut request = Request::builder().method(method).body(()).ok()?;
    for (name, value) in headers {
        let name = HeaderName::try_from(name).ok()?;
        request.headers_mut().append(name, HeaderValue::from_bytes(&value).ok()?);
    }
    Some(request.into_parts().0)
}

struct Bag<'a>(&'a mut HeaderMap);

impl HeaderBag for Bag<'_> {
    fn headers(&self) -> &HeaderMap {
        self.0
    }

    fn remove(&mut self, name: &HeaderName) {
        self.0.remove(name);
    }
}

const BOUNDS: Bounds = Bounds { target: 256, cookies: 256, fields: 100 };
const TERMS: Terms = Terms {
    target_bytes: 256,
    header_bytes: 1 << 10,
    header_count: 16,
    header_timeout: Duration::from_secs(10),
    idle_timeout: Duration::from_secs(60),
    body_grace: Duration::from_secs(10),
    body_rate: 500,
    write_timeout: Duration::from_secs(30),
};
