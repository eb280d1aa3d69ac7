//! A tenant's answer: whether to ask once more, and what of it goes back.

use super::super::downstream::Downstream;
use http::{HeaderName, StatusCode, header};
use pingora::http::ResponseHeader;
use pingora::{Error, ErrorType};

use crate::config::ServerHeaders;
use crate::credentials::{Again, SystemUsers};
use crate::web::Spoofable;

use super::super::returned;
use super::call::Call;

/// Looks at an answer before anything of it goes back.
///
/// # Errors
/// [`AGAIN`], where asking once more is worth it and all of the request's body can be sent again.
pub(in crate::gateway) fn judge(
    downstream: &Downstream<'_>,
    response: &ResponseHeader,
    call: &mut Call,
    users: &SystemUsers,
) -> pingora::Result<()> {
    let again = match response.status {
        StatusCode::UNAUTHORIZED => call.ticket_died(users),
        StatusCode::FORBIDDEN => call.forbidden(users),
        StatusCode::MISDIRECTED_REQUEST => call.moved(users),
        StatusCode::SERVICE_UNAVAILABLE => {
            call.is_out_of_order(users);
            Again::No
        }
        _ => Again::No,
    };
    if again == Again::Yes && !downstream.has_forgotten_body() {
        let mut once_more = Error::explain(AGAIN, "the tenant is asked once more");
        once_more.set_retry(true);
        return Err(once_more);
    }
    Ok(())
}

/// Cleans an answer: no cookies, nothing that lets web pages read it, and addresses of the
/// tenant's web services become ours.
///
/// # Errors
/// When a header cannot be set.
pub(in crate::gateway) fn clean(
    response: &mut ResponseHeader,
    call: &Call,
    ours: &Spoofable,
) -> pingora::Result<()> {
    returned::clean(response, ours, ServerHeaders::Remove)?;
    let gone: Vec<HeaderName> = response
        .headers
        .keys()
        .filter(|name| **name == header::SET_COOKIE || name.as_str().starts_with("access-control-"))
        .cloned()
        .collect();
    for name in &gone {
        response.remove_header(name);
    }
    if call.caller().is_none() {
        // It comes from the app's own origin here, whoever wrote it.
        response.insert_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")?;
        response.insert_header(header::CONTENT_SECURITY_POLICY, "sandbox")?;
    }
    let Some(location) = response.headers.get(header::LOCATION) else { return Ok(()) };
    let leads = location.to_str().ok().and_then(|location| call.leads(location));
    match leads {
        Some(location) => response.insert_header(header::LOCATION, location),
        None => Ok(()),
    }
}

/// What marks an error as a reason to ask once more.
pub(in crate::gateway) const AGAIN: ErrorType = ErrorType::Custom("TenantAskedAgain");
