//! The one form in which a request is looked at: cleaned, with one host and one canonical path.

use std::borrow::Cow;

use http::header::AsHeaderName;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Version, header, request};

use super::{
    Asking, Cleaned, Cookies, PublicOrigin, Refusal, Slashes, Subscriber, Transport, method, path,
    singles,
};

/// An admitted request. Only [`Inbound::admit`] makes one, and it wants [`Cleaned`].
pub struct Inbound<'a> {
    method: &'a Method,
    authority: Cow<'a, str>,
    target: &'a str,
    path_len: usize,
    slashes: Slashes,
    hops: Option<u64>,
    headers: &'a HeaderMap,
    transport: Transport,
    sender: Option<Subscriber>,
}

/// The sizes a request must keep within, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub target: usize,
    pub cookies: usize,
    /// Header fields, not bytes.
    pub fields: usize,
}

impl<'a> Inbound<'a> {
    /// Admits a request whose spoofable headers are gone; `raw` is its target as it was sent.
    ///
    /// # Errors
    /// A [`Refusal`] when method, host, target or cookies are not ones we take.
    pub fn admit(
        request: &'a request::Parts,
        raw: &'a [u8],
        bounds: Bounds,
        _proof: Cleaned,
    ) -> Result<Self, Refusal> {
        if !method::is_served(&request.method) {
            return Err(Refusal::Method);
        }
        framing(&request.headers)?;
        if request.version == Version::HTTP_2 {
            singles::check(&request.headers, bounds.fields)?;
        }
        let hops = hops(request)?;
        if raw.len() > bounds.target {
            return Err(Refusal::TargetTooLong);
        }
        let authority = authority(request)?;
        let target = local(std::str::from_utf8(raw).map_err(|_| Refusal::Target)?, &authority)?;
        let path_len = memchr::memchr(b'?', target.as_bytes()).unwrap_or(target.len());
        let slashes = path::canonical_but_for_slashes(&target[..path_len])?;
        let visible = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
        if !target[path_len..].bytes().all(visible) {
            return Err(Refusal::Query);
        }
        if Cookies::of(&request.headers).size() > bounds.cookies {
            return Err(Refusal::CookiesTooLarge);
        }
        Ok(Self {
            method: &request.method,
            authority,
            target,
            path_len,
            slashes,
            hops,
            headers: &request.headers,
            transport: Transport::Unknown,
            sender: None,
        })
    }

    /// With what a trusted proxy says of the browser's connection.
    pub fn over(self, transport: Transport) -> Self {
        Self { transport, ..self }
    }

    /// With who sent it, as far as the address tells.
    pub fn sent_by(self, sender: Option<Subscriber>) -> Self {
        Self { sender, ..self }
    }

    /// Who sent it, as limits count.
    pub fn sender(&self) -> Option<Subscriber> {
        self.sender
    }

    /// Whether a browser came by plain http to a host that is https: its cookies would be lost.
    pub fn has_lost_its_scheme(&self, origin: &PublicOrigin) -> bool {
        origin.is_https() && self.transport == Transport::Plain
    }

    /// The method.
    pub fn method(&self) -> &Method {
        self.method
    }

    /// Host and port as asked for, lower case.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether it may go no further than here (RFC 9110 §7.6.2).
    pub fn ends_here(&self) -> bool {
        self.hops == Some(0)
    }

    /// Whether a slash in its path is encoded, which only a route that says so takes.
    pub fn slashes(&self) -> Slashes {
        self.slashes
    }

    /// The canonical path.
    pub fn path(&self) -> &'a str {
        &self.target[..self.path_len]
    }

    /// What follows the `?`, or nothing.
    pub fn query(&self) -> &'a str {
        self.target.get(self.path_len + 1..).unwrap_or_default()
    }

    /// Path and query, byte for byte.
    pub fn target(&self) -> &'a str {
        self.target
    }

    /// Its cookies.
    pub fn cookies(&self) -> Cookies<'a> {
        Cookies::of(self.headers)
    }

    /// Whether a page of another site asks to open a WebSocket: browsers send cookies along and
    /// apply no CORS there (RFC 6455 §10.2).
    pub fn is_foreign_upgrade(&self, origin: &PublicOrigin) -> bool {
        self.headers.contains_key(header::UPGRADE)
            && self
                .headers
                .get_all(header::ORIGIN)
                .iter()
                .any(|named| named.as_bytes() != origin.as_str().as_bytes())
    }

    /// Whether a page of another site could have had a browser send this, to change something: the
    /// method is not a safe one (RFC 9110 §9.2.1), and neither `Sec-Fetch-Site` nor `Origin` says that
    /// it comes from the host itself.
    pub fn may_be_anothers_doing(&self, origin: &PublicOrigin) -> bool {
        let says = |name, is: &[&[u8]]| {
            self.header(name).is_some_and(|value| is.contains(&value.as_bytes()))
        };
        !self.method.is_safe()
            && !says("sec-fetch-site", &[b"same-origin", b"none"])
            && !says("origin", &[origin.as_str().as_bytes()])
    }

    /// A navigation or a program.
    pub fn asking(&self) -> Asking {
        Asking::of(self.method, self.headers)
    }

    /// Its headers, without those nobody outside may send.
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// A header that is there once.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&'a HeaderValue> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        values.next().is_none().then_some(first)
    }
}

