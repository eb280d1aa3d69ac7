//! Requests on their way whose session ended meanwhile.

use super::downstream::Downstream;
use http::Method;

use crate::telemetry::Unfit;
use crate::web::{Asking, Reply, ReturnTo};

use super::ending::End;
use super::exchange::Exchange;
use super::start::unauthorized;

/// Why the session of a request is over that was closed for it.
pub(super) fn why(exchange: &Exchange) -> Option<Unfit> {
    match exchange.end() {
        Some(End::Session(why)) => Some(why),
        Some(End::Drain) | None => None,
    }
}

/// What a client hears whose answer had not begun: what anybody hears who is not signed in.
pub(super) fn reply(downstream: &Downstream<'_>, exchange: &Exchange) -> Option<Reply> {
    why(exchange)?;
    let host = &exchange.site.hosts[exchange.departure()?.host()];
    let (request, target) = (downstream.req_header(), ReturnTo::root());
    let navigates = Asking::of(&request.method, &request.headers) == Asking::Navigation;
    Some(match navigates && request.method == Method::GET {
        true => Reply::redirect(&host.start_address(&target, None)),
        false => unauthorized(host, (&target, &target), None),
    })
}

/// Counts what was closed, and says so in the log.
pub(super) fn note(exchange: &mut Exchange) {
    if let Some(why) = why(exchange) {
        exchange.site.metrics.sessions().closed(why);
        exchange.detail = Some(format!("closed, because its session is over: {}", why.name()));
    }
}
