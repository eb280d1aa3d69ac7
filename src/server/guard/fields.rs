//! The header fields that say where a message ends, and those that must not come twice.

use super::body::Body;
use super::fault::Fault;

/// What the lines of one header have said so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields {
    seen: u16,
    length: u64,
}

/// The minor version of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Version {
    Http10,
    #[default]
    Http11,
}

impl Fields {
    /// Takes note of a line.
    ///
    /// # Errors
    /// When the line may not stand there.
    #[inline]
    pub(super) fn note(&mut self, name: &[u8], value: &[u8]) -> Result<(), Fault> {
        match single(name)? {
            Some(known) => self.note_single(known, value),
            None => Ok(()),
        }
    }

    fn note_single(&mut self, known: Single, value: &[u8]) -> Result<(), Fault> {
        if self.has(known) {
            return Err(known.twice());
        }
        self.seen |= known.bit();
        match known {
            Single::ContentLength => self.length = length(trimmed(value))?,
            Single::Expect if !trimmed(value).eq_ignore_ascii_case(b"100-continue") => {
                return Err(Fault::Expectation);
            }
            Single::TransferEncoding if !trimmed(value).eq_ignore_ascii_case(b"chunked") => {
                return Err(Fault::TransferEncoding);
            }
            _ => {}
        }
        Ok(())
    }

    /// How the body is framed, once all lines were noted (RFC 9112 §6.3, without its leniency).
    ///
    /// # Errors
    /// Without a Host, and where two parsers could differ over the message's end.
    pub(super) fn body(&self, version: Version) -> Result<Body, Fault> {
        if !self.has(Single::Host) {
            return Err(Fault::Host);
        }
        match (self.has(Single::TransferEncoding), self.has(Single::ContentLength)) {
            (true, true) => Err(Fault::LengthAndEncoding),
            (true, false) if version == Version::Http10 => Err(Fault::TransferEncoding),
            (true, false) => Ok(Body::chunked()),
            (false, _) => Ok(Body::Length(self.length)),
        }
    }

    pub(super) fn asks_upgrade(&self) -> bool {
        self.has(Single::Upgrade)
    }

    pub(super) fn expects_continue(&self) -> bool {
        self.has(Single::Expect)
    }

    fn has(&self, known: Single) -> bool {
        self.seen & known.bit() != 0
    }
}

/// Fields of which one copy is the only unambiguous number.
#[derive(Clone, Copy, Debug)]
enum Single {
    Authorization,
    ContentLength,
    ContentType,
    Expect,
    Host,
    Origin,
    ProxyAuthorization,
    TransferEncoding,
    Upgrade,
    WebSocketKey,
    WebSocketVersion,
}

impl Single {
    fn bit(self) -> u16 {
        1 << self as u16
    }

    fn twice(self) -> Fault {
        match self {
            Self::ContentLength => Fault::ContentLength,
            Self::Host => Fault::Host,
            Self::TransferEncoding => Fault::TransferEncoding,
            _ => Fault::Repeated,
        }
    }
}

#[inline]
fn single(name: &[u8]) -> Result<Option<Single>, Fault> {
    let (spelling, known) = match name.len() {
        4 => ("host", Single::Host),
        6 if name[0] | 0x20 == b'e' => ("expect", Single::Expect),
        6 => ("origin", Single::Origin),
        7 => ("upgrade", Single::Upgrade),
        12 => ("content-type", Single::ContentType),
        13 => ("authorization", Single::Authorization),
        14 => return framing(name, b"content-length", Single::ContentLength),
        17 if name[0] | 0x20 == b's' => ("sec-websocket-key", Single::WebSocketKey),
        17 => return framing(name, b"transfer-encoding", Single::TransferEncoding),
        19 => ("proxy-authorization", Single::ProxyAuthorization),
        21 => ("sec-websocket-version", Single::WebSocketVersion),
        _ => return Ok(None),
    };
    Ok(name.eq_ignore_ascii_case(spelling.as_bytes()).then_some(known))
}

/// CGI and its heirs read `Content_Length` as Content-Length: a disguise is as good as the name.
fn framing(name: &[u8], spelling: &[u8], known: Single) -> Result<Option<Single>, Fault> {
    if name.eq_ignore_ascii_case(spelling) {
        return Ok(Some(known));
    }
    let alike = name.iter().zip(spelling).all(|(byte, letter)| {
        byte.eq_ignore_ascii_case(letter) || (*letter == b'-' && !byte.is_ascii_alphanumeric())
    });
    if alike { Err(Fault::Disguised) } else { Ok(None) }
}

fn length(value: &[u8]) -> Result<u64, Fault> {
    if value.is_empty() || value.len() > 18 {
        return Err(Fault::ContentLength);
    }
    value.iter().try_fold(0, |length: u64, byte| match byte {
        b'0'..=b'9' => Ok(length * 10 + u64::from(byte - b'0')),
        _ => Err(Fault::ContentLength),
    })
}

/// Without optional white space. `trim_ascii` would take form feeds too, but those were refused.
fn trimmed(value: &[u8]) -> &[u8] {
    value.trim_ascii()
}
