//! What is done to a request on its way to its app or tenant, and to the answer on its way back.

use super::downstream::Downstream;
use bytes::Bytes;
use http::{HeaderName, StatusCode, Version, header};
use pingora::http::ResponseHeader;
use pingora::{Error, ErrorType};

use crate::telemetry::Answer;

use super::exchange::Exchange;
use super::outbound::Outbound;
use super::request_id::REQUEST_ID;
use super::talk::End;
use super::{calls, entrance, failing, forward, http2, journey, leaving, returned, secure, traces};

/// What was not decided does not leave; this runs again for a retry and sets the same again.
///
/// # Errors
/// When something cannot be set: then the request does not leave.
pub(super) fn leave(request: &mut Outbound<'_>, exchange: &mut Exchange) -> pingora::Result<()> {
    // What was sent before is sent, and counted, again.
    exchange.body = 0;
    let to_tenant = exchange.call.as_ref().is_some_and(|call| call.is_to_tenant());
    if let (false, Some(departure)) = (to_tenant, exchange.departure()) {
        forward::edit_request(request, departure, exchange)?;
        traces::tell(request, exchange)?;
    }
    match (&exchange.call, exchange.departure()) {
        (Some(_), _) => {
            calls::edit(request, exchange)?;
            calls::begin(request, exchange);
            Ok(())
        }
        (None, Some(_)) => Ok(()),
        (None, None) => Err(undecided()),
    }
}

/// A body is measured while it passes: one of no stated length may be too large as well. An empty last
/// piece, as HTTP/2 has them, is no piece: pingora would make it a last chunk of a tunnel's request, and
/// then send the last chunk, and the app would read that as the next request.
///
/// # Errors
/// When there is too much of it, or it is not what it has to be.
pub(super) fn body(
    downstream: &mut Downstream<'_>,
    body: &mut Option<Bytes>,
    end: End,
    exchange: &mut Exchange,
) -> pingora::Result<()> {
    forward::fill(body, exchange);
    body.take_if(|piece| end == End::Now && piece.is_empty());
    entrance::measure(downstream, exchange, body.as_ref().map_or(0, Bytes::len))?;
    calls::fill(body, exchange)?;
    match end {
        End::Now => calls::ended(exchange),
        End::Later => Ok(()),
    }
}

/// The head of an answer, before anything of it goes back. A tenant's may be a reason to ask it once
/// more, before the caller hears of it.
///
/// # Errors
/// When it is such a reason, or cannot go back as it is.
pub(super) fn answer(
    downstream: &mut Downstream<'_>,
    response: &mut ResponseHeader,
    exchange: &mut Exchange,
) -> pingora::Result<()> {
    if response.status.is_informational() && response.status != StatusCode::SWITCHING_PROTOCOLS {
        return before_the_answer(response, exchange);
    }
    exchange.was_answered();
    calls::judge(downstream, response, exchange)?;
    leaving::last_answer(downstream, &exchange.site);
    exchange.answer = Answer::Passed;
    journey::answered(exchange);
    if let Some(call) = exchange.call.as_ref().filter(|call| call.is_to_tenant()) {
        calls::clean(response, call, &exchange.site.spoofable)?;
    }
    response.insert_header(REQUEST_ID, exchange.request_id.value())?;
    let Some(departure) = exchange.departure() else { return Ok(()) };
    if response.status == StatusCode::SWITCHING_PROTOCOLS
        && let Some(silence) = &exchange.silence
    {
        silence.is_of_a_tunnel();
    }
    let route = exchange.site.route(departure.route());
    returned::clean(response, &exchange.site.spoofable, route.server_headers)?;
    let host = &exchange.site.hosts[departure.host()];
    secure::pin(response, host);
    forward::edit_response(response, departure, &host.names)
}

/// What an app says before its answer (RFC 9110 §15.2), a hint of it for one. It decides nothing, tells of
/// no body, and sets no cookie.
///
/// # Errors
/// When it cannot go back as it is.
pub(super) fn before_the_answer(
    response: &mut ResponseHeader,
    exchange: &Exchange,
) -> pingora::Result<()> {
    response.set_version(Version::HTTP_11);
    let ours = &exchange.site.spoofable;
    match (&exchange.call, exchange.departure()) {
        (Some(call), _) if call.is_to_tenant() => calls::clean(response, call, ours)?,
        (_, Some(departure)) => {
            let route = exchange.site.route(departure.route());
            returned::clean(response, ours, route.server_headers)?;
        }
        (_, None) => return Err(undecided()),
    }
    for name in &OF_AN_ANSWER {
        response.remove_header(name);
    }
    Ok(())
}

/// What a used connection's end took with it is sent once more, pingora's or ours, and so is a call that
/// its tenant asked for anew; both only as long as all of the body is at hand.
pub(super) fn broken(
    downstream: &mut Downstream<'_>,
    exchange: &mut Exchange,
    error: Box<Error>,
) -> Box<Error> {
    let mut error = error;
    if *error.etype() == calls::AGAIN {
        return error;
    }
    exchange.was_asked_in_vain(failing::asked(&error));
    let flow = exchange.flow.as_ref();
    let reused = flow.is_some_and(|flow| flow.is_reused());
    let over = exchange.end().is_some();
    let whole = !downstream.has_forgotten_body();
    let unseen = *error.etype() == http2::UNSEEN;
    let idempotent = downstream.req_header().method.is_idempotent();
    let harmless = (idempotent || unseen) && exchange.again == 0;
    match whole && harmless && !over {
        true => error.retry.decide_reuse(reused),
        false => error.set_retry(false),
    }
    // An end that a kept connection came to is nobody's failure.
    if !error.retry() && !over {
        journey::broken(downstream, exchange, &mut error);
    }
    exchange.again += 1;
    error
}

/// A tenant that cannot be connected to may have moved, and an app may have other servers.
pub(super) fn unreachable(exchange: &mut Exchange, error: Box<Error>) -> Box<Error> {
    let mut error = error;
    exchange.was_asked_in_vain(failing::asked(&error));
    calls::unreachable(exchange, &mut error);
    journey::unreachable(exchange, &mut error);
    error
}

/// What a request without a permit hears.
pub(super) fn undecided() -> Box<Error> {
    Error::explain(ErrorType::InternalError, "a request without a permit was about to leave")
}

/// What says something of an answer, or of the whole of a person's visit.
const OF_AN_ANSWER: [HeaderName; 4] =
    [header::CONTENT_LENGTH, REQUEST_ID, header::SET_COOKIE, header::TRANSFER_ENCODING];