/// One `Content-Length` of digits or one `Transfer-Encoding: chunked`, or neither (RFC 9112 §6.1,
/// §6.3): what we read leniently, the app might read differently.
fn framing(headers: &HeaderMap) -> Result<(), Refusal> {
    let once = |name| {
        let mut values = headers.get_all(name).iter();
        let first = values.next().map(HeaderValue::as_bytes);
        if values.next().is_some() { Err(Refusal::Framing) } else { Ok(first) }
    };
    match (once(header::CONTENT_LENGTH)?, once(header::TRANSFER_ENCODING)?) {
        (None, None) => Ok(()),
        (Some(digits), None) if (1..=18).contains(&digits.len()) => {
            let plain = digits.iter().all(u8::is_ascii_digit);
            if plain { Ok(()) } else { Err(Refusal::Framing) }
        }
        (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(Refusal::Framing),
    }
}

/// How far an OPTIONS request may go; in others the field means nothing (RFC 9110 §7.6.2).
fn hops(request: &request::Parts) -> Result<Option<u64>, Refusal> {
    if request.method != Method::OPTIONS {
        return Ok(None);
    }
    let mut values = request.headers.get_all(header::MAX_FORWARDS).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let digits = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match (digits.and_then(|text| text.parse().ok()), values.next()) {
        (Some(hops), None) => Ok(Some(hops)),
        _ => Err(Refusal::MaxForwards),
    }
}

/// Exactly one Host, or HTTP/2's `:authority` with a Host that agrees (RFC 9112 §3.2,
/// RFC 9113 §8.3.1).
fn authority(request: &request::Parts) -> Result<Cow<'_, str>, Refusal> {
    let mut hosts = request.headers.get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(Refusal::Host);
    }
    let named = match (host, request.uri.authority()) {
        (Some(host), asked) => {
            let host = host.to_str().map_err(|_| Refusal::Host)?;
            if asked.is_some_and(|asked| !asked.as_str().eq_ignore_ascii_case(host)) {
                return Err(Refusal::Host);
            }
            host
        }
        (None, Some(asked)) => asked.as_str(),
        (None, None) => return Err(Refusal::Host),
    };
    if is_plain(named) {
        return Ok(Cow::Borrowed(named));
    }
    let valid = named.parse::<Authority>().is_ok_and(|parsed| !parsed.host().is_empty());
    if !valid || !named.bytes().all(is_of_a_name) {
        return Err(Refusal::Host);
    }
    if named.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Ok(Cow::Owned(named.to_ascii_lowercase()))
    } else {
        Ok(Cow::Borrowed(named))
    }
}

/// What names, addresses and ports are written with. RFC 3986 §3.2.2 has more, a comma and a `%`
/// among it, which no name that resolves has.
fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'[' | b']')
}

/// Whether an authority is what nearly all are, a name of lower-case letters with or without a
/// port: then it is valid and spelled as it should be.
fn is_plain(named: &str) -> bool {
    let plain = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    let name = named.bytes().position(|byte| !plain(&byte)).unwrap_or(named.len());
    let port = match &named.as_bytes()[name..] {
        [] => return name > 0,
        [b':', port @ ..] => port,
        _ => return false,
    };
    name > 0 && (1..=5).contains(&port.len()) && port.iter().all(u8::is_ascii_digit)
}

/// The path and query of an origin-form or absolute-form target (RFC 9112 §3.2.1, §3.2.2).
fn local<'a>(target: &'a str, authority: &str) -> Result<&'a str, Refusal> {
    if target.starts_with('/') {
        return Ok(target);
    }
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| {
            let (head, rest) = target.split_at_checked(scheme.len())?;
            head.eq_ignore_ascii_case(scheme).then_some(rest)
        })
        .ok_or(Refusal::Target)?;
    let slash = rest.find('/').ok_or(Refusal::Target)?;
    if rest[..slash].eq_ignore_ascii_case(authority) {
        Ok(&rest[slash..])
    } else {
        Err(Refusal::Host)
    }
}
