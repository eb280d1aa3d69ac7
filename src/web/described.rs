//! What a proxy says of the request it asks about: read strictly, and made a request again.

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Uri, request};

use super::{Asking, Bounds, Cleaned, HeaderBag, Inbound, Refusal, Spoofable, Transport};

/// Where a proxy says what was asked of it. Only what is named is read: a client may send the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DescribedBy {
    /// Method, `Host` and headers of the question itself, and in its path what follows
    /// [`CHECK_PATH`]; the scheme in `X-Forwarded-Proto`.
    Path,
    /// `X-Forwarded-Method`, `-Proto`, `-Host` and `-Uri`.
    XForwarded,
    /// `X-Original-Method`, and `X-Original-URL` with the whole address.
    XOriginal,
}

/// The path proxies ask at.
pub const CHECK_PATH: &str = "/auth/check";

/// A request that a proxy has and asks about.
#[derive(Debug)]
pub struct Described {
    parts: request::Parts,
    target: String,
    transport: Transport,
    asking: Asking,
    clean: Cleaned,
}

impl Described {
    /// Reads a question; `raw` is its target as it was sent, `spoofable` what is never taken from
    /// outside. Whether a person or a program asked is settled here: from here on the request looks
    /// like a program's, for which nothing is begun and nothing kept.
    ///
    /// # Errors
    /// [`Refusal::Undescribed`] where something is missing, there twice, or there in a second
    /// spelling; [`Refusal::Forged`] where there is a header that only we may set, or that leads apps
    /// to another address than the one asked about.
    pub fn read(
        ask: &request::Parts,
        raw: &[u8],
        by: DescribedBy,
        spoofable: &Spoofable,
    ) -> Result<Self, Refusal> {
        let mut names = ask.headers.keys().map(HeaderName::as_str);
        if names.any(|name| spoofable.covers(name) && !is_proxys_own(name, by)) {
            return Err(Refusal::Forged);
        }
        let said = Said::read(ask, raw, by)?;
        let mut headers = ask.headers.clone();
        let clean = spoofable.clean(&mut Bag(&mut headers));
        for name in OF_THE_QUESTION {
            headers.remove(name);
        }
        // An upgrade is a matter of one connection, and some proxies do not tell of it.
        if headers.contains_key(header::SEC_WEBSOCKET_KEY) {
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        }
        headers.insert(header::HOST, said.host);
        let asking = Asking::of(&said.method, &headers);
        headers.insert(REQUESTED_WITH, HeaderValue::from_static("a check"));
        let mut parts = Request::new(()).into_parts().0;
        parts.method = said.method;
        parts.uri = path_of(&said.target);
        parts.headers = headers;
        let (target, transport) = (said.target, said.transport);
        Ok(Self { parts, target, transport, asking, clean })
    }

    /// Admits it as if it had come itself.
    ///
    /// # Errors
    /// As [`Inbound::admit`].
    pub fn admit(&self, bounds: Bounds) -> Result<Inbound<'_>, Refusal> {
        let admitted = Inbound::admit(&self.parts, self.target.as_bytes(), bounds, self.clean)?;
        Ok(admitted.over(self.transport))
    }

    /// A navigation or a program, as the browser sent it.
    pub fn asking(&self) -> Asking {
        self.asking
    }

    /// Its method.
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// Its path, for the log; `/` where it is none.
    pub fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// Whether it brings any cookie.
    pub fn brings_cookies(&self) -> bool {
        self.parts.headers.contains_key(header::COOKIE)
    }

    /// The host it names.
    pub fn host(&self) -> Option<&str> {
        self.parts.headers.get(header::HOST)?.to_str().ok()
    }
}

struct Said {
    method: Method,
    host: HeaderValue,
    target: String,
    transport: Transport,
}

