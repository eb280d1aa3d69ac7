//! Cookie headers: ours never reach the app, doubles are nobody's, and no work is unbounded.

use http::{HeaderMap, HeaderValue, header};
use superid_gateway::session::Chunked;
use superid_gateway::web::{CookieAttributes, CookieNames, Cookies, PublicOrigin};

/// Each line is a `Cookie` field.
pub fn cookie(bytes: &[u8]) -> bool {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(header::COOKIE, value);
        }
    }
    let cookies = Cookies::of(&headers);
    let lengths = headers.get_all(header::COOKIE).iter().map(HeaderValue::len);
    assert_eq!(cookies.size(), lengths.sum::<usize>());
    let mut ours = false;
    for origin in ["https://app.example", "http://localhost"] {
        let origin = PublicOrigin::parse(origin).expect("an origin");
        let names = CookieNames::new("gate", &origin);
        for_the_app(cookies, &names);
        doubles(&headers, &names.session);
        let attributes = CookieAttributes::lax(&origin);
        let chunked = Chunked { name: &names.session, attributes };
        let value = chunked.read(cookies);
        ours |= value.is_some();
        assert!(value.is_none_or(|value| value.len() <= cookies.size()));
    }
    ours
}

fn for_the_app(cookies: Cookies<'_>, names: &CookieNames) {
    let Some(left) = cookies.without(names) else { return };
    assert!(left.len() <= cookies.size() * 3);
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, left.clone());
    let again = Cookies::of(&headers);
    assert_eq!(again.without(names), Some(left.clone()), "what is left stays");
    for ours in [&names.session, &names.binding, &names.handoff, &names.targets[0]] {
        assert!(!again.has(ours) && again.one(ours).is_none());
    }
    for piece in left.as_bytes().split(|byte| *byte == b';') {
        let name = piece.split(|byte| *byte == b'=').next().unwrap_or_default();
        assert!(!names.covers(name.trim_ascii()), "{}", name.escape_ascii());
    }
}

/// A second reading, byte by byte, of how often a cookie was sent.
fn doubles(headers: &HeaderMap, name: &str) {
    let fields = headers.get_all(header::COOKIE).iter();
    let named: Vec<&[u8]> = fields
        .flat_map(|field| field.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|piece| {
            let equals = piece.iter().position(|byte| *byte == b'=')?;
            (piece[..equals].trim_ascii() == name.as_bytes())
                .then(|| piece[equals + 1..].trim_ascii())
        })
        .collect();
    let cookies = Cookies::of(headers);
    assert_eq!(cookies.has(name), !named.is_empty());
    let only = if let [only] = named.as_slice() { Some(*only) } else { None };
    assert_eq!(cookies.one(name), only);
}
