//! Who is at the other end of a connection, as the system tells.

use std::fmt;
use std::net::IpAddr;

/// The other end of a connection. Displays as an address, or as `unix:1000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Address(IpAddr),
    User(LocalUser),
}

/// What a process on this machine ran as when it connected to a socket in the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalUser {
    pub user: u32,
    /// The one it ran as; it may have been in others too.
    pub group: u32,
}

impl Peer {
    /// Its address on the network, if it has one.
    pub fn address(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address),
            Self::User(_) => None,
        }
    }

    /// The user it is, if it came from this machine without an address.
    pub fn user(self) -> Option<LocalUser> {
        match self {
            Self::Address(_) => None,
            Self::User(user) => Some(user),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(out),
            Self::User(local) => write!(out, "unix:{}", local.user),
        }
    }
}