impl Said {
    fn read(ask: &request::Parts, raw: &[u8], by: DescribedBy) -> Result<Self, Refusal> {
        let raw = std::str::from_utf8(raw).map_err(|_| Refusal::Undescribed)?;
        let one = |name| one(&ask.headers, name);
        if by != DescribedBy::Path {
            // Caddy leaves the client's query behind the path; it is read where the rest is.
            let path = raw.split('?').next();
            if path != Some(CHECK_PATH) || ![Method::GET, Method::HEAD].contains(&ask.method) {
                return Err(Refusal::Undescribed);
            }
        }
        let (method, transport, host, target) = match by {
            DescribedBy::Path => {
                let target = raw.strip_prefix(CHECK_PATH).ok_or(Refusal::Undescribed)?;
                let proto = scheme(one("x-forwarded-proto")?)?;
                (ask.method.clone(), proto, own_host(ask)?, target)
            }
            DescribedBy::XForwarded => {
                let proto = scheme(one("x-forwarded-proto")?)?;
                let host = one("x-forwarded-host")?.to_owned();
                (method(one("x-forwarded-method")?)?, proto, host, one("x-forwarded-uri")?)
            }
            DescribedBy::XOriginal => {
                let (named, rest) =
                    one("x-original-url")?.split_once("://").ok_or(Refusal::Undescribed)?;
                let slash = rest.find('/').ok_or(Refusal::Undescribed)?;
                let (host, target) = rest.split_at(slash);
                (method(one("x-original-method")?)?, scheme(named)?, host.to_owned(), target)
            }
        };
        if !target.starts_with('/') {
            return Err(Refusal::Target);
        }
        let host = HeaderValue::try_from(host).map_err(|_| Refusal::Host)?;
        Ok(Self { method, host, target: target.to_owned(), transport })
    }
}

/// The one value of a header, whose name is there in no other spelling: proxies set the one, and apps
/// and we might read the other.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, Refusal> {
    let alike = |other: &&HeaderName| other.as_str() != name && is_alike(other.as_str(), name);
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    match (first.and_then(|value| value.to_str().ok()), second, headers.keys().find(alike)) {
        (Some(text), None, None) => Ok(text),
        _ => Err(Refusal::Undescribed),
    }
}

/// Whether two names are one but for case and punctuation.
fn is_alike(name: &str, other: &str) -> bool {
    let letters = |text: &str| {
        let kept = text.bytes().filter(u8::is_ascii_alphanumeric);
        kept.map(|byte| byte.to_ascii_lowercase()).collect::<Vec<u8>>()
    };
    letters(name) == letters(other)
}

fn method(text: &str) -> Result<Method, Refusal> {
    Method::from_bytes(text.as_bytes()).map_err(|_| Refusal::Method)
}

fn scheme(text: &str) -> Result<Transport, Refusal> {
    match text {
        "http" => Ok(Transport::Plain),
        "https" => Ok(Transport::Secure),
        _ => Err(Refusal::Undescribed),
    }
}

fn own_host(ask: &request::Parts) -> Result<String, Refusal> {
    let mut hosts = ask.headers.get_all(header::HOST).iter();
    let host = hosts.next().map(|host| host.to_str().map_err(|_| Refusal::Host)).transpose()?;
    let authority = ask.uri.authority().map(|authority| authority.as_str());
    match (host, authority, hosts.next()) {
        (Some(host), Some(asked), None) if host.eq_ignore_ascii_case(asked) => Ok(host.to_owned()),
        (Some(host), None, None) => Ok(host.to_owned()),
        (None, Some(asked), None) => Ok(asked.to_owned()),
        _ => Err(Refusal::Host),
    }
}

fn path_of(target: &str) -> Uri {
    let path = target.split('?').next().unwrap_or_default();
    path.parse().unwrap_or_else(|_| Uri::from_static("/"))
}

/// Whether proxies themselves send a header that is never taken from outside: where the client is, how
/// it came, and what it asked. `Authorization` may be a client's own word to the app; proxies put ours
/// in its place.
fn is_proxys_own(name: &str, by: DescribedBy) -> bool {
    let own = |known: &str| is_alike(name, known);
    PROXYS_OWN.iter().any(|known| own(known))
        || name.starts_with("x-envoy-")
        || (by == DescribedBy::XOriginal && X_ORIGINAL.iter().any(|known| own(known)))
}

