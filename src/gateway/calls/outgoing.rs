//! A call as the tenant gets it: its own address and credential, and nothing of who called us.

use http::{HeaderName, Uri, header};
use pingora::{Error, ErrorType};

use super::super::outbound::Outbound;
use super::call::{AppToken, Call};

/// Turns a request into the call. It runs again for a second try, and sets the same again.
///
/// # Errors
/// When the call is not prepared, or a header cannot be set: then nothing leaves.
pub(in crate::gateway) fn edit(request: &mut Outbound<'_>, call: &Call) -> pingora::Result<()> {
    let unprepared = || Error::explain(ErrorType::InternalError, "a call that is not prepared");
    let authorization = call.authorization().ok_or_else(unprepared)?.clone();
    let way = call.way().ok_or_else(unprepared)?;
    let path = call.path().and_then(|path| Uri::try_from(path).ok());
    let path = path.ok_or_else(unprepared)?;
    request.goes_to(path);
    // What is between the caller and us: what browsers say, where it came from. The caller's proof, in
    // `Authorization`, gives way to the tenant's credential.
    request.leave_out_but(goes_to_tenants);
    request.set(header::HOST, way.authority().clone());
    request.set(header::AUTHORIZATION, authorization);
    if let AppToken::Beside(secret) = call.app_token() {
        let unfit = || Error::explain(ErrorType::InternalError, "a secret no header can hold");
        request.set(APP_TOKEN, secret.ok_or_else(unfit)?.clone());
    }
    Ok(())
}

/// Gives an app the system user's ticket.
///
/// # Errors
/// When there is none, or the header cannot be set: then nothing leaves.
pub(in crate::gateway) fn give_ticket(
    request: &mut Outbound<'_>,
    call: &Call,
    name: Option<&HeaderName>,
) -> pingora::Result<()> {
    let unprepared = || Error::explain(ErrorType::InternalError, "a call that is not prepared");
    let Some(name) = name else { return Ok(()) };
    let value = match *name == header::AUTHORIZATION {
        true => call.authorization().cloned(),
        false => call.ticket(),
    };
    request.set(name.clone(), value.ok_or_else(unprepared)?);
    Ok(())
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
