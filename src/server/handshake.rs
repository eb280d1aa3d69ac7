//! What became of a TLS handshake, for metrics.

use pingora::Error;
use pingora::protocols::{ALPN, Ssl};

use crate::telemetry::{HandshakeFailure, TlsVersion};

/// The version that was agreed on, by rustls' name for it.
pub(super) fn version(name: Option<&str>) -> TlsVersion {
    match name {
        Some("TLSv1_2" | "TLSv1.2") => TlsVersion::Tls12,
        Some("TLSv1_3" | "TLSv1.3") => TlsVersion::Tls13,
        Some(_) | None => TlsVersion::Other,
    }
}

/// Whether it was an authority's, to see that a host is ours: that is all it is for.
pub(super) fn is_a_proof(secured: &impl Ssl) -> bool {
    matches!(secured.selected_alpn_proto(), Some(ALPN::Custom(protocol)) if protocol.protocol() == ACME_TLS)
}

/// RFC 8737 §6.2.
pub(super) const ACME_TLS: &[u8] = b"acme-tls/1";

/// Why there was none. pingora hands rustls' error on as text alone, so it is known by its words.
pub(super) fn failure(error: &Error) -> HandshakeFailure {
    let text = error.to_string();
    let known = WORDS.iter().find(|(words, _)| text.contains(words));
    known.map_or(HandshakeFailure::Closed, |(_, why)| *why)
}

/// What rustls' errors begin with.
const WORDS: [(&str, HandshakeFailure); 9] = [
    ("no server certificate chain resolved", HandshakeFailure::NoCertificate),
    ("peer doesn't support any known protocol", HandshakeFailure::NothingInCommon),
    ("received fatal alert", HandshakeFailure::Alert),
    ("invalid peer certificate", HandshakeFailure::ClientCertificate),
    ("peer sent no certificates", HandshakeFailure::ClientCertificate),
    ("peer is incompatible", HandshakeFailure::NothingInCommon),
    ("peer misbehaved", HandshakeFailure::NotTls),
    ("received corrupt message", HandshakeFailure::NotTls),
    ("received unexpected", HandshakeFailure::NotTls),
];