/// A header map that names can be removed from.
struct Bag<'a>(&'a mut HeaderMap);

impl HeaderBag for Bag<'_> {
    fn headers(&self) -> &HeaderMap {
        self.0
    }

    fn remove(&mut self, name: &HeaderName) {
        self.0.remove(name);
    }
}

/// What says how the question came, and nothing of the request it is about.
const OF_THE_QUESTION: [HeaderName; 7] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::MAX_FORWARDS,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
];
const REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");
const X_ORIGINAL: [&str; 2] = ["x-original-method", "x-original-url"];
const PROXYS_OWN: [&str; 25] = [
    "authorization",
    "cf-connecting-ip",
    "client-ip",
    "fastly-client-ip",
    "forwarded",
    "true-client-ip",
    "x-auth-request-redirect",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-forwarded-by",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-method",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-forwarded-tls-client-cert",
    "x-forwarded-tls-client-cert-info",
    "x-forwarded-uri",
    "x-real-ip",
    "x-request-id",
    "x-scheme",
];

#[cfg(test)]
mod tests {
    use super::super::PublicOrigin;
    use super::*;

    const BOUNDS: Bounds = Bounds { target: 8000, cookies: 16_000, fields: 100 };
    const XF: &str = "x-forwarded-method: GET\nx-forwarded-proto: https\n\
                      x-forwarded-host: app.example\nx-forwarded-uri: /orders?id=7";

    fn read(by: DescribedBy, first: &str, lines: &str) -> Result<Described, Refusal> {
        let (method, target) = first.split_once(' ').unwrap();
        let mut parts = Request::new(()).into_parts().0;
        parts.method = method.parse().unwrap();
        for line in lines.lines() {
            let (name, value) = line.split_once(": ").unwrap();
            let name = HeaderName::try_from(name).unwrap();
            parts.headers.append(name, value.parse().unwrap());
        }
        let ours = [HeaderName::from_static("x-who")];
        Described::read(&parts, target.as_bytes(), by, &Spoofable::new(&ours))
    }

    fn seen(by: DescribedBy, first: &str, lines: &str) -> Result<String, Refusal> {
        let described = read(by, first, lines)?;
        let inbound = described.admit(BOUNDS)?;
        let (method, host) = (inbound.method(), inbound.authority());
        Ok(format!("{method} {host} {} {:?}", inbound.target(), described.asking()))
    }

    #[test]
    fn each_way_of_telling_describes_the_same_request() {
        let expected = Ok("GET app.example /orders?id=7 Program".to_owned());
        assert_eq!(seen(DescribedBy::XForwarded, "GET /auth/check", XF), expected);
        let original = "x-original-method: GET\nx-original-url: https://app.example/orders?id=7";
        assert_eq!(seen(DescribedBy::XOriginal, "GET /auth/check", original), expected);
        let path = "host: app.example\nx-forwarded-proto: https";
        assert_eq!(seen(DescribedBy::Path, "GET /auth/check/orders?id=7", path), expected);
    }

    #[test]
    fn whatever_is_missing_twice_or_alike_is_no_description() {
        for missing in ["method", "proto", "host", "uri"] {
            let name = format!("x-forwarded-{missing}: ");
            let without: Vec<&str> = XF.lines().filter(|line| !line.starts_with(&name)).collect();
            let lines = without.join("\n");
            let read = seen(DescribedBy::XForwarded, "GET /auth/check", &lines);
            assert_eq!(read, Err(Refusal::Undescribed), "{missing}");
            for more in [format!("x-forwarded-{missing}: x"), format!("x_forwarded_{missing}: x")] {
                let lines = format!("{XF}\n{more}");
                let read = seen(DescribedBy::XForwarded, "GET /auth/check", &lines);
                assert_eq!(read, Err(Refusal::Undescribed), "{more}");
            }
        }
    }

