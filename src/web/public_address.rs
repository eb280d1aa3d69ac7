//! Whether an address is one of the public internet.

use std::net::IpAddr;

/// Whether anybody could be meant by it: not this machine, not a private network.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(four) => !(four.is_private() || four.is_loopback() || four.is_unspecified()),
        IpAddr::V6(six) => !(six.is_loopback() || six.is_unspecified()),
    }
}
