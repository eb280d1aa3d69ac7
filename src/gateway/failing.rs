//! What a request that failed on its way is to whoever sent it.

use std::io;

use pingora::{Error, ErrorType};

use crate::pages::Trouble;
use crate::telemetry::{Asked, Limit};
use crate::web::Refusal;

use super::calls::CallTrouble;
use super::exchange::Exchange;
use super::respond::Refused;
use super::turnstile::Over;
use super::{calls, entrance, tunnel};

/// The refusal that an error becomes.
pub(super) fn refused_for(error: &Error, exchange: &Exchange) -> Refused {
    if *error.etype() == entrance::TOO_LARGE {
        return Refused::over(Over::of(Limit::BodyBytes));
    }
    if *error.etype() == entrance::TOO_SLOW {
        return Refused::refusal(Refusal::BodyTooSlow);
    }
    if *error.etype() == calls::NO_SOAP {
        return Refused::call(CallTrouble::NoEnvelope, "the body is no SOAP envelope");
    }
    if took_nothing(error) {
        let detail = "the client took nothing of its answer";
        let mut refused = Refused::new(Trouble::BadRequest, detail);
        refused.limit = Some(Limit::WriteTimeout);
        return refused;
    }
    let (trouble, detail) = match error.etype() {
        ErrorType::ConnectTimedout | ErrorType::ReadTimedout | ErrorType::WriteTimedout => {
            (Trouble::UpstreamTimeout, "the upstream took too long")
        }
        _ if tunnel::was_silent(error) => (Trouble::UpstreamTimeout, "the upstream took too long"),
        ErrorType::InternalError => (Trouble::Internal, "an error of our own"),
        _ if matches!(error.esource(), pingora::ErrorSource::Downstream) => {
            (Trouble::BadRequest, "the client stopped or sent nonsense")
        }
        _ => (Trouble::UpstreamUnreachable, "the upstream failed"),
    };
    if exchange.call.is_some() && trouble.status().is_server_error() {
        return Refused::call(CallTrouble::TenantUnreachable, detail);
    }
    Refused::new(trouble, detail)
}

/// How asking an app or tenant went that ended in an error.
pub(super) fn asked(error: &Error) -> Asked {
    match error.etype() {
        _ if matches!(error.esource(), pingora::ErrorSource::Downstream) => Asked::GivenUp,
        ErrorType::ConnectTimedout | ErrorType::ReadTimedout | ErrorType::WriteTimedout => {
            Asked::TimedOut
        }
        _ if tunnel::was_silent(error) => Asked::TimedOut,
        _ => Asked::Failed,
    }
}

/// Whether the client let the write timeout pass: pingora keeps it for a stream of HTTP/2, the
/// connection below it for the rest.
fn took_nothing(error: &Error) -> bool {
    let late = || error.root_cause().downcast_ref::<io::Error>().map(io::Error::kind);
    matches!(error.esource(), pingora::ErrorSource::Downstream)
        && match error.etype() {
            ErrorType::WriteTimedout => true,
            ErrorType::WriteError => late() == Some(io::ErrorKind::TimedOut),
            _ => false,
        }
}
