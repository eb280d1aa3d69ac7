//! The PROXY protocol, as HAProxy's `proxy-protocol.txt` has it: a line or a block before a connection's
//! own bytes.
//!
//! Read strictly: what may be read in two ways is refused, and so is what only a sender with a fault
//! would write.

use std::net::{IpAddr, SocketAddr};

use super::proxy_header::{BadHeader, HeaderSoFar, ProxyHeader, ProxyVersion};
use super::{proxy_block, proxy_line};

impl ProxyHeader {
    /// Looks at what has come of a header: from the first byte on, and no further than it was told.
    ///
    /// # Errors
    /// [`BadHeader`], as soon as it is certain.
    pub fn look(bytes: &[u8]) -> Result<HeaderSoFar, BadHeader> {
        // The shorter of the two, as long as it may be either.
        if begins(bytes, proxy_line::BEGIN) {
            return proxy_line::look(bytes);
        }
        match begins(bytes, &proxy_block::SIGNATURE) {
            true => proxy_block::look(bytes),
            false => Err(BadHeader::Absent),
        }
    }

    /// As it goes before a connection. Addresses of two families are both written as IPv6.
    pub fn spelled(&self, version: ProxyVersion) -> Vec<u8> {
        let ends = match *self {
            Self::Client { client, server } => Some(of_one_family(client, server)),
            Self::Nobodys => None,
        };
        match version {
            ProxyVersion::V1 => proxy_line::spelled(ends),
            ProxyVersion::V2 => proxy_block::spelled(ends),
        }
    }
}

fn of_one_family(client: SocketAddr, server: SocketAddr) -> (SocketAddr, SocketAddr) {
    if client.is_ipv4() == server.is_ipv4() {
        return (client, server);
    }
    let wide = |end: SocketAddr| match end.ip() {
        IpAddr::V4(address) => SocketAddr::new(address.to_ipv6_mapped().into(), end.port()),
        IpAddr::V6(_) => end,
    };
    (wide(client), wide(server))
}

