//! Where a request really came from, when proxies stand in front of us.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

/// The proxies whose forwarding headers are believed; none by default.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<IpNet>);

/// The caller's address and the way it took to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The right-most address that is not a trusted proxy.
    pub address: Option<IpAddr>,
    /// What `X-Forwarded-For` says to the app.
    pub chain: String,
}

/// A client address as limits count it: an IPv4 address, or the /64 of an IPv6 one, within which
/// one household has as many addresses as it likes (RFC 4291 §2.5.1, RFC 6177 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subscriber(u128);

/// How a browser reached the outermost proxy, as far as a trusted one tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Plain,
    Secure,
    Unknown,
}

impl Subscriber {
    /// Who has this address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.to_ipv6_mapped().to_bits()),
            IpAddr::V6(address) => Self(address.to_bits() >> 64 << 64),
        }
    }

    /// A number that no other one has.
    pub fn number(self) -> u128 {
        self.0
    }
}

impl Proxies {
    /// These networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Reads `X-Forwarded-For` where `peer` may say it, from the right: what an untrusted hop
    /// wrote to the left of itself is its own claim and ends the walk.
    pub fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Client {
        let Some(peer) = peer else { return Client { address: None, chain: String::new() } };
        if !self.trusts(peer) {
            return Client { address: Some(peer), chain: peer.to_string() };
        }
        let mut hops = vec![peer];
        for value in headers.get_all("x-forwarded-for").iter().rev() {
            let Ok(text) = value.to_str() else { break };
            for part in text.rsplit(',').take(MOST_HOPS) {
                let Ok(address) = part.trim().parse::<IpAddr>() else {
                    return Self::walked(hops);
                };
                hops.push(address);
                if !self.trusts(address) || hops.len() > MOST_HOPS {
                    return Self::walked(hops);
                }
            }
        }
        Self::walked(hops)
    }

    /// Reads `X-Forwarded-Proto` where `peer` may say it.
    pub fn transport(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Transport {
        if self.0.is_empty() || !peer.is_some_and(|peer| self.trusts(peer)) {
            return Transport::Unknown;
        }
        match headers.get("x-forwarded-proto").map(|value| value.as_bytes()) {
            Some(b"http") => Transport::Plain,
            Some(b"https") => Transport::Secure,
            Some(_) | None => Transport::Unknown,
        }
    }

    /// Whether an address is a proxy's.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let plain = address.to_canonical();
        self.0.iter().any(|network| network.contains(&plain))
    }

    fn walked(hops: Vec<IpAddr>) -> Client {
        let chain: Vec<String> = hops.iter().rev().map(IpAddr::to_string).collect();
        Client { address: hops.last().copied(), chain: chain.join(", ") }
    }
}

/// More proxies than anybody stacks.
const MOST_HOPS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, forwarded: &str) -> Client {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        let networks = trusted.split_whitespace().map(|net| net.parse().unwrap()).collect();
        Proxies::new(networks).client(Some(peer.parse().unwrap()), &headers)
    }

    #[test]
    fn an_untrusted_peer_is_the_client_whatever_it_says() {
        let client = client("", "192.0.2.1", "10.0.0.1");
        assert_eq!(client.chain, "192.0.2.1");
    }

    #[test]
    fn the_right_most_untrusted_hop_is_the_client() {
        let client = client("10.0.0.0/8", "10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2");
        assert_eq!(client.address, Some("203.0.113.9".parse().unwrap()));
        assert_eq!(client.chain, "203.0.113.9, 10.0.0.2, 10.0.0.1");
    }

    #[test]
    fn an_unreadable_hop_ends_the_walk() {
        let client = client("10.0.0.0/8", "10.0.0.1", "203.0.113.9, unknown, 10.0.0.2");
        assert_eq!(client.chain, "10.0.0.2, 10.0.0.1");
    }
}
