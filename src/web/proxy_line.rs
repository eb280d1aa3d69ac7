//! Version 1 of the PROXY protocol: a line of text (`proxy-protocol.txt` §2.1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::proxy_header::{BadHeader, HeaderSoFar, ProxyHeader};

/// Looks at what has come of a line that begins so, as far as that has come.
///
/// # Errors
/// [`BadHeader`], as soon as it is certain.
pub(super) fn look(bytes: &[u8]) -> Result<HeaderSoFar, BadHeader> {
    let end = bytes.iter().take(LONGEST).position(|byte| *byte == b'\n');
    if let Some(end) = end {
        let text = bytes[..end].strip_suffix(b"\r").ok_or(BadHeader::Malformed)?;
        return said(text).map(|header| HeaderSoFar::Whole(header, end + 1));
    }
    let shortest = match bytes.get(BEGIN.len()..) {
        Some([b'T', b'C', b'P', b'4', ..]) => b"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n".len(),
        Some([b'T', b'C', b'P', b'6', ..]) => b"PROXY TCP6 :: :: 0 0\r\n".len(),
        _ => b"PROXY UNKNOWN\r\n".len(),
    };
    let still = if bytes.ends_with(b"\r") { 1 } else { 2 };
    let lacks = shortest.saturating_sub(bytes.len()).max(still);
    if bytes.len() + lacks > LONGEST {
        return Err(BadHeader::TooLong);
    }
    Ok(HeaderSoFar::Lacks(lacks))
}

/// With its end.
pub(super) fn spelled(ends: Option<(SocketAddr, SocketAddr)>) -> Vec<u8> {
    let Some((client, server)) = ends else { return b"PROXY UNKNOWN\r\n".to_vec() };
    let family = if client.is_ipv4() { "TCP4" } else { "TCP6" };
    let ports = format!("{} {}\r\n", client.port(), server.port());
    format!("PROXY {family} {} {} {ports}", client.ip(), server.ip()).into_bytes()
}

/// What a line says, without its end.
fn said(text: &[u8]) -> Result<ProxyHeader, BadHeader> {
    let text = str::from_utf8(text).map_err(|_| BadHeader::Malformed)?;
    if text.chars().any(char::is_control) {
        return Err(BadHeader::Malformed);
    }
    let mut words = text.split(' ');
    let (_proxy, family) = (words.next(), words.next());
    if family == Some("UNKNOWN") {
        // Whatever follows says nothing.
        return Ok(ProxyHeader::Nobodys);
    }
    let words: Vec<&str> = words.collect();
    let [client, server, from, to] = words.as_slice() else { return Err(BadHeader::Malformed) };
    let end = |address: &str, port: &str| {
        let address = match family {
            Some("TCP4") => address.parse::<Ipv4Addr>().ok().map(IpAddr::from),
            Some("TCP6") => address.parse::<Ipv6Addr>().ok().map(IpAddr::from),
            _ => None,
        };
        Some(SocketAddr::new(address?, decimal(port)?))
    };
    let client = end(client, from).ok_or(BadHeader::Malformed)?;
    let server = end(server, to).ok_or(BadHeader::Malformed)?;
    Ok(ProxyHeader::Client { client, server })
}

/// A port in the only way to write it.
fn decimal(text: &str) -> Option<u16> {
    let port: u16 = text.parse().ok()?;
    (port.to_string() == text).then_some(port)
}

/// What every line begins with.
pub(super) const BEGIN: &[u8] = b"PROXY ";
/// Bytes of a line with its end (`proxy-protocol.txt` §2.1).
pub(super) const LONGEST: usize = 107;
