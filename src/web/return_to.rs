//! Where a person goes back to after signing in: a path on the host they came from, and no other.

use url::Url;

use super::{Inbound, PublicOrigin, path};

/// A path and query on our own host, byte for byte as it was asked for, and the fragment behind it
/// where a page gave one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// The host's root.
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// The address of an admitted request; its path is canonical already.
    pub fn of(inbound: &Inbound<'_>) -> Self {
        Self(inbound.target().to_owned())
    }

    /// Reads what somebody handed us: a path, or an address on this very origin. Anything that a
    /// browser could take elsewhere, or that leads into our own pages, is refused. Whether a route
    /// takes an encoded slash is asked when the browser comes there. A fragment too long or too odd is left
    /// out. Of our own pages, the one that tells another page of a renewed sign-in may be where a sign-in
    /// leads.
    pub fn parse(text: &str, origin: &PublicOrigin, own_prefix: &str) -> Option<Self> {
        let local = match text.strip_prefix(origin.as_str()) {
            Some("") => "/",
            Some(rest) => rest,
            None => text,
        };
        let (local, fragment) = local.split_once('#').unwrap_or((local, ""));
        let (path, query) =
            local.split_once('?').map_or((local, ""), |(path, query)| (path, query));
        let visible = query.bytes().all(|byte| byte.is_ascii_graphic());
        if path::canonical_but_for_slashes(path).is_err() || !visible {
            return None;
        }
        let own = path
            .strip_prefix(own_prefix)
            .is_some_and(|rest| rest.is_empty() || (rest.starts_with('/') && rest != RENEWAL));
        if own || !stays(local, origin) {
            return None;
        }
        match !fragment.is_empty() && is_fragment(fragment) {
            true => Some(Self(format!("{local}#{fragment}"))),
            false => Some(Self(local.to_owned())),
        }
    }

    /// The path, the query and the fragment.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the page under this prefix that tells of a renewed sign-in.
    pub fn is_renewal(&self, own_prefix: &str) -> bool {
        self.path().strip_prefix(own_prefix) == Some(RENEWAL)
    }

    /// The path alone.
    pub fn path(&self) -> &str {
        self.0.split(['?', '#']).next().unwrap_or("/")
    }

    /// What stands between the path and the fragment, without its question mark.
    pub fn query(&self) -> &str {
        let local = self.0.split('#').next().unwrap_or_default();
        local.split_once('?').map_or("", |(_, query)| query)
    }

    /// The whole address on its origin.
    pub fn on(&self, origin: &PublicOrigin) -> String {
        format!("{}{}", origin.as_str(), self.0)
    }
}

/// What browsers leave of a fragment (WHATWG URL §1.3): nothing in it ends an address or a header,
/// and nobody but the page reads it.
fn is_fragment(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'`');
    text.len() <= LONGEST_FRAGMENT && text.bytes().all(fits)
}

/// The page, below our prefix.
const RENEWAL: &str = "/renew";
/// In bytes.
const LONGEST_FRAGMENT: usize = 1024;

/// Whether a browser that resolves `local` on `origin` stays there. The canonical path says so
/// already; this asks the URL standard's own parser too, because they must not disagree.
fn stays(local: &str, origin: &PublicOrigin) -> bool {
    let Ok(base) = Url::parse(origin.as_str()) else { return false };
    base.join(local).is_ok_and(|url| {
        url.origin() == base.origin() && url.username().is_empty() && url.password().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<ReturnTo> {
        let origin = PublicOrigin::parse("https://app.example").unwrap();
        ReturnTo::parse(text, &origin, "/auth")
    }

    #[test]
    fn paths_on_our_host_come_back_byte_for_byte() {
        for text in [
            "/",
            "/orders/7?tab=2",
            "/a?x=%2F%2Fevil&y=a/../b",
            "/sm%C3%B8r",
            "/a?b=\\c|{}",
            "/authors",
            "/files/a%2fb",
        ] {
            assert_eq!(parse(text).unwrap().as_str(), text);
        }
        assert_eq!(parse("https://app.example/a?b").unwrap().as_str(), "/a?b");
        assert_eq!(parse("https://app.example").unwrap().as_str(), "/");
    }

    #[test]
    fn a_fragment_goes_along_where_it_is_one() {
        for text in ["/#/orders/7", "/a?b#c", "/a#b?c#d", "/#access=%C3%B8", "/a#//evil.example"] {
            assert_eq!(parse(text).unwrap().as_str(), text);
        }
        for text in ["/a#", "/a#b c", "/a#<b>", "/a#b\r\nX: y", "/a#\u{f8}", "/a#b\"c"] {
            assert_eq!(parse(text).unwrap().as_str(), "/a", "{text:?}");
        }
        let long = format!("/a#{}", "b".repeat(LONGEST_FRAGMENT + 1));
        assert_eq!(parse(&long).unwrap().as_str(), "/a");
        assert_eq!(parse("/a?b#c").unwrap().path(), "/a");
        assert_eq!(parse("/a#b?c").unwrap().path(), "/a");
        assert_eq!(parse("/auth/sign_out#c"), None);
        assert_eq!(parse("/auth#c"), None);
    }

    #[test]
    fn of_our_own_pages_only_the_one_that_tells_of_a_renewal_is_a_place_to_go() {
        for text in ["/auth/renew", "/auth/renew?for=%2Fa&origin=https%3A%2F%2Fapp.example"] {
            assert!(parse(text).unwrap().is_renewal("/auth"), "{text}");
        }
        for text in ["/auth/renew/", "/auth/renew.js", "/auth/renewed", "/auth/renew/x", "/auth/"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(!parse("/renew").unwrap().is_renewal("/auth"));
    }

    #[test]
    fn nothing_leaves_our_host_or_enters_our_own_pages() {
        for text in [
            "",
            "//evil.example",
            "/\\evil",
            "https://evil.example/",
            "https://app.example.evil/",
            "https://app.example@evil/",
            "javascript:alert(1)",
            "/\t/evil",
            "/auth/sign_out",
            "/auth",
            "/a\r\nSet-Cookie: x",
            "//evil.example#/a",
            "#/a",
            "#",
            "\\\\#/a",
            "/%2f/evil",
            "/%2fevil.example",
            "/a%2f..%2fauth",
            "http://app.example/",
            "/a?b=\u{f8}",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
