//! Where a request really came from, when proxies stand in front of us.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

use super::{LocalUser, Peer};

/// Those whose word about a client is believed; nobody by default.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies(Vec<ProxyPlace>);

/// Where one of them, or many, come from.
#[derive(Clone, PartialEq, Eq)]
pub enum ProxyPlace {
    Network(IpNet),
    /// This machine, through a socket in the file system: whoever may open that.
    Unix,
}

/// The caller's address and the way it took to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    chain: String,
    address_len: usize,
    subscriber: Subscriber,
}

impl Client {
    /// A user of this machine, who has no address.
    pub fn local(user: LocalUser) -> Self {
        let chain = Peer::User(user).to_string();
        let address_len = chain.len();
        Self { chain, address_len, subscriber: Subscriber::local(user) }
    }

    /// Whether there is no address on the network: `address` and `chain` name a user of this machine.
    pub fn is_local(&self) -> bool {
        self.chain.starts_with("unix:")
    }

    /// The right-most address that is not a trusted proxy.
    pub fn address(&self) -> &str {
        &self.chain[..self.address_len]
    }

    /// The same as limits count it.
    pub fn subscriber(&self) -> Subscriber {
        self.subscriber
    }

    /// What `X-Forwarded-For` says to the app: that address, then the proxies it came through.
    pub fn chain(&self) -> &str {
        &self.chain
    }
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

    /// A user of this machine: no address is spelled so, of IPv4 or of an IPv6 network.
    pub fn local(user: LocalUser) -> Self {
        Self(1 << 63 | u128::from(user.user))
    }

    /// A number that no other one has.
    pub fn number(self) -> u128 {
        self.0
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// As the configuration has it.
impl fmt::Debug for ProxyPlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(out),
            Self::Unix => out.write_str("unix"),
        }
    }
}

impl Proxies {
    /// Those from there.
    pub fn new(places: Vec<ProxyPlace>) -> Self {
        Self(places)
    }

    /// Reads `X-Forwarded-For` where `peer` may say it, from the right: what an untrusted hop
    /// wrote to the left of itself is its own claim and ends the walk.
    pub fn client(&self, peer: Peer, headers: &HeaderMap) -> Client {
        let mut hops = match peer {
            Peer::Address(address) if self.trusts(peer) => vec![address],
            Peer::Address(address) => return Self::walked(&[address], address),
            Peer::User(_) => Vec::new(),
        };
        if self.trusts(peer) {
            self.walk(&mut hops, headers);
        }
        match (hops.last(), peer) {
            (Some(last), _) => Self::walked(&hops, *last),
            (None, Peer::Address(address)) => Self::walked(&[address], address),
            (None, Peer::User(user)) => Client::local(user),
        }
    }

    /// Goes on from a trusted proxy.
    fn walk(&self, hops: &mut Vec<IpAddr>, headers: &HeaderMap) {
        for value in headers.get_all("x-forwarded-for").iter().rev() {
            let Ok(text) = value.to_str() else { break };
            for part in text.rsplit(',').take(MOST_HOPS) {
                let Ok(address) = part.trim().parse::<IpAddr>() else { return };
                hops.push(address);
                if !self.trusts(Peer::Address(address)) || hops.len() > MOST_HOPS {
                    return;
                }
            }
        }
    }

    /// Reads `X-Forwarded-Proto` where `peer` may say it.
    pub fn transport(&self, peer: Option<Peer>, headers: &HeaderMap) -> Transport {
        if self.0.is_empty() || !peer.is_some_and(|peer| self.trusts(peer)) {
            return Transport::Unknown;
        }
        match headers.get("x-forwarded-proto").map(|value| value.as_bytes()) {
            Some(b"http") => Transport::Plain,
            Some(b"https") => Transport::Secure,
            Some(_) | None => Transport::Unknown,
        }
    }

