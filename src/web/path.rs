//! The canonical path: a target that every parser reads the same way, or none at all.
//!
//! Routing, access rules, the log and the app all use the path that passed here, unchanged. What
//! an app could read differently from us is refused rather than rewritten: empty and dot segments,
//! backslashes, `;` parameters, fragments, control bytes, raw non-ASCII, and percent-encodings of a
//! backslash, percent sign, NUL or of a character that needs no encoding; and of a slash, except
//! for routes that ask for it.

/// Says whether `path` (without its query) is canonical.
///
/// # Errors
/// The first [`PathProblem`] found.
pub fn canonical(path: &str) -> Result<(), PathProblem> {
    match canonical_but_for_slashes(path)? {
        Slashes::Plain => Ok(()),
        Slashes::Encoded => Err(PathProblem::EncodedDelimiter),
    }
}

/// Whether a slash in a path is written `%2f`: part of a segment to some apps, the end of one to
/// others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slashes {
    Encoded,
    Plain,
}

/// The same, except that a slash may be encoded. Both ways to read it have to be canonical: no
/// empty and no dot segment comes of it when it is decoded.
///
/// # Errors
/// The first [`PathProblem`] found.
pub fn canonical_but_for_slashes(path: &str) -> Result<Slashes, PathProblem> {
    if !path.starts_with('/') {
        return Err(PathProblem::NotAbsolute);
    }
    segments(path)?;
    let mut slashes = Slashes::Plain;
    let bytes = path.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                let byte = encoded(bytes.get(at + 1..at + 3))?;
                if byte == b'/' {
                    slashes = Slashes::Encoded;
                }
                decoded.push(byte);
                at += 3;
                continue;
            }
            b'\\' => return Err(PathProblem::Backslash),
            b';' => return Err(PathProblem::Parameter),
            b'#' | b'?' => return Err(PathProblem::Delimiter),
            byte if !byte.is_ascii_graphic() => return Err(PathProblem::NotAscii),
            _ if decoded.is_empty() => {}
            byte => decoded.push(byte),
        }
        at += 1;
    }
    if std::str::from_utf8(&decoded).is_err() {
        return Err(PathProblem::NotUtf8);
    }
    match slashes {
        Slashes::Plain => {}
        Slashes::Encoded => segments(&with_plain_slashes(path))?,
    }
    Ok(slashes)
}

/// A path as an app reads it that takes `%2f` for a slash.
pub fn with_plain_slashes(path: &str) -> String {
    path.replace("%2f", "/").replace("%2F", "/")
}

/// Why a path is not canonical.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    #[error("a backslash in the path")]
    Backslash,
    #[error("a # or ? inside the path")]
    Delimiter,
    #[error("an empty path segment")]
    DoubleSlash,
    #[error("a . or .. path segment")]
    DotSegment,
    #[error("an encoded slash, backslash, percent sign or control byte in the path")]
    EncodedDelimiter,
    #[error("a percent sign without two hexadecimal digits in the path")]
    InvalidEncoding,
    #[error("a percent-encoding in the path of a character that needs none")]
    NeedlessEncoding,
    #[error("a path that does not begin with /")]
    NotAbsolute,
    #[error("a control byte, space or raw non-ASCII byte in the path")]
    NotAscii,
    #[error("percent-encoded bytes in the path that are not UTF-8")]
    NotUtf8,
    #[error("a ; in the path")]
    Parameter,
}

fn segments(path: &str) -> Result<(), PathProblem> {
    let mut rest = path.as_bytes()[1..].split(|byte| *byte == b'/').peekable();
    while let Some(segment) = rest.next() {
        match segment {
            b"" if rest.peek().is_some() => return Err(PathProblem::DoubleSlash),
            b"." | b".." => return Err(PathProblem::DotSegment),
            _ => {}
        }
    }
    Ok(())
}

fn encoded(digits: Option<&[u8]>) -> Result<u8, PathProblem> {
    let value = digits
        .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        .ok_or(PathProblem::InvalidEncoding)?;
    match value {
        b'\\' | b'%' | 0x7f => Err(PathProblem::EncodedDelimiter),
        0..=0x1f => Err(PathProblem::EncodedDelimiter),
        b'-' | b'.' | b'_' | b'~' => Err(PathProblem::NeedlessEncoding),
        byte if byte.is_ascii_alphanumeric() => Err(PathProblem::NeedlessEncoding),
        byte => Ok(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_are_canonical() {
        for path in ["/", "/orders/7", "/a/b/", "/sm%C3%B8rbr%C3%B8d", "/a%20b", "/a..b", "/@x:1"] {
            assert_eq!(canonical(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn whatever_could_be_read_two_ways_is_refused() {
        let cases = [
            ("orders", PathProblem::NotAbsolute),
            ("", PathProblem::NotAbsolute),
            ("//evil", PathProblem::DoubleSlash),
            ("/a//b", PathProblem::DoubleSlash),
            ("/a/../b", PathProblem::DotSegment),
            ("/a/.", PathProblem::DotSegment),
            ("/a%2fb", PathProblem::EncodedDelimiter),
            ("/a%2Fb", PathProblem::EncodedDelimiter),
            ("/a%5cb", PathProblem::EncodedDelimiter),
            ("/a%00", PathProblem::EncodedDelimiter),
            ("/a%252fb", PathProblem::EncodedDelimiter),
            ("/%2e%2e/b", PathProblem::NeedlessEncoding),
            ("/%61dmin", PathProblem::NeedlessEncoding),
            ("/a\\b", PathProblem::Backslash),
            ("/a;x=1", PathProblem::Parameter),
            ("/a#b", PathProblem::Delimiter),
            ("/a b", PathProblem::NotAscii),
            ("/ø", PathProblem::NotAscii),
            ("/%", PathProblem::InvalidEncoding),
            ("/%+1", PathProblem::InvalidEncoding),
            ("/%c0%ae", PathProblem::NotUtf8),
        ];
        for (path, problem) in cases {
            assert_eq!(canonical(path), Err(problem), "{path}");
        }
    }

    #[test]
    fn an_encoded_slash_is_told_apart_and_has_to_be_canonical_when_decoded_too() {
        for path in ["/a%2fb", "/a%2Fb/c", "/a/b%2f", "/sm%C3%B8r%2Fbr%C3%B8d"] {
            assert_eq!(canonical_but_for_slashes(path), Ok(Slashes::Encoded), "{path}");
            assert_eq!(canonical(path), Err(PathProblem::EncodedDelimiter), "{path}");
        }
        assert_eq!(canonical_but_for_slashes("/a/b"), Ok(Slashes::Plain));
        for (path, problem) in [
            ("/public%2f..%2fsecret", PathProblem::DotSegment),
            ("/public%2F..", PathProblem::DotSegment),
            ("/..%2fsecret", PathProblem::DotSegment),
            ("/a/.%2Fb", PathProblem::DotSegment),
            ("/%2fevil.example", PathProblem::DoubleSlash),
            ("/a%2f/b", PathProblem::DoubleSlash),
            ("/a%2f%2Fb", PathProblem::DoubleSlash),
            ("/a%2fb%5cc", PathProblem::EncodedDelimiter),
            ("/a%252fb", PathProblem::EncodedDelimiter),
            ("/a%c0%afb", PathProblem::NotUtf8),
        ] {
            assert_eq!(canonical_but_for_slashes(path), Err(problem), "{path}");
        }
    }
}
