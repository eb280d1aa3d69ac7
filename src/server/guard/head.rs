//! The strict reading of a request's header, each line once, as the lines arrive.
//!
//! RFC 9112 lets a recipient be lenient in many places. Whoever stands before another parser may
//! not be: what is passed on here has one reading only, and anything else is a [`Fault`].

use std::ops::Range;

use super::alphabet::{is_target, is_token, text_run, token_run};
use super::body::Body;
use super::fault::Fault;
use super::fields::{Fields, Version};
use super::terms::Terms;

/// A header that may be passed on.
#[derive(Clone, Debug)]
pub struct Head {
    /// Where it stands: from its method to its empty line.
    pub range: Range<usize>,
    pub(super) body: Body,
    /// Whether it asks for another protocol.
    pub asks_upgrade: bool,
    /// Whether its body waits for 100 Continue.
    pub expects_continue: bool,
}

/// Reads one header from bytes that arrive piece by piece.
#[derive(Clone, Debug)]
pub struct HeadScan {
    target_bytes: usize,
    header_bytes: usize,
    lines_left: usize,
    start: usize,
    /// The first byte of the line that is not whole yet.
    line: usize,
    version: Option<Version>,
    fields: Fields,
}

/// A whole line: one that is counted in, or the empty one that ends a header.
enum Line {
    Counted(usize),
    Last(Version),
}

impl HeadScan {
    /// For the next message.
    pub fn new(terms: &Terms) -> Self {
        Self {
            target_bytes: terms.target_bytes,
            header_bytes: terms.header_bytes,
            lines_left: terms.header_count,
            start: 0,
            line: 0,
            version: None,
            fields: Fields::default(),
        }
    }

    /// Goes on with all that has arrived, the bytes of earlier calls first. `None` when the header
    /// is not whole yet.
    ///
    /// # Errors
    /// A [`Fault`] in any line that is whole, or when there is no room for what is missing.
    pub fn advance(&mut self, arrived: &[u8]) -> Result<Option<Head>, Fault> {
        // Every byte that has come is judged, the line that is not whole yet too: what comes of a
        // header does not hang on how it was cut into packets.
        while let Some(line) = self.next_line(&arrived[self.line..])? {
            match line {
                Line::Counted(length) => self.line += length,
                Line::Last(version) => return self.complete(self.line + 2, version).map(Some),
            }
        }
        self.room(arrived.len())?;
        Ok(None)
    }

    /// The next line, if it is whole.
    #[inline]
    fn next_line(&mut self, rest: &[u8]) -> Result<Option<Line>, Fault> {
        let length = match (rest, self.version) {
            ([] | [b'\r'], _) => return Ok(None),
            ([b'\r', b'\n', ..], None) => Some(self.empty_line()?),
            ([b'\r', b'\n', ..], Some(version)) => return Ok(Some(Line::Last(version))),
            (_, None) => request_line(rest, self.target_bytes)?.map(|(length, version)| {
                self.version = Some(version);
                length
            }),
            (_, Some(_)) => match field_line(rest)? {
                Some(line) => {
                    self.lines_left = self.lines_left.checked_sub(1).ok_or(Fault::TooManyFields)?;
                    self.fields.note(line.name, line.value)?;
                    Some(line.length)
                }
                None => None,
            },
        };
        Ok(length.map(Line::Counted))
    }

    /// Whether anything but an empty line has come.
    pub fn has_begun(&self, arrived: &[u8]) -> bool {
        !matches!(arrived, b"" | b"\r" | b"\r\n")
    }

    /// RFC 9112 §2.2: an empty line before the request is an old client's habit; one is skipped.
    fn empty_line(&mut self) -> Result<usize, Fault> {
        if self.start != 0 {
            return Err(Fault::EmptyLines);
        }
        self.start = 2;
        Ok(2)
    }

    fn complete(&self, end: usize, version: Version) -> Result<Head, Fault> {
        if end - self.start > self.header_bytes {
            return Err(Fault::HeaderTooLarge);
        }
        Ok(Head {
            range: self.start..end,
            body: self.fields.body(version)?,
            asks_upgrade: version == Version::Http11 && self.fields.asks_upgrade(),
            expects_continue: version == Version::Http11 && self.fields.expects_continue(),
        })
    }

    fn room(&self, arrived: usize) -> Result<(), Fault> {
        let length = arrived - self.start;
        if self.version.is_none() && length > self.target_bytes + AROUND_TARGET {
            Err(Fault::TargetTooLong)
        } else if length >= self.header_bytes {
            Err(Fault::HeaderTooLarge)
        } else {
            Ok(())
        }
    }
}

