//! What a call needs at each step of its request: prepared, led to its tenant, edited, judged.

use super::super::downstream::Downstream;
use pingora::http::ResponseHeader;
use pingora::{Error, ErrorType};

use crate::credentials::Again;

use super::super::exchange::Exchange;
use super::super::lane::Lane;
use super::super::outbound::Outbound;
use super::super::respond::Refused;
use super::super::way::Led;
use super::call::{Call, To};
use super::incoming;
use super::outgoing;

/// Prepares a request's call, if it is one.
///
/// # Errors
/// Why the call cannot be made.
pub(in crate::gateway) async fn prepare(exchange: &mut Exchange) -> Result<(), Refused> {
    let Some(call) = &mut exchange.call else { return Ok(()) };
    call.prepare(&exchange.site.users, &exchange.site.tenant_ways).await
}

/// Prepares what a second try needs anew, and leads it to its tenant; one to an app gets no further here.
///
/// # Errors
/// When it cannot be prepared: `exchange.refused` says why.
pub(in crate::gateway) async fn lead(exchange: &mut Exchange) -> pingora::Result<Option<Led>> {
    let Some(mut call) = exchange.call.take() else { return Ok(None) };
    let led = led(&mut call, exchange).await;
    exchange.call = Some(call);
    led
}

async fn led(call: &mut Call, exchange: &mut Exchange) -> pingora::Result<Option<Led>> {
    let site = exchange.site.clone();
    if let Err(refused) = call.prepare(&site.users, &site.tenant_ways).await {
        let text = "the call cannot be made";
        exchange.refused = Some(refused);
        return Err(Error::explain(NOT_MADE, text));
    }
    if call.to() == To::App {
        return Ok(None);
    }
    let (Some(home), Some(way)) = (call.home(), call.way()) else { return Err(no_call()) };
    let patience = match exchange.lane {
        Some(Lane::Route(number)) => site.route(number).upstream.patience(),
        Some(Lane::Jobs(number)) => site.settings.job_listeners[number].bounds.patience,
        None => return Err(no_call()),
    };
    way.lead(&site.clock, home.reach(), patience).await.map(Some)
}

/// Turns the request into its call, or gives an app the ticket, under the route's name for it.
///
/// # Errors
/// When it is not prepared: then nothing leaves.
pub(in crate::gateway) fn edit(
    request: &mut Outbound<'_>,
    exchange: &Exchange,
) -> pingora::Result<()> {
    let call = exchange.call.as_ref().ok_or_else(no_call)?;
    if call.to() == To::App {
        let departure = exchange.departure().ok_or_else(no_call)?;
        let name = &exchange.site.route(departure.route()).headers.ticket;
        return outgoing::give_ticket(request, call, name.as_ref());
    }
    outgoing::edit(request, call)
}

/// Looks at the tenant's answer before anything of it goes back.
///
/// # Errors
/// Where the tenant is to be asked once more.
pub(in crate::gateway) fn judge(
    downstream: &Downstream<'_>,
    response: &ResponseHeader,
    exchange: &mut Exchange,
) -> pingora::Result<()> {
    match &mut exchange.call {
        Some(call) if call.is_to_tenant() => {
            incoming::judge(downstream, response, call, &exchange.site.users)
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether a tenant that cannot be connected to may be somewhere else by now.
pub(in crate::gateway) fn unreachable(exchange: &mut Exchange, error: &mut Error) {
    let site = exchange.site.clone();
    let Some(call) = &mut exchange.call else { return };
    if *error.etype() != NOT_MADE && call.moved(&site.users) == Again::Yes {
        error.set_retry(true);
    }
}

fn no_call() -> Box<Error> {
    Error::explain(ErrorType::InternalError, "a call that is none")
}

/// What marks an error as a call that was not made.
pub(in crate::gateway) const NOT_MADE: ErrorType = ErrorType::Custom("CallNotMade");