    /// Reads `X-Request-Id` where `peer` may say it: one value of letters, digits, `-`, `_` and `.`, of
    /// at most 128; of anything else nothing.
    pub fn request_id<'h>(&self, peer: Option<Peer>, headers: &'h HeaderMap) -> Option<&'h str> {
        let text = self.said_once(peer, headers, "x-request-id")?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        ((1..=128).contains(&text.len()) && text.bytes().all(fits)).then_some(text)
    }

    /// A header that `peer` may say, and says once.
    pub fn said_once<'h>(
        &self,
        peer: Option<Peer>,
        headers: &'h HeaderMap,
        name: &'static str,
    ) -> Option<&'h str> {
        if self.0.is_empty() || !peer.is_some_and(|peer| self.trusts(peer)) {
            return None;
        }
        let mut values = headers.get_all(name).iter();
        let text = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(text)
    }

    /// These and others.
    pub fn and(&self, others: &Self) -> Self {
        Self(self.0.iter().chain(&others.0).cloned().collect())
    }

    /// Whether all of `others` are among these.
    pub fn cover(&self, others: &Self) -> bool {
        others.0.iter().all(|other| {
            self.0.iter().any(|place| match (place, other) {
                (ProxyPlace::Network(wide), ProxyPlace::Network(narrow)) => wide.contains(narrow),
                (ProxyPlace::Unix, ProxyPlace::Unix) => true,
                (ProxyPlace::Network(_), _) | (ProxyPlace::Unix, _) => false,
            })
        })
    }

    /// Whether somebody is one of them.
    pub fn trusts(&self, peer: Peer) -> bool {
        let plain = peer.address().map(|address| address.to_canonical());
        self.0.iter().any(|place| match (place, plain) {
            (ProxyPlace::Network(network), Some(address)) => network.contains(&address),
            (ProxyPlace::Unix, None) => true,
            (ProxyPlace::Network(_), None) | (ProxyPlace::Unix, Some(_)) => false,
        })
    }

    fn walked(hops: &[IpAddr], client: IpAddr) -> Client {
        let mut chain = String::with_capacity(48);
        let mut address_len = 0;
        for hop in hops.iter().rev() {
            if !chain.is_empty() {
                chain.push_str(", ");
            }
            spell(&mut chain, *hop);
            if address_len == 0 {
                address_len = chain.len();
            }
        }
        Client { chain, address_len, subscriber: Subscriber::of(client) }
    }
}

/// As `Display` does, without its detours: nearly every request has an IPv4 address to spell.
fn spell(chain: &mut String, address: IpAddr) {
    let IpAddr::V4(address) = address else {
        let _infallible = write!(chain, "{address}");
        return;
    };
    for (place, octet) in address.octets().into_iter().enumerate() {
        if place > 0 {
            chain.push('.');
        }
        for (least, unit) in [(100, 100), (10, 10), (0, 1)] {
            if octet >= least {
                chain.push(char::from(b'0' + octet / unit % 10));
            }
        }
    }
}

/// More proxies than anybody stacks.
const MOST_HOPS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(trusted: &str) -> Proxies {
        let place = |text: &str| match text {
            "unix" => ProxyPlace::Unix,
            network => ProxyPlace::Network(network.parse().unwrap()),
        };
        Proxies::new(trusted.split_whitespace().map(place).collect())
    }

    fn client(trusted: &str, peer: &str, forwarded: &str) -> Client {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        proxies(trusted).client(Peer::Address(peer.parse().unwrap()), &headers)
    }

    #[test]
    fn an_untrusted_peer_is_the_client_whatever_it_says() {
        let client = client("", "192.0.2.1", "10.0.0.1");
        assert_eq!(client.chain(), "192.0.2.1");
        assert_eq!(client.address(), "192.0.2.1");
    }

    #[test]
    fn every_address_is_spelled_as_it_is_displayed() {
        for number in 0..=255_u8 {
            let octets = [number, number.wrapping_mul(7), number.wrapping_add(99), 255 - number];
            let four = std::net::Ipv4Addr::from(octets);
            for address in [IpAddr::V4(four), IpAddr::V6(four.to_ipv6_mapped())] {
                assert_eq!(
                    Proxies::default().client(Peer::Address(address), &HeaderMap::new()).chain(),
                    address.to_string()
                );
            }
        }
    }

    #[test]
    fn the_right_most_untrusted_hop_is_the_client() {
        let client = client("10.0.0.0/8", "10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2");
        assert_eq!(client.address(), "203.0.113.9");
        assert_eq!(client.chain(), "203.0.113.9, 10.0.0.2, 10.0.0.1");
    }

    #[test]
    fn a_proxy_on_this_machine_is_believed_where_that_is_said_and_has_no_place_in_the_chain() {
        let nginx = Peer::User(LocalUser { user: 33, group: 33 });
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.0.0.2".parse().unwrap());
        headers.insert("x-forwarded-proto", "http".parse().unwrap());
        let (believes, not) = (proxies("10.0.0.0/8 unix"), proxies("10.0.0.0/8"));
        let client = believes.client(nginx, &headers);
        assert_eq!(client.chain(), "203.0.113.9, 10.0.0.2");
        assert_eq!(client.subscriber(), Subscriber::of("203.0.113.9".parse().unwrap()));
        assert!(!client.is_local());
        assert_eq!(believes.transport(Some(nginx), &headers), Transport::Plain);
        let own = not.client(nginx, &headers);
        assert_eq!((own.chain(), own.is_local()), ("unix:33", true));
        assert_eq!(not.transport(Some(nginx), &headers), Transport::Unknown);
        assert_eq!(believes.client(nginx, &HeaderMap::new()).chain(), "unix:33");
        let far = Peer::Address("203.0.113.9".parse().unwrap());
        assert!(!proxies("unix").trusts(far), "who has an address is not on this machine");
    }

    #[test]
    fn an_unreadable_hop_ends_the_walk() {
        let client = client("10.0.0.0/8", "10.0.0.1", "203.0.113.9, unknown, 10.0.0.2");
        assert_eq!(client.chain(), "10.0.0.2, 10.0.0.1");
    }
}
