//! A call as the tenant gets it: its own address and credential, and nothing of who called us.

use http::{HeaderMap, HeaderName, Uri, header};
use pingora::http::RequestHeader;
use pingora::{Error, ErrorType};

use super::super::wire;
use super::call::{AppToken, Call};

/// Turns a request into the call. It runs again for a second try, and sets the same again.
///
/// # Errors
/// When the call is not prepared, or a header cannot be set: then nothing leaves.
pub(in crate::gateway) fn edit(request: &mut RequestHeader, call: &Call) -> pingora::Result<()> {
    let unprepared = || Error::explain(ErrorType::InternalError, "a call that is not prepared");
    let authorization = call.authorization().ok_or_else(unprepared)?.clone();
    let way = call.way().ok_or_else(unprepared)?;
    let path = call.path().and_then(|path| Uri::try_from(path).ok());
    let path = path.ok_or_else(unprepared)?;
    let mut parts = wire::parts(request);
    parts.uri = path;
    clean(&mut parts.headers);
    parts.headers.insert(header::HOST, way.authority().clone());
    parts.headers.insert(header::AUTHORIZATION, authorization);
    if let AppToken::Beside(secret) = call.app_token() {
        let unfit = || Error::explain(ErrorType::InternalError, "a secret no header can hold");
        parts.headers.insert(APP_TOKEN, secret.ok_or_else(unfit)?.clone());
    }
    *request = RequestHeader::from(parts);
    Ok(())
}

/// Gives an app the system user's ticket.
///
/// # Errors
/// When there is none, or the header cannot be set: then nothing leaves.
pub(in crate::gateway) fn give_ticket(
    request: &mut RequestHeader,
    call: &Call,
    name: Option<&HeaderName>,
) -> pingora::Result<()> {
    let unprepared = || Error::explain(ErrorType::InternalError, "a call that is not prepared");
    let Some(name) = name else { return Ok(()) };
    let value = match *name == header::AUTHORIZATION {
        true => call.authorization().cloned(),
        false => call.ticket(),
    };
    request.insert_header(name.clone(), value.ok_or_else(unprepared)?)
}

/// Removes what is between the caller and us: what browsers say, where it came from. The caller's
/// proof, in `Authorization`, gives way to the tenant's credential.
fn clean(headers: &mut HeaderMap) {
    // Few are there, so looking at those costs less than looking for each that must not be.
    let gone: Vec<HeaderName> =
        headers.keys().filter(|name| !goes_to_tenants(name.as_str())).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
}

fn goes_to_tenants(name: &str) -> bool {
    !name.starts_with("sec-")
        && !matches!(
            name,
            "baggage"
                | "cookie"
                | "origin"
                | "proxy-authorization"
                | "referer"
                | "traceparent"
                | "tracestate"
                | "upgrade"
                | "x-forwarded-for"
                | "x-request-id"
                | "x-xsrf-token"
        )
}

const APP_TOKEN: HeaderName = HeaderName::from_static("so-apptoken");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_traces_stays_here() {
        for name in ["baggage", "traceparent", "tracestate", "x-request-id"] {
            assert!(!goes_to_tenants(name), "{name}");
        }
        assert!(goes_to_tenants("so-language"));
    }
}