/// Whether what has come can be the beginning of `known`.
fn begins(bytes: &[u8], known: &[u8]) -> bool {
    let both = bytes.len().min(known.len());
    bytes[..both] == known[..both]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    fn client(client: &str, server: &str) -> ProxyHeader {
        ProxyHeader::Client { client: client.parse().unwrap(), server: server.parse().unwrap() }
    }

    fn whole(line: &str) -> Result<HeaderSoFar, BadHeader> {
        ProxyHeader::look(line.as_bytes())
    }

    #[test]
    fn a_line_names_the_client_and_where_it_connected() {
        for (line, named) in [
            (
                "PROXY TCP4 203.0.113.9 10.0.0.1 56324 443\r\n",
                client("203.0.113.9:56324", "10.0.0.1:443"),
            ),
            (
                "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
                client("255.255.255.255:65535", "255.255.255.255:65535"),
            ),
            (
                "PROXY TCP6 2001:db8::9 fd00::1 0 443\r\n",
                client("[2001:db8::9]:0", "[fd00::1]:443"),
            ),
            ("PROXY UNKNOWN\r\n", ProxyHeader::Nobodys),
            ("PROXY UNKNOWN ffff::1 whatever 9 9\r\n", ProxyHeader::Nobodys),
        ] {
            assert_eq!(whole(line), Ok(HeaderSoFar::Whole(named, line.len())), "{line}");
            let more = format!("{line}GET / HTTP/1.1\r\n");
            assert_eq!(whole(&more), Ok(HeaderSoFar::Whole(named, line.len())), "{line}");
        }
    }

    #[test]
    fn a_line_that_breaks_the_rules_names_nobody() {
        for line in [
            "PROXY TCP4 203.0.113.9 10.0.0.1 56324 443\n",
            "PROXY TCP4 203.0.113.9 10.0.0.1 56324\r\n",
            "PROXY TCP4 203.0.113.9 10.0.0.1 56324 443 \r\n",
            "PROXY TCP4 203.0.113.9 10.0.0.1 56324 443 1\r\n",
            "PROXY TCP4  203.0.113.9 10.0.0.1 56324 443\r\n",
            "PROXY TCP4 203.0.113.9\t10.0.0.1 56324 443\r\n",
            "PROXY TCP4 203.0.113.09 10.0.0.1 56324 443\r\n",
            "PROXY TCP4 203.0.113 10.0.0.1 56324 443\r\n",
            "PROXY TCP4 203.0.113.9 10.0.0.1 65536 443\r\n",
            "PROXY TCP4 203.0.113.9 10.0.0.1 056 443\r\n",
            "PROXY TCP4 203.0.113.9 10.0.0.1 +56 443\r\n",
            "PROXY TCP4 203.0.113.9 10.0.0.1 -1 443\r\n",
            "PROXY TCP4 2001:db8::9 fd00::1 1 443\r\n",
            "PROXY TCP6 203.0.113.9 10.0.0.1 1 443\r\n",
            "PROXY TCP6 fe80::1%eth0 fd00::1 1 443\r\n",
            "PROXY TCP5 203.0.113.9 10.0.0.1 1 443\r\n",
            "PROXY tcp4 203.0.113.9 10.0.0.1 1 443\r\n",
            "PROXY UDP4 203.0.113.9 10.0.0.1 1 443\r\n",
            "PROXY UNKNOWNS\r\n",
            "PROXY UNKNOWN \u{7f}\r\n",
            "PROXY UNKNOWN \r \r\n",
            "PROXY  UNKNOWN\r\n",
            "PROXY \r\n",
        ] {
            assert_eq!(whole(line), Err(BadHeader::Malformed), "{line:?}");
        }
        for other in
            ["GET / HTTP/1.1\r\n", "proxy UNKNOWN\r\n", " PROXY", "\x16\x03\x01", "\r\n\r\r"]
        {
            assert_eq!(whole(other), Err(BadHeader::Absent), "{other:?}");
        }
    }

    #[test]
    fn a_line_has_107_bytes_at_most_and_its_reader_takes_none_too_many() {
        let longest = format!("PROXY UNKNOWN {}\r\n", "f".repeat(proxy_line::LONGEST - 16));
        assert_eq!(longest.len(), proxy_line::LONGEST);
        assert!(matches!(whole(&longest), Ok(HeaderSoFar::Whole(..))));
        let longer = format!("PROXY UNKNOWN {}\r\n", "f".repeat(proxy_line::LONGEST - 15));
        assert_eq!(whole(&longer), Err(BadHeader::TooLong));
        for line in ["PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n", "PROXY TCP6 ::1 :: 0 0\r\n", &longest] {
            let mut read = 0;
            while let Ok(HeaderSoFar::Lacks(lacks)) = whole(&line[..read]) {
                assert!(lacks > 0 && read + lacks <= line.len(), "{line:?} at {read}");
                read += lacks;
            }
            assert_eq!(read, line.len(), "{line:?}");
        }
    }

    fn ends() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
        let end = (any::<IpAddr>(), any::<u16>()).prop_map(SocketAddr::from);
        (end.clone(), end)
    }

    fn repeatable() -> ProptestConfig {
        let (rng_seed, failure_persistence) = (RngSeed::Fixed(1), None);
        ProptestConfig { rng_seed, failure_persistence, ..ProptestConfig::default() }
    }

    proptest! {
        #![proptest_config(repeatable())]

        #[test]
        fn what_is_spelled_is_read_again_and_never_read_past(
            (client, server) in ends(),
            version in prop_oneof![Just(ProxyVersion::V1), Just(ProxyVersion::V2)],
        ) {
            let bytes = ProxyHeader::Client { client, server }.spelled(version);
            for end in 0..bytes.len() {
                let Ok(HeaderSoFar::Lacks(lacks)) = ProxyHeader::look(&bytes[..end]) else {
                    panic!("{} is whole", bytes[..end].escape_ascii());
                };
                prop_assert!(lacks > 0 && end + lacks <= bytes.len());
            }
            let read = ProxyHeader::look(&bytes);
            let Ok(HeaderSoFar::Whole(ProxyHeader::Client { client: named, .. }, length)) = read else {
                panic!("{read:?}");
            };
            prop_assert_eq!(length, bytes.len());
            prop_assert_eq!(named.ip().to_canonical(), client.ip().to_canonical());
            prop_assert_eq!(named.port(), client.port());
        }

        #[test]
        fn whatever_comes_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(HeaderSoFar::Whole(_, length)) = ProxyHeader::look(&bytes) {
                prop_assert!(length <= bytes.len());
            }
        }
    }
}
