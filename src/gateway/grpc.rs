//! Our own answers in gRPC's words.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use pingora::http::RequestHeader;

use crate::web::Reply;

/// A refusal as a gRPC client reads it: a head alone, whose `grpc-status` and `grpc-message` say why
/// (gRPC over HTTP/2, "Trailers-Only"). The status of HTTP stays: clients are to go by
/// `grpc-status` where there is one, and those that do not map the status as we do.
pub(super) fn told(reply: Reply, request: &RequestHeader) -> Reply {
    if reply.status.is_success() || !is_grpc(request) {
        return reply;
    }
    let mut reply = reply;
    let message = message(&reply);
    let gone = [header::CONTENT_TYPE, header::CONTENT_LENGTH];
    reply.headers.retain(|(name, _)| !gone.contains(name));
    reply.body = Bytes::new();
    reply.set(header::CONTENT_TYPE, "application/grpc");
    reply.headers.push((STATUS, HeaderValue::from(code(reply.status))));
    reply.headers.extend(message.map(|message| (MESSAGE, message)));
    reply
}

fn is_grpc(request: &RequestHeader) -> bool {
    let kind = request.headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let Some((kind, rest)) = kind.split_at_checked(GRPC.len()) else { return false };
    kind.eq_ignore_ascii_case(GRPC) && matches!(rest.first(), None | Some(b'+' | b';'))
}

/// gRPC's own table of what a status of HTTP means, and for a body too large the code it has for it.
fn code(status: StatusCode) -> u16 {
    match status.as_u16() {
        400 => INTERNAL,
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        404 => UNIMPLEMENTED,
        413 => RESOURCE_EXHAUSTED,
        429 | 502..=504 => UNAVAILABLE,
        _ => UNKNOWN,
    }
}

/// What the answer says, percent-encoded as gRPC wants it.
fn message(reply: &Reply) -> Option<HeaderValue> {
    let whole: Option<serde_json::Value> = serde_json::from_slice(&reply.body).ok();
    let said = whole.as_ref().and_then(|whole| whole.get("message")?.as_str());
    let text = said.or_else(|| std::str::from_utf8(&reply.body).ok().filter(|text| is_short(text)));
    let text = text.unwrap_or_else(|| reply.status.canonical_reason().unwrap_or("refused"));
    let mut encoded = String::with_capacity(text.len());
    for byte in text.trim().bytes() {
        match byte {
            b'%' | ..b' ' | 0x7f.. => _ = write!(encoded, "%{byte:02X}"),
            plain => encoded.push(char::from(plain)),
        }
    }
    HeaderValue::try_from(encoded).ok()
}

/// A line of text; a page is no message.
fn is_short(text: &str) -> bool {
    text.len() <= LINE && !text.contains('<')
}

const GRPC: &[u8] = b"application/grpc";
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const LINE: usize = 256;
const UNKNOWN: u16 = 2;
const PERMISSION_DENIED: u16 = 7;
const RESOURCE_EXHAUSTED: u16 = 8;
const UNIMPLEMENTED: u16 = 12;
const INTERNAL: u16 = 13;
const UNAVAILABLE: u16 = 14;
const UNAUTHENTICATED: u16 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(kind: &str) -> RequestHeader {
        let mut request = RequestHeader::build("POST", b"/a.B/C", None).unwrap();
        request.insert_header("Content-Type", kind).unwrap();
        request
    }

    fn field<'r>(reply: &'r Reply, name: &HeaderName) -> Option<&'r HeaderValue> {
        reply.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    #[test]
    fn a_refusal_is_a_head_alone_that_says_why() {
        let body = r#"{"error":"sign_in","message":"Sign in first: 100 % needed – now."}"#;
        let reply = Reply::json(StatusCode::UNAUTHORIZED, body.to_owned());
        let reply = told(reply, &asked("application/grpc+proto"));
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        assert!(reply.body.is_empty());
        assert_eq!(field(&reply, &header::CONTENT_TYPE).unwrap(), "application/grpc");
        assert_eq!(field(&reply, &STATUS).unwrap(), "16");
        let message = field(&reply, &MESSAGE).unwrap();
        assert_eq!(message, "Sign in first: 100 %25 needed %E2%80%93 now.");
    }

    #[test]
    fn others_are_answered_as_ever() {
        for kind in ["application/json", "application/grpc-web", "application/grp"] {
            let reply = told(Reply::text(StatusCode::FORBIDDEN, "no"), &asked(kind));
            assert_eq!(reply.body, "no".as_bytes());
            assert!(field(&reply, &STATUS).is_none());
        }
    }
}
