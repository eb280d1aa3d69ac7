//! SOAP calls that carry their credentials in the envelope.

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use pingora::{Error, ErrorType};

use crate::config::SoapCredentials;
use crate::superid::{SoapCall, SoapHeader};

use super::super::exchange::Exchange;
use super::super::lane::Lane;
use super::super::outbound::Outbound;
use super::call::{Call, To};
use super::target::Service;

/// Begins the envelope of a try anew, where the job listener asks for one: its length is not known
/// before it has passed.
pub(in crate::gateway) fn begin(request: &mut Outbound<'_>, exchange: &mut Exchange) {
    exchange.soap = None;
    if !wanted(exchange) || request.method() != Method::POST {
        return;
    }
    exchange.soap = Some(SoapCall::default());
    request.leave_out(header::CONTENT_LENGTH);
    request.set(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
}

/// Puts the credentials into a piece of the body, or keeps it until there is more.
///
/// # Errors
/// [`NO_SOAP`] where the body is no envelope.
pub(in crate::gateway) fn fill(
    body: &mut Option<Bytes>,
    exchange: &mut Exchange,
) -> pingora::Result<()> {
    let (Some(soap), Some(call)) = (&mut exchange.soap, &exchange.call) else { return Ok(()) };
    let no_soap = || Error::explain(NO_SOAP, "no SOAP envelope").into_down();
    if let Some(piece) = body.as_mut().filter(|_| !soap.has_passed()) {
        let ticket = call.soap_ticket().ok_or_else(no_soap)?;
        let secret = call.party().client_secret.as_ref().ok_or_else(no_soap)?;
        let header =
            SoapHeader { version: version(call), application_token: secret.reveal(), ticket };
        *piece = soap.take(piece, header).map_err(|_| no_soap())?.into();
    }
    Ok(())
}

/// The body has ended.
///
/// # Errors
/// [`NO_SOAP`] where its envelope had not begun.
pub(in crate::gateway) fn ended(exchange: &Exchange) -> pingora::Result<()> {
    match &exchange.soap {
        Some(soap) if !soap.has_passed() => {
            Err(Error::explain(NO_SOAP, "no SOAP envelope").into_down())
        }
        Some(_) | None => Ok(()),
    }
}

fn wanted(exchange: &Exchange) -> bool {
    let to_soap = |call: &Call| call.to() == To::Tenant(Service::Soap);
    match exchange.lane {
        Some(Lane::Jobs(number)) => {
            let listener = &exchange.site.settings.job_listeners[number];
            listener.soap_credentials == SoapCredentials::Envelope
                && exchange.call.as_ref().is_some_and(|call| to_soap(call))
        }
        Some(Lane::Route(_)) | None => false,
    }
}

/// `Services88` of `/Remote/Services88/Contact.svc`.
fn version(call: &Call) -> &str {
    call.below().split(['/', '?']).nth(2).unwrap_or_default()
}

/// What marks an error as a body that is no SOAP envelope.
pub(in crate::gateway) const NO_SOAP: ErrorType = ErrorType::HTTPStatus(400);
