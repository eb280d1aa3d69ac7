//! Forwarding headers: only trusted proxies are believed, from the right, and no spelling slips by.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};
use superid_gateway::web::{
    Peer, Proxies, ProxyPlace, Spoofable, Subscriber, Transport, normal_form,
};

/// The first byte chooses the peer; each line is a header's value, and its name.
pub fn forwarded(bytes: &[u8]) -> bool {
    let Some((peer, said)) = bytes.split_first() else { return false };
    let trusted =
        ["10.0.0.0/8", "fd00::/8"].map(|net| ProxyPlace::Network(net.parse().expect("a network")));
    let proxies = Proxies::new(trusted.to_vec());
    let peer = PEERS[usize::from(*peer) % PEERS.len()].parse().expect("an address");
    let mut headers = HeaderMap::new();
    for line in said.split(|byte| *byte == b'\n') {
        a_spelling(line);
        let Ok(value) = HeaderValue::from_bytes(line) else { continue };
        headers.append("x-forwarded-for", value.clone());
        headers.append("x-forwarded-proto", value);
    }
    is_believed(&proxies, peer, &headers)
}

fn is_believed(proxies: &Proxies, peer: IpAddr, headers: &HeaderMap) -> bool {
    let sender = Peer::Address(peer);
    let client = proxies.client(sender, headers);
    let hops: Vec<IpAddr> = client.chain().split(", ").map(|hop| hop.parse().unwrap()).collect();
    assert_eq!(hops.last(), Some(&peer), "the peer is known, not told");
    assert!(hops.len() <= 18, "{} hops", hops.len());
    let address: IpAddr = client.address().parse().unwrap();
    assert_eq!(hops[0], address);
    assert_eq!(client.subscriber(), Subscriber::of(address));
    assert!(
        hops[1..].iter().all(|hop| proxies.trusts(Peer::Address(*hop))),
        "behind the client are proxies alone"
    );
    if !proxies.trusts(sender) {
        assert_eq!(hops, [peer]);
        assert_eq!(proxies.transport(Some(sender), headers), Transport::Unknown);
    }
    assert_eq!(Proxies::default().client(sender, headers).chain(), peer.to_string());
    assert_eq!(Proxies::default().transport(Some(sender), headers), Transport::Unknown);
    hops.len() > 1
}

/// Whatever an app could take for a forwarding header is removed.
fn a_spelling(name: &[u8]) {
    let Ok(name) = HeaderName::from_bytes(name) else { return };
    let normal = normal_form(name.as_str());
    let covered = Spoofable::new(&[]).covers(name.as_str());
    let forwards = normal == "forwarded" || normal.starts_with("xforwarded") || normal == "xrealip";
    assert!(covered || !forwards, "{name}");
    let again = HeaderName::try_from(&normal);
    let same = again.is_ok_and(|again| Spoofable::new(&[]).covers(again.as_str()) == covered);
    assert!(same || normal.is_empty(), "{name} and {normal} are one name");
}

const PEERS: [&str; 5] = ["203.0.113.9", "10.0.0.1", "fd00::1", "::ffff:10.0.0.1", "2001:db8::1"];
