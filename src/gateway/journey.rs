//! A request on its way to one of its app's servers, and to another where that is safe.

use std::net::IpAddr;

use super::downstream::Downstream;
use pingora::{Error, ErrorSource, ErrorType};

use crate::config::UpstreamProtocol;
use crate::telemetry::ServerFailure;
use crate::upstreams::{Asking, Ejected, Pool, Tried};

use super::exchange::{Exchange, Stage};
use super::heads;
use super::way::Led;

/// The next server for a request that leaves, and how connections to it are made.
///
/// # Errors
/// When its name leads nowhere.
pub(super) async fn lead(exchange: &mut Exchange) -> pingora::Result<Led> {
    let Exchange { site, stage, client, chosen, .. } = exchange;
    let Stage::Leaving(departure) = stage else { return Err(nowhere()) };
    let roads = site.roads[departure.route()].as_ref().ok_or_else(nowhere)?;
    if let Some(pool) = &roads.pool {
        let address = client.as_ref().and_then(|client| client.address().parse::<IpAddr>().ok());
        let asking = Asking { address, tenant: departure.tenant().map(|ctx| ctx.as_str()) };
        let now = site.clock.now();
        chosen.taken = None;
        chosen.taken = pool.take(asking, &mut chosen.tried, now).or_else(|| {
            // It is sent once more, and there is no other.
            chosen.tried = Tried::default();
            pool.take(asking, &mut chosen.tried, now)
        });
    }
    let way = roads.ways.get(chosen.server()).ok_or_else(nowhere)?;
    way.lead(&site.clock).await.map_err(|error| {
        Error::because(ErrorType::ConnectError, "the upstream's name does not resolve", error)
    })
}

/// Whether a request that leaves may become a tunnel to its app: the app has to speak HTTP/1.1.
pub(super) fn may_be_a_tunnel(downstream: &Downstream<'_>, exchange: &Exchange) -> bool {
    if !downstream.is_upgrade_req()
        || exchange.call.as_ref().is_some_and(|call| call.is_to_tenant())
    {
        return false;
    }
    let app = exchange
        .departure()
        .and_then(|departure| exchange.site.route(departure.route()).upstream.app());
    let server = app.and_then(|app| app.servers.each.first());
    server.is_some_and(|server| server.protocol == UpstreamProtocol::Http1)
}

/// The server answers.
pub(super) fn answered(exchange: &Exchange) {
    if let (Some(pool), Some(taken)) = (pool(exchange), &exchange.chosen.taken) {
        pool.answered(taken);
    }
}

/// There is no connection to the server: nothing was sent, so another may have the request.
pub(super) fn unreachable(exchange: &Exchange, error: &mut Error) {
    if failed(exchange, ServerFailure::Connect) == Others::Up {
        error.set_retry(true);
    }
}

/// The server gave no answer. Another may have the request where it cannot do twice what it does,
/// and brought no body.
pub(super) fn broken(downstream: &mut Downstream<'_>, exchange: &Exchange, error: &mut Error) {
    let ours = *error.esource() == ErrorSource::Upstream;
    let silent = heads::answered(downstream).is_none();
    if !(ours && silent) {
        return;
    }
    let others = failed(exchange, ServerFailure::Answer);
    let safe = downstream.req_header().method.is_idempotent()
        && !downstream.is_upgrade_req()
        && downstream.is_body_empty();
    if safe && others == Others::Up {
        error.set_retry(true);
    }
}

/// Whether another server could have the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Others {
    None,
    Up,
}

fn failed(exchange: &Exchange, how: ServerFailure) -> Others {
    let (Some(pool), Some(taken)) = (pool(exchange), &exchange.chosen.taken) else {
        return Others::None;
    };
    let now = exchange.site.clock.now();
    exchange.site.metrics.servers().failed(pool.name(), taken.member().name(), how);
    if pool.failed(taken, now) == Ejected::Yes {
        exchange.site.metrics.servers().ejected(pool.name(), taken.member().name());
        tracing::warn!(server = taken.member().name(), "is left out for a while: it failed");
    }
    match pool.has_another(exchange.chosen.tried, now) {
        true => Others::Up,
        false => Others::None,
    }
}

fn pool(exchange: &Exchange) -> Option<&Pool> {
    let departure = exchange.departure()?;
    exchange.site.roads[departure.route()].as_ref()?.pool.as_deref()
}

fn nowhere() -> Box<Error> {
    Error::explain(ErrorType::InternalError, "a request without a permit was about to leave")
}
