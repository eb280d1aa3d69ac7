//! What is told of a request when it is over: its counts, its line in the access log, and its trace.

use std::time::Duration;

use super::downstream::Downstream;
use http::header;
use pingora::Error;

use crate::config::AccessField;
use crate::telemetry::{AccessLine, AccessLog, Request};
use crate::web::Client;

use super::exchange::Exchange;
use super::verdict::Departure;
use super::{heads, wire};

/// Counts it, and tells it where somebody listens.
pub(super) fn close(
    downstream: &Downstream<'_>,
    exchange: &mut Exchange,
    access: Option<&AccessLog>,
    error: Option<&Error>,
) {
    let status = heads::answered(downstream).map_or(0, |head| head.status.as_u16());
    let lived = exchange.ends(status);
    if let Some(mut upstream) = exchange.upstream.take() {
        upstream.answered(status);
    }
    trace(downstream, exchange, status);
    if let Some(access) = access {
        line(downstream, exchange, (access, status, lived), error);
    }
}

fn trace(downstream: &Downstream<'_>, exchange: &Exchange, status: u16) {
    let Some(trace) = &exchange.trace else { return };
    let (method, path) = asked(downstream, exchange);
    trace.finish(&Request {
        method,
        path,
        status,
        host: host(exchange),
        route: exchange.lane_name(),
        tenant: exchange.tenant().map(|ctx| ctx.as_str()),
        request_id: &exchange.request_id,
    });
}

fn line(
    downstream: &Downstream<'_>,
    exchange: &Exchange,
    (access, status, lived): (&AccessLog, u16, Duration),
    error: Option<&Error>,
) {
    let request = downstream.req_header();
    let (method, path) = asked(downstream, exchange);
    let detail = exchange.detail.clone().or_else(|| error.map(|error| error.to_string()));
    let trace_id = exchange.trace.as_ref().filter(|_| access.wants(AccessField::TraceId));
    let trace_id = trace_id.map(|trace| trace.trace_id());
    let upstream = access.wants(AccessField::Upstream).then(|| exchange.upstream_name()).flatten();
    let agent = access
        .wants(AccessField::UserAgent)
        .then(|| request.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()));
    access.write(&AccessLine {
        request_id: &exchange.request_id,
        client: exchange.client.as_ref().map(Client::address),
        method,
        host: host(exchange),
        path,
        status,
        bytes: downstream.body_bytes_sent(),
        micros: lived.as_micros() as u64,
        route: exchange.lane_name(),
        tenant: exchange.tenant().map(|ctx| ctx.as_str()),
        caller: exchange.call.as_ref().and_then(|call| call.caller()),
        detail: detail.as_deref(),
        protocol: wire::protocol(request.version),
        request_bytes: downstream.body_bytes_read(),
        trace_id: trace_id.as_deref(),
        upstream: upstream.as_deref(),
        user: exchange.permitted().and_then(Departure::user),
        user_agent: agent.flatten(),
    });
}

/// What was asked of us, or of the proxy that asks us.
fn asked<'a>(downstream: &'a Downstream<'_>, exchange: &'a Exchange) -> (&'a str, &'a str) {
    match &exchange.described {
        Some(described) => (described.method().as_str(), described.path()),
        None => (downstream.req_header().method.as_str(), downstream.req_header().uri.path()),
    }
}

fn host(exchange: &Exchange) -> Option<&str> {
    let departure = exchange.permitted()?;
    Some(exchange.site.hosts[departure.host()].host.origin.authority())
}
