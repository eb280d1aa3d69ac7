//! The public origin of a host: what a browser sees in its address bar, from configuration only.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// `https://app.example`, or plain `http` on a loopback name for development.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicOrigin {
    text: String,
    scheme: &'static str,
    authority: String,
    host: String,
}

impl PublicOrigin {
    /// Reads an origin: scheme, host and perhaps a port, nothing after it but one `/`.
    ///
    /// # Errors
    /// [`InvalidOrigin`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        let url = Url::parse(text).map_err(|_| InvalidOrigin::NotAUrl)?;
        let scheme = match url.scheme() {
            "https" => "https",
            "http" if is_loopback(&url) => "http",
            "http" => return Err(InvalidOrigin::PlainBeyondLoopback),
            _ => return Err(InvalidOrigin::Scheme),
        };
        let bare = url.username().is_empty() && url.password().is_none() && url.path() == "/";
        if !bare || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidOrigin::MoreThanAnOrigin);
        }
        let host = url.host_str().ok_or(InvalidOrigin::NotAUrl)?.to_owned();
        if host.ends_with('.') || host.contains('*') {
            return Err(InvalidOrigin::Host);
        }
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.clone(),
        };
        Ok(Self { text: format!("{scheme}://{authority}"), scheme, authority, host })
    }

    /// `https://app.example:8443`, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// Host and, where it is not the scheme's own, port: what `Host` must say.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host alone, lower case; an IPv6 literal keeps its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether browsers treat it as secure transport, so that cookies can be `Secure`.
    pub fn is_https(&self) -> bool {
        self.scheme == "https"
    }
}

impl fmt::Display for PublicOrigin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// What is wrong with a public origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrigin {
    /// A trailing dot or a wildcard.
    #[error("a public origin names one host, without a trailing dot or wildcard")]
    Host,
    /// A path, query, fragment, user name or password.
    #[error("a public origin is scheme, host and port only, such as https://app.example")]
    MoreThanAnOrigin,
    /// Not a URL at all.
    #[error("a public origin is a URL such as https://app.example")]
    NotAUrl,
    /// Plain http for a host that is not this machine.
    #[error("plain http is accepted only for localhost, 127.0.0.1 or [::1]; use https")]
    PlainBeyondLoopback,
    /// Another scheme.
    #[error("a public origin begins with https:// (or http:// on loopback)")]
    Scheme,
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_ports_vanish_and_others_stay() {
        assert_eq!(
            PublicOrigin::parse("https://App.Example:443/").unwrap().as_str(),
            "https://app.example"
        );
        assert_eq!(
            PublicOrigin::parse("https://app.example:8443").unwrap().authority(),
            "app.example:8443"
        );
    }

    #[test]
    fn plain_http_is_for_loopback_alone() {
        assert!(PublicOrigin::parse("http://localhost:8080").is_ok());
        assert!(PublicOrigin::parse("http://[::1]:8080").is_ok());
        assert_eq!(
            PublicOrigin::parse("http://app.example"),
            Err(InvalidOrigin::PlainBeyondLoopback)
        );
    }

    #[test]
    fn more_than_an_origin_is_refused() {
        for text in ["https://a/b", "https://u@a", "https://a?q", "ftp://a", "a", "https://a./"] {
            assert!(PublicOrigin::parse(text).is_err(), "{text}");
        }
    }
}
