//! Cookies: reading them strictly, writing them, and telling ours from the app's.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderValue, header};
use memchr::memchr;

use super::PublicOrigin;

/// The cookies of a request, read without copying (RFC 6265 §5.2: split at `;`, then at `=`).
#[derive(Clone, Copy)]
pub struct Cookies<'a>(&'a HeaderMap);

impl<'a> Cookies<'a> {
    /// Those in the headers; HTTP/2 may spread them over several fields (RFC 9113 §8.2.3).
    pub fn of(headers: &'a HeaderMap) -> Self {
        Self(headers)
    }

    /// A cookie's value. One that was sent twice is nobody's: cookie tossing.
    pub fn one(&self, name: &str) -> Option<&'a [u8]> {
        let mut found = None;
        for header in self.0.get_all(header::COOKIE).iter() {
            for value in pieces(header.as_bytes()).filter_map(|pair| value_of(pair, name)) {
                if found.replace(value).is_some() {
                    return None;
                }
            }
        }
        found
    }

    /// Whether a cookie of that name was sent at all.
    pub fn has(&self, name: &str) -> bool {
        let headers = self.0.get_all(header::COOKIE);
        let mut pairs = headers.iter().flat_map(|header| pieces(header.as_bytes()));
        pairs.any(|pair| value_of(pair, name).is_some())
    }

    /// Whether a cookie of that name was sent, or a further piece of one ([`CookieNames::chunk`]).
    pub fn has_a_piece(&self, name: &str) -> bool {
        let headers = self.0.get_all(header::COOKIE);
        let mut pairs = headers.iter().flat_map(|header| pieces(header.as_bytes()));
        pairs.any(|pair| {
            let rest = pair.strip_prefix(name.as_bytes());
            rest.is_some_and(|rest| rest.first() == Some(&b'.') || value_of(pair, name).is_some())
        })
    }

    /// Bytes of all `Cookie` headers together.
    pub fn size(&self) -> usize {
        self.0.get_all(header::COOKIE).iter().map(HeaderValue::len).sum()
    }

    /// The cookies that are not ours, joined for the app; `None` when nothing is left.
    pub fn without(&self, ours: &CookieNames) -> Option<HeaderValue> {
        let mut rest = Vec::with_capacity(self.size());
        for header in self.0.get_all(header::COOKIE).iter() {
            for pair in pieces(header.as_bytes()) {
                if pair.is_empty() || ours.covers(name_of(pair)) {
                    continue;
                }
                if !rest.is_empty() {
                    rest.extend_from_slice(b"; ");
                }
                rest.extend_from_slice(pair);
            }
        }
        if rest.is_empty() { None } else { HeaderValue::from_bytes(&rest).ok() }
    }
}

/// The names of our cookies on one host. On https they carry `__Host-`, which pins them to the
/// host, to `/` and to secure transport (RFC 6265bis §4.1.3.2); plain http has other names, so
/// that neither is ever taken for the other.
#[derive(Clone, Debug)]
pub struct CookieNames {
    pub session: String,
    pub binding: String,
    pub handoff: String,
    pub post: String,
    pub targets: [String; 2],
    base: String,
}

impl CookieNames {
    /// The names on `origin` under the configured base.
    pub fn new(base: &str, origin: &PublicOrigin) -> Self {
        let prefix = if origin.is_https() { "__Host-" } else { "" };
        let name = |part: &str| format!("{prefix}{base}{part}");
        Self {
            session: name(""),
            binding: name("-binding"),
            handoff: name("-handoff"),
            post: name("-post"),
            targets: [name("-target-0"), name("-target-1")],
            base: base.to_ascii_lowercase(),
        }
    }

    /// The name of a chunk of the session or handoff cookie; the first has the bare name.
    pub fn chunk(name: &str, index: usize) -> String {
        if index == 0 { name.to_owned() } else { format!("{name}.{index}") }
    }

    /// Whether a cookie is ours, with whatever prefix it is spelled: none of them reaches the app
    /// and the app sets none of them. Browsers compare the prefixes without case.
    pub fn covers(&self, name: &[u8]) -> bool {
        let bare = PREFIXES
            .iter()
            .find_map(|prefix| {
                let (head, rest) = name.split_at_checked(prefix.len())?;
                head.eq_ignore_ascii_case(prefix).then_some(rest)
            })
            .unwrap_or(name);
        let Some((head, tail)) = bare.split_at_checked(self.base.len()) else { return false };
        head.eq_ignore_ascii_case(self.base.as_bytes())
            && matches!(tail.first(), None | Some(b'-' | b'.'))
    }
}

