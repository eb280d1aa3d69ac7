//! What a balancer says before a connection's own bytes: whose it is.

use std::net::SocketAddr;

/// Whose a connection is, by the word of whoever passes it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// A client's, that connected to `server`.
    Client { client: SocketAddr, server: SocketAddr },
    /// The sender's own (`LOCAL`: it looks whether we are well), or that of a client without an
    /// address on the network (`UNKNOWN`, `AF_UNSPEC`, `AF_UNIX`).
    Nobodys,
}

/// How a header is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyVersion {
    /// A line of text.
    V1,
    /// A binary block.
    V2,
}

/// How far the bytes of a header have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderSoFar {
    /// At least so many are missing: so many may be read without taking one that is not the header's.
    Lacks(usize),
    /// All is there, in so many bytes.
    Whole(ProxyHeader, usize),
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHeader {
    /// They begin as something else.
    #[error("no PROXY header")]
    Absent,
    /// Its CRC-32c is another.
    #[error("a PROXY header with a wrong checksum")]
    Checksum,
    /// It begins as one, and breaks the rules.
    #[error("a broken PROXY header")]
    Malformed,
    /// It is longer than 107 bytes of text, or than 4 KiB of a block.
    #[error("a PROXY header that is too long")]
    TooLong,
}
