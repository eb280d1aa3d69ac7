//! One question to the admin listener of a running gateway, about how it is or of its admin API.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

/// What it said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

/// What is asked.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    /// The credential, where one is needed.
    pub(super) bearer: Option<&'a str>,
    /// JSON, or nothing.
    pub(super) body: &'a str,
}

impl Question<'_> {
    fn text(&self) -> Zeroizing<String> {
        let Self { method, path, bearer, body } = *self;
        let proof = bearer.map(|bearer| format!("Authorization: Bearer {bearer}\r\n"));
        let proof = Zeroizing::new(proof.unwrap_or_default());
        let about = match body.len() {
            0 => String::new(),
            length => format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"),
        };
        let head = format!("{method} {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n");
        Zeroizing::new(format!("{head}{}{about}\r\n{body}", *proof))
    }
}

/// Asks for `path`. A listener on every address is asked over loopback. All of it, from the first
/// packet to the last, takes no longer than `patience`.
///
/// # Errors
/// When nobody answers in time, or what answers does not speak HTTP.
pub(super) fn ask(admin: SocketAddr, path: &str, patience: Duration) -> io::Result<Answer> {
    send(admin, &Question { method: "GET", path, bearer: None, body: "" }, patience)
}

/// Asks a question, as [`ask`] does.
///
/// # Errors
/// As [`ask`].
pub(super) fn send(
    admin: SocketAddr,
    question: &Question<'_>,
    patience: Duration,
) -> io::Result<Answer> {
    let end = Instant::now() + patience;
    let mut stream = TcpStream::connect_timeout(&nearest(admin), patience)?;
    stream.set_write_timeout(Some(left(end)?))?;
    stream.write_all(question.text().as_bytes())?;
    let mut told = Vec::new();
    let mut piece = [0; 4096];
    while told.len() < MOST_ANSWER {
        stream.set_read_timeout(Some(left(end)?))?;
        match stream.read(&mut piece)? {
            0 => break,
            count => told.extend_from_slice(&piece[..count]),
        }
    }
    let told = String::from_utf8(told).map_err(|_| not_http())?;
    read(&told).ok_or_else(not_http)
}

/// Where a listener's address is reached from its own machine.
pub(super) fn nearest(admin: SocketAddr) -> SocketAddr {
    let ip = match admin.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, admin.port())
}

fn read(told: &str) -> Option<Answer> {
    let (head, body) = told.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

fn left(end: Instant) -> io::Result<Duration> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn not_http() -> io::Error {
    io::Error::other("what answers there does not speak HTTP/1.1")
}

/// Metrics are the longest of all answers.
const MOST_ANSWER: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_status_and_its_body() {
        let told = "HTTP/1.1 503 Service Unavailable\r\na: b\r\n\r\n{}";
        assert_eq!(read(told), Some(Answer { status: 503, body: "{}".to_owned() }));
        for odd in ["", "HTTP/1.1 200", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 2é\r\n\r\n"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_listener_on_every_address_is_asked_over_loopback() {
        for (has, asked) in [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:1", "[::1]:1")] {
            assert_eq!(nearest(has.parse().unwrap()), asked.parse().unwrap());
        }
        assert_eq!(nearest("10.1.1.1:1".parse().unwrap()), "10.1.1.1:1".parse().unwrap());
    }
}