/// A `Set-Cookie` of ours: always `Path=/` and `HttpOnly`.
#[derive(Clone, Debug)]
pub struct SetCookie<'a> {
    pub name: &'a str,
    pub value: &'a str,
    /// Seconds; `None` lives as long as the browser runs, 0 removes it.
    pub max_age: Option<u64>,
    pub attributes: CookieAttributes,
}

/// The attributes that depend on host and purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieAttributes {
    /// `Secure`: on every https host.
    pub secure: bool,
    /// `Lax`, `Strict` or `None`.
    pub same_site: &'static str,
}

impl CookieAttributes {
    /// Lax, as everything but the session cookie is.
    pub fn lax(origin: &PublicOrigin) -> Self {
        Self { secure: origin.is_https(), same_site: "Lax" }
    }
}

impl SetCookie<'_> {
    /// The header's value.
    pub fn header(&self) -> HeaderValue {
        let mut text = String::with_capacity(self.name.len() + self.value.len() + ATTRIBUTES);
        text.extend([self.name, "=", self.value, "; Path=/; HttpOnly"]);
        if self.attributes.secure {
            text.push_str("; Secure");
        }
        text.extend(["; SameSite=", self.attributes.same_site]);
        if let Some(seconds) = self.max_age {
            let _infallible = write!(text, "; Max-Age={seconds}");
        }
        let mut value = HeaderValue::try_from(text).expect("our cookies are visible ASCII");
        value.set_sensitive(true);
        value
    }
}

/// Room for all that may stand behind a cookie's value.
const ATTRIBUTES: usize = 80;

/// The value of a pair if this is its name.
fn value_of<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    match pair.strip_prefix(name.as_bytes())?.trim_ascii_start() {
        [b'=', value @ ..] => Some(value.trim_ascii_start()),
        _ => None,
    }
}

/// What stands between the semicolons, without white space around it. Nearly all of a `Cookie` header is sealed values of ours,
/// looked through several times for each request.
fn pieces(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr(b';', rest).unwrap_or(rest.len());
        let piece = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(piece.trim_ascii())
    })
}

fn name_of(pair: &[u8]) -> &[u8] {
    let end = memchr(b'=', pair).unwrap_or(pair.len());
    pair[..end].trim_ascii()
}

const PREFIXES: [&[u8]; 2] = [b"__Host-", b"__Secure-"];

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookie: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static(cookie));
        headers
    }

    fn names() -> CookieNames {
        CookieNames::new("superid-gateway", &PublicOrigin::parse("https://a.example").unwrap())
    }

    #[test]
    fn a_cookie_sent_twice_is_not_presented() {
        let twice = headers("a=1; b=2; a=3");
        assert_eq!(Cookies::of(&twice).one("a"), None);
        assert_eq!(Cookies::of(&twice).one("b"), Some(&b"2"[..]));
    }

    #[test]
    fn empty_and_nameless_pieces_are_harmless() {
        let odd = headers("; ;=; a; =x;b=2");
        assert_eq!(Cookies::of(&odd).one("b"), Some(&b"2"[..]));
        assert_eq!(Cookies::of(&odd).one("a"), None);
    }

    #[test]
    fn semicolons_are_found_wherever_they_stand() {
        for length in 0..100 {
            let text = format!("{}=1; b={};c=3", "a".repeat(length + 1), "x".repeat(length));
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, text.parse().unwrap());
            let cookies = Cookies::of(&headers);
            assert_eq!(cookies.one("b").unwrap().len(), length);
            assert_eq!(cookies.one("c"), Some(&b"3"[..]));
        }
    }

    #[test]
    fn the_app_gets_its_own_cookies_and_none_of_ours() {
        let mixed = headers(
            "x=1; __Host-superid-gateway=s; superid-gateway.1=t; __host-SuperID-Gateway-binding=u; \
             superid-gatewayish=v",
        );
        let rest = Cookies::of(&mixed).without(&names()).unwrap();
        assert_eq!(rest, "x=1; superid-gatewayish=v");
        assert!(Cookies::of(&headers("__Host-superid-gateway=s")).without(&names()).is_none());
    }

    #[test]
    fn https_cookies_are_pinned_to_the_host() {
        let attributes = CookieAttributes { secure: true, same_site: "Lax" };
        let names = names();
        let cookie =
            SetCookie { name: &names.session, value: "v", max_age: Some(0), attributes }.header();
        assert_eq!(
            cookie,
            "__Host-superid-gateway=v; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0"
        );
    }
}
