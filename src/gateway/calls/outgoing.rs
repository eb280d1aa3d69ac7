//! A call as the tenant gets it: its own address and credential, and nothing of who called us.

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use pingora::http::RequestHeader;
use pingora::{Error, ErrorType};

use super::super::wire;
use super::call::{AppToken, Call, To};
use super::target::Service;
use super::ways::TenantWay;

/// Turns a request into the call. It runs again for a second try, and sets the same again.
///
/// # Errors
/// When the call is not prepared, or a header cannot be set: then nothing leaves.
pub(in crate::gateway) fn edit(
    request: &mut RequestHeader,
    call: &Call,
    way: &TenantWay,
) -> pingora::Result<()> {
    let unprepared = || Error::explain(ErrorType::InternalError, "a call that is not prepared");
    let (authorization, app_token) = call.authorization().ok_or_else(unprepared)?;
    let home = call.home().ok_or_else(unprepared)?;
    let base = match call.to() {
        To::Tenant(Service::Rest) => home.api(),
        To::Tenant(Service::Soap) => home.soap(),
        To::App => return Err(unprepared()),
    };
    let mut parts = wire::parts(request);
    parts.uri = address(base, call.below()).ok_or_else(unprepared)?;
    clean(&mut parts.headers);
    parts.headers.insert(header::HOST, way.authority().clone());
    parts.headers.insert(header::AUTHORIZATION, authorization);
    if app_token == AppToken::Beside {
        let secret = call.party().client_secret.reveal();
        let mut value = HeaderValue::from_str(secret)
            .map_err(|_| Error::explain(ErrorType::InternalError, "a secret no header can hold"))?;
        value.set_sensitive(true);
        parts.headers.insert(APP_TOKEN, value);
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
        true => call.authorization().map(|(value, _)| value),
        false => call.ticket(),
    };
    request.insert_header(name.clone(), value.ok_or_else(unprepared)?)
}

/// The tenant's own path, then what the call asks for. The first segment of what is asked for is
/// what the address ends with, `api` or `Remote`, in the address's own spelling.
fn address(base: &url::Url, below: &str) -> Option<Uri> {
    let rest = below.get(1..)?;
    let rest = &rest[rest.find(['/', '?']).unwrap_or(rest.len())..];
    let path = base.path().trim_end_matches('/');
    Uri::try_from([path, rest].concat()).ok()
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

    #[test]
    fn a_call_goes_below_the_address_of_its_tenant() {
        let to = |base: &str, below: &str| {
            address(&url::Url::parse(base).unwrap(), below).unwrap().to_string()
        };
        let api = "https://app.superoffice.com/cust12345/api/";
        assert_eq!(to(api, "/API/v1/Contact/1?x=1"), "/cust12345/api/v1/Contact/1?x=1");
        assert_eq!(to(api, "/api"), "/cust12345/api");
        assert_eq!(to(api, "/api?x"), "/cust12345/api?x");
        let soap = "https://sod2.superoffice.com/Cust1/Remote";
        assert_eq!(
            to(soap, "/remote/Services88/Contact.svc"),
            "/Cust1/Remote/Services88/Contact.svc"
        );
    }
}
