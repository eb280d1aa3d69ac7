//! Which trace a request is part of, and what the app is told of it.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use pingora::http::RequestHeader;
use pingora::{Error, ErrorType};

use crate::telemetry::{Trace, TraceContext};
use crate::web::Peer;

use super::exchange::Exchange;
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
/// pingora's, when a header cannot be set.
pub(super) fn tell(request: &mut RequestHeader, exchange: &Exchange) -> pingora::Result<()> {
    let Some(trace) = &exchange.trace else { return Ok(()) };
    let (parent, state) = trace.headers(exchange.upstream.as_ref());
    request.insert_header(TRACE_PARENT, parent)?;
    request.remove_header(&TRACE_STATE);
    if let Some(state) = state {
        let value = HeaderValue::from_str(state).map_err(|error| {
            Error::because(ErrorType::InternalError, "not a header's value", error)
        })?;
        request.insert_header(TRACE_STATE, value)?;
    }
    Ok(())
}

const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACE_STATE: HeaderName = HeaderName::from_static("tracestate");