    #[test]
    fn one_way_of_telling_is_never_taken_for_another() {
        let original = "x-original-method: GET\nx-original-url: https://app.example/public";
        let both = format!("{XF}\n{original}");
        let read = seen(DescribedBy::XForwarded, "GET /auth/check", &both);
        assert_eq!(read, Err(Refusal::Forged), "apps are led astray by X-Original-URL");
        let read = seen(DescribedBy::XOriginal, "GET /auth/check", &both);
        assert_eq!(read.unwrap(), "GET app.example /public Program");
        let path = "host: app.example\nx-forwarded-proto: https\nx-forwarded-uri: /public";
        let read = seen(DescribedBy::Path, "POST /auth/check/orders", path);
        assert_eq!(read.unwrap(), "POST app.example /orders Program");
        for elsewhere in ["GET /auth/check/orders", "GET /auth/checks", "GET /", "POST /auth/check"]
        {
            let read = seen(DescribedBy::XForwarded, elsewhere, XF);
            assert_eq!(read, Err(Refusal::Undescribed), "{elsewhere}");
        }
    }

    #[test]
    fn what_a_proxy_describes_passes_the_same_admission_as_a_request() {
        for (uri, refusal) in [
            ("/a/../b", "DotSegment"),
            ("/a/%2e%2e/b", "NeedlessEncoding"),
            ("//evil.example/", "DoubleSlash"),
            ("/secret#/public", "Delimiter"),
            ("/secret;/public", "Parameter"),
            ("/a\\b", "Backslash"),
            ("https://app.example/", "Target"),
            ("*", "Target"),
            ("", "Target"),
        ] {
            let lines = XF.replace("/orders?id=7", uri);
            let read = seen(DescribedBy::XForwarded, "GET /auth/check", &lines);
            assert!(format!("{:?}", read.unwrap_err()).contains(refusal), "{uri}");
        }
        for host in ["a, b", "", "app.example/x", "user@app.example", "app.example#"] {
            let lines = XF.replace(": app.example", &format!(": {host}"));
            let read = seen(DescribedBy::XForwarded, "GET /auth/check", &lines);
            assert_eq!(read, Err(Refusal::Host), "{host}");
        }
        for method in ["CONNECT", "TRACE", "get"] {
            let lines = XF.replace("GET", method);
            let read = seen(DescribedBy::XForwarded, "GET /auth/check", &lines);
            assert_eq!(read, Err(Refusal::Method), "{method}");
        }
        for proto in ["https,http", "ftp", "HTTPS", "wss"] {
            let lines = XF.replace(": https", &format!(": {proto}"));
            let read = seen(DescribedBy::XForwarded, "GET /auth/check", &lines);
            assert_eq!(read, Err(Refusal::Undescribed), "{proto}");
        }
    }

    #[test]
    fn what_only_we_may_set_is_refused_and_what_proxies_add_is_not() {
        for forged in ["x-who", "X_Who", "SO_Ticket", "x-superoffice-email", "x-rewrite-url"] {
            let lines = format!("{XF}\n{forged}: x");
            let read = seen(DescribedBy::XForwarded, "GET /auth/check", &lines);
            assert_eq!(read, Err(Refusal::Forged), "{forged}");
        }
        for ordinary in ["x-forwarded-for", "x-real-ip", "authorization", "x-forwarded-port"] {
            let lines = format!("{XF}\n{ordinary}: x");
            assert!(seen(DescribedBy::XForwarded, "GET /auth/check", &lines).is_ok(), "{ordinary}");
        }
    }

    #[test]
    fn a_websocket_is_one_where_the_proxy_tells_of_no_upgrade() {
        let lines = format!("{XF}\nsec-websocket-key: x\norigin: https://evil.example");
        let described = read(DescribedBy::XForwarded, "GET /auth/check", &lines).unwrap();
        let inbound = described.admit(BOUNDS).unwrap();
        assert!(inbound.is_foreign_upgrade(&PublicOrigin::parse("https://app.example").unwrap()));
    }
}
