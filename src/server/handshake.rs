//! What became of a TLS handshake, for metrics.

use pingora::Error;

use crate::telemetry::{HandshakeFailure, TlsVersion};

/// The version that was agreed on, by rustls' name for it.
pub(super) fn version(name: Option<&str>) -> TlsVersion {
    match name {
        Some("TLSv1_2" | "TLSv1.2") => TlsVersion::Tls12,
        Some("TLSv1_3" | "TLSv1.3") => TlsVersion::Tls13,
        Some(_) | None => TlsVersion::Other,
    }
}

/// Why there was none. pingora hands rustls' error on as text alone, so it is known by its words.
pub(super) fn failure(error: &Error) -> HandshakeFailure {
    let text = error.to_string();
    let known = WORDS.iter().find(|(words, _)| text.contains(words));
    known.map_or(HandshakeFailure::Closed, |(_, why)| *why)
}

/// What rustls' errors begin with.
const WORDS: [(&str, HandshakeFailure); 7] = [
    ("received fatal alert", HandshakeFailure::Alert),
    ("invalid peer certificate", HandshakeFailure::ClientCertificate),
    ("peer sent no certificates", HandshakeFailure::ClientCertificate),
    ("peer is incompatible", HandshakeFailure::NothingInCommon),
    ("peer misbehaved", HandshakeFailure::NotTls),
    ("received corrupt message", HandshakeFailure::NotTls),
    ("received unexpected", HandshakeFailure::NotTls),
];
