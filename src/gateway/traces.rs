//! Which trace a request is part of, and what the app is told of it.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use crate::telemetry::{Trace, TraceContext};
use crate::web::Peer;

use super::exchange::Exchange;
use super::outbound::Outbound;
use super::site::Site;

/// Begins the request's part: of the trace a trusted proxy names, else of a new one. Nothing where
/// there are no traces.
pub(super) fn begun(site: &Site, peer: Option<Peer>, headers: &HeaderMap) -> Option<Arc<Trace>> {
    let tracer = site.tracer.as_ref()?;
    let said = |name| site.proxies.said_once(peer, headers, name);
    let given =
        said("traceparent").and_then(|parent| TraceContext::parse(parent, said("tracestate")));
    Some(tracer.begin(given))
}

/// Tells the app. Without traces of ours, what came passes.
///
/// # Errors
/// When a header cannot be set.
pub(super) fn tell(request: &mut Outbound<'_>, exchange: &Exchange) -> pingora::Result<()> {
    let Some(trace) = &exchange.trace else { return Ok(()) };
    let (parent, state) = trace.headers(exchange.upstream.as_ref());
    request.say(TRACE_PARENT, &parent)?;
    request.leave_out(TRACE_STATE);
    if let Some(state) = state {
        request.say(TRACE_STATE, state)?;
    }
    Ok(())
}

const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACE_STATE: HeaderName = HeaderName::from_static("tracestate");
