//! A second opinion: a tiny parser that calls ambiguous whatever is not plainly one request.
//!
//! It shares no code with what it judges, and reads byte by byte where the other reads words.

/// A request with exactly one reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// Bytes it took.
    pub length: usize,
}

/// The header alone: method, target, headers and the bytes they took.
pub type Head = (String, String, Vec<(String, Vec<u8>)>, usize);

/// `Ok(None)` when more bytes are needed.
pub fn request(bytes: &[u8]) -> Result<Option<Request>, String> {
    let Some((method, target, headers, head)) = head(bytes)? else { return Ok(None) };
    let named = |name: &str| -> Vec<&[u8]> {
        let same = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        same.map(|(_, value)| value.as_slice()).collect()
    };
    if named("host").len() != 1 {
        return Err(format!("{} Host fields", named("host").len()));
    }
    let rest = &bytes[head..];
    let body = match (named("content-length").as_slice(), named("transfer-encoding").as_slice()) {
        ([], []) => Some((Vec::new(), 0)),
        ([length], []) => {
            let digits = std::str::from_utf8(length).map_err(|_| "length is not text")?;
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(format!("Content-Length {digits:?}"));
            }
            let length: usize = digits.parse().map_err(|_| "length too large")?;
            (rest.len() >= length).then(|| (rest[..length].to_vec(), length))
        }
        ([], [coding]) if coding.eq_ignore_ascii_case(b"chunked") => chunked(rest)?,
        (lengths, codings) => return Err(format!("framing {lengths:?} {codings:?}")),
    };
    let done = |(body, length)| Request { method, target, headers, body, length: head + length };
    Ok(body.map(done))
}

pub fn head(bytes: &[u8]) -> Result<Option<Head>, String> {
    let Some((first, mut at)) = line(bytes)? else { return Ok(None) };
    let words: Vec<&[u8]> = first.split(|byte| *byte == b' ').collect();
    let [method, target, version] = words.as_slice() else {
        return Err(format!("{} words in the request line", words.len()));
    };
    if method.is_empty() || !method.iter().all(|byte| token(*byte)) {
        return Err("method".to_owned());
    }
    if target.is_empty() || !target.iter().all(|byte| (0x21..=0x7e).contains(byte)) {
        return Err("target".to_owned());
    }
    if !matches!(*version, b"HTTP/1.1" | b"HTTP/1.0") {
        return Err("version".to_owned());
    }
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    loop {
        let Some((field, length)) = line(&bytes[at..])? else { return Ok(None) };
        at += length;
        if field.is_empty() {
            break;
        }
        let colon = field.iter().position(|byte| *byte == b':').ok_or("no colon")?;
        let (name, value) = (&field[..colon], &field[colon + 1..]);
        if name.is_empty() || !name.iter().all(|byte| token(*byte)) {
            return Err(format!("header name {:?}", name.escape_ascii().to_string()));
        }
        if value.iter().any(|byte| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f) {
            return Err("control byte in a value".to_owned());
        }
        let blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
        let start = value.iter().position(|byte| !blank(byte)).unwrap_or(value.len());
        let end = value.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
        let name = String::from_utf8(name.to_vec()).unwrap();
        headers.push((name, value[start..end].to_vec()));
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Ok(Some((text(method), text(target), headers, at)))
}

/// A line without its CR LF, and its length with them.
fn line(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, String> {
    for (at, byte) in bytes.iter().enumerate() {
        match (byte, bytes.get(at + 1)) {
            (b'\n', _) => return Err("bare LF".to_owned()),
            (b'\r', Some(b'\n')) => return Ok(Some((&bytes[..at], at + 2))),
            (b'\r', Some(_)) => return Err("bare CR".to_owned()),
            _ => {}
        }
    }
    Ok(None)
}

fn chunked(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let (mut at, mut body) = (0, Vec::new());
    loop {
        let Some((size, length)) = line(&bytes[at..])? else { return Ok(None) };
        let mut parts = size.split(|byte| *byte == b';');
        let digits = parts.next().unwrap_or_default();
        if !(1..=16).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(format!("chunk size {:?}", size.escape_ascii().to_string()));
        }
        for extension in parts {
            let mut halves = extension.splitn(2, |byte| *byte == b'=');
            if !halves.all(|half| !half.is_empty() && half.iter().all(|byte| token(*byte))) {
                return Err("chunk extension".to_owned());
            }
        }
        let size = usize::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
        at += length;
        let Some(rest) = bytes[at..].get(..size.saturating_add(2)) else { return Ok(None) };
        if &rest[size..] != b"\r\n" {
            return Err("chunk data is not followed by CR LF".to_owned());
        }
        body.extend_from_slice(&rest[..size]);
        at += size + 2;
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}

fn token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
