//! What is counted of connections and of their TLS handshakes.

use super::catalogue::{
    CONNECTIONS_ACCEPTED, CONNECTIONS_REFUSED, CONNECTIONS_YIELDED, PROXY_HEADERS_REFUSED,
    TLS_HANDSHAKE_FAILURES, TLS_HANDSHAKES,
};
use super::limit::Limit;
use super::registry::Registry;
use super::series::Counter;

/// Counters of connections.
#[derive(Debug)]
pub struct ConnectionCounters {
    accepted: Counter,
    refused: [Counter; 2],
    yielded: Counter,
    handshakes: [Counter; 3],
    failures: [Counter; 7],
    not_introduced: [Counter; 7],
}

/// The version a handshake agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    Tls12,
    Tls13,
    Other,
}

/// Why a handshake came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeFailure {
    /// The client said why it would not go on: it does not trust the certificate, say.
    Alert,
    /// The client's certificate was refused.
    ClientCertificate,
    /// The client closed, or the connection broke.
    Closed,
    /// There is no certificate for the name yet, or the client asked for a proof that nobody ordered.
    NoCertificate,
    /// The client has no version, suite or group that we have.
    NothingInCommon,
    /// What came was no TLS, or broke its rules.
    NotTls,
    TimedOut,
}

/// Why a connection that was to begin with a PROXY header was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderRefusal {
    /// It begins with something else.
    Absent,
    /// The header's checksum is another.
    Checksum,
    /// It ended before the header did.
    Closed,
    /// The header breaks the rules.
    Malformed,
    /// It comes from nobody who is believed.
    Stranger,
    TimedOut,
    /// The header is longer than any may be.
    TooLong,
}

impl ConnectionCounters {
    pub(super) fn of(registry: &Registry) -> Self {
        let refused = [Limit::Connections, Limit::ConnectionsPerAddress];
        Self {
            accepted: registry.counter(&CONNECTIONS_ACCEPTED, &[]),
            refused: refused.map(|limit| registry.counter(&CONNECTIONS_REFUSED, &[limit.name()])),
            yielded: registry.counter(&CONNECTIONS_YIELDED, &[]),
            handshakes: VERSIONS.map(|version| registry.counter(&TLS_HANDSHAKES, &[version])),
            failures: FAILURES.map(|why| registry.counter(&TLS_HANDSHAKE_FAILURES, &[why])),
            not_introduced: REFUSALS.map(|why| registry.counter(&PROXY_HEADERS_REFUSED, &[why])),
        }
    }

    /// A connection was taken.
    pub fn accepted(&self) {
        self.accepted.inc();
    }

    /// A connection was closed before it was served.
    pub fn refused(&self, limit: Limit) {
        self.refused[usize::from(limit == Limit::ConnectionsPerAddress)].inc();
    }

    /// A connection was closed so that another could be taken.
    pub fn yielded(&self) {
        self.yielded.inc();
    }

    /// A handshake was done.
    pub fn shook_hands(&self, version: TlsVersion) {
        self.handshakes[version as usize].inc();
    }

    /// A handshake came to nothing.
    pub fn handshake_failed(&self, why: HandshakeFailure) {
        self.failures[why as usize].inc();
    }

    /// A connection was closed for the PROXY header it did not have.
    pub fn not_introduced(&self, why: HeaderRefusal) {
        self.not_introduced[why as usize].inc();
    }
}

/// In the order of [`TlsVersion`].
const VERSIONS: [&str; 3] = ["TLSv1.2", "TLSv1.3", "other"];
/// In the order of [`HandshakeFailure`].
const FAILURES: [&str; 7] = [
    "alert",
    "client_certificate",
    "closed",
    "no_certificate",
    "nothing_in_common",
    "not_tls",
    "timed_out",
];
/// In the order of [`HeaderRefusal`].
const REFUSALS: [&str; 7] =
    ["absent", "checksum", "closed", "malformed", "stranger", "timed_out", "too_long"];
