//! What an authority asks for while a certificate is ordered (RFC 8555 §8.3).

use http::{Method, StatusCode};

use crate::acme::http_proof;
use crate::web::{Inbound, Reply};

use super::site::Site;

/// The answer, where the address is one that an order under way made. Every other is the routes'.
pub(super) fn asked(site: &Site, inbound: &Inbound<'_>) -> Option<Reply> {
    let ordered = &site.settings.ordered;
    if ordered.is_empty() || ![Method::GET, Method::HEAD].contains(inbound.method()) {
        return None;
    }
    let authority = inbound.authority();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let proof = http_proof(ordered, host, inbound.path())?;
    let mut reply = Reply::text(StatusCode::OK, "");
    reply.body = proof.into();
    Some(reply)
}
