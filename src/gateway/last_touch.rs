//! What every answer of ours gets before it goes out.

use super::downstream::Downstream;

use crate::web::Reply;

use super::exchange::Exchange;
use super::{grpc, readable, respond, secure};

/// The answer with the request's name, with what browsers are told of https and of pages elsewhere, in
/// the words of whoever asked, and without its body where HEAD asked.
pub(super) fn finished(reply: Reply, downstream: &Downstream<'_>, exchange: &Exchange) -> Reply {
    let request = downstream.req_header();
    let reply = respond::named(reply, &exchange.request_id);
    let reply = secure::pinned(reply, downstream, &exchange.site);
    let reply = readable::to_pages_of(reply, request, &exchange.site);
    let reply = grpc::told(reply, request);
    respond::for_method(reply, &request.method)
}