/// The length and version of a request line (RFC 9112 §3), if it is whole.
fn request_line(line: &[u8], most: usize) -> Result<Option<(usize, Version)>, Fault> {
    let method = run(line, |byte| byte.is_ascii_uppercase() || byte == b'-');
    if method > MOST_METHOD {
        return Err(Fault::Method);
    }
    match line.get(method) {
        None => return Ok(None),
        Some(b' ') if method > 0 => {}
        Some(b'\n') => return Err(Fault::LineEnd),
        Some(byte) if is_token(*byte) => return Err(Fault::Method),
        Some(_) => return Err(Fault::RequestLine),
    }
    let rest = &line[method + 1..];
    let target = run(rest, is_target);
    if target > most {
        return Err(Fault::TargetTooLong);
    }
    match rest.get(target) {
        None => return Ok(None),
        Some(b' ') if target > 0 => {}
        Some(b' ' | b'\r') => return Err(Fault::RequestLine),
        Some(b'\n') => return Err(Fault::LineEnd),
        Some(_) => return Err(Fault::Target),
    }
    if !is_a_target(&rest[..target]) {
        return Err(Fault::Target);
    }
    let Some(version) = version(&rest[target + 1..])? else { return Ok(None) };
    match &line[..method] {
        b"CONNECT" => Err(Fault::Connect),
        // What HTTP/2 begins with (RFC 9113 §3.4) is reserved, whatever the version says.
        b"PRI" => Err(Fault::Method),
        _ => Ok(Some((method + 1 + target + 1 + VERSION_LINE, version))),
    }
}

/// Whether no letter stands in it that would have to be encoded there (RFC 3986 §3.3, §3.4), of those that a
/// parser behind us takes offence at.
fn is_a_target(target: &[u8]) -> bool {
    let query = memchr::memchr(b'?', target).unwrap_or(target.len());
    let (path, query) = target.split_at(query);
    memchr::memchr3(b'<', b'>', b'`', path).is_none()
        && memchr::memchr3(b'<', b'>', b'"', query).is_none()
}

fn version(rest: &[u8]) -> Result<Option<Version>, Fault> {
    match rest {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor, b'\r', b'\n', ..] => match minor {
            b'0' => Ok(Some(Version::Http10)),
            b'1' => Ok(Some(Version::Http11)),
            _ => Err(Fault::Version),
        },
        _ if rest.len() < VERSION_LINE && !rest.contains(&b'\n') => Ok(None),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0' | b'1', b'\r' | b'\n', ..] => {
            Err(Fault::LineEnd)
        }
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0' | b'1', ..] | [b' ', ..] => {
            Err(Fault::RequestLine)
        }
        _ => Err(Fault::Version),
    }
}

struct FieldLine<'a> {
    name: &'a [u8],
    value: &'a [u8],
    length: usize,
}

/// A field line (RFC 9112 §5), if it is whole.
#[inline]
fn field_line(line: &[u8]) -> Result<Option<FieldLine<'_>>, Fault> {
    let colon = token_run(line);
    match line.get(colon) {
        None => return Ok(None),
        Some(b':') if colon > 0 => {}
        Some(b' ' | b'\t') if colon == 0 => return Err(Fault::Folded),
        Some(b'\n') => return Err(Fault::LineEnd),
        Some(b'\r') if colon == 0 => return Err(Fault::LineEnd),
        Some(_) => return Err(Fault::FieldName),
    }
    let mut end = colon + 1;
    loop {
        end += text_run(&line[end..]);
        match line[end..] {
            [] | [b'\r'] => return Ok(None),
            [b'\t', ..] => end += 1,
            [b'\r', b'\n', ..] => break,
            [b'\r' | b'\n', ..] => return Err(Fault::LineEnd),
            [_, ..] => return Err(Fault::FieldValue),
        }
    }
    Ok(Some(FieldLine { name: &line[..colon], value: &line[colon + 1..end], length: end + 2 }))
}

#[inline]
fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !belongs(*byte)).unwrap_or(bytes.len())
}

/// Longer than any registered method.
const MOST_METHOD: usize = 32;
/// `HTTP/1.1` and its line end.
const VERSION_LINE: usize = 10;
/// What a request line holds beside its target.
const AROUND_TARGET: usize = MOST_METHOD + 2 + VERSION_LINE;
