//! Telling those who are refused, before or on their way, and counting them.

use pingora::Error;
use pingora::proxy::{FailToProxy, Session as Downstream};

use crate::telemetry::{Answer, Limit, TurnedAway};
use crate::web::{Asking, Reply};

use super::exchange::Exchange;
use super::failing::{self, refused_for};
use super::respond::{self, During, Refused};
use super::{audited, grpc, leaving, outlived, secure, wire};

/// What becomes of a request that fails on its way: a page or JSON, unless its answer has begun
/// already.
pub(super) async fn tell(
    downstream: &mut Downstream,
    error: &Error,
    exchange: &mut Exchange,
) -> FailToProxy {
    exchange.was_asked_in_vain(failing::asked(error));
    let silence = exchange.silence.as_ref();
    if silence.is_some_and(|silence| silence.has_ended_a_tunnel(error)) {
        exchange.site.metrics.limit_hit(Limit::WebsocketIdle);
        exchange.detail = Some("nobody said anything in the tunnel for too long".to_owned());
        return FailToProxy { error_code: 0, can_reuse_downstream: false };
    }
    if let Some(reply) = outlived::reply(downstream, exchange) {
        return last(downstream, exchange, reply).await;
    }
    let refused = leaving::too_late(exchange, error)
        .or_else(|| exchange.refused.take())
        .unwrap_or_else(|| refused_for(error, exchange));
    count(exchange, &refused);
    exchange.detail = Some(format!("{}: {error}", refused.detail));
    let reply = refused.reply(asking(downstream), &exchange.request_id);
    last(downstream, exchange, reply).await
}

/// Answers if nothing was answered yet. What has no end of its own is given one, should its time be
/// over; all else is broken off.
async fn last(downstream: &mut Downstream, exchange: &Exchange, reply: Reply) -> FailToProxy {
    let code = reply.status.as_u16();
    if downstream.response_written().is_none() {
        // pingora closes the connection after this, and the client should hear of it.
        downstream.set_keepalive(None);
        let method = downstream.req_header().method.clone();
        let reply = respond::named(reply, &exchange.request_id);
        let reply = secure::pinned(reply, downstream, &exchange.site);
        let reply = grpc::told(reply, downstream.req_header());
        let _client_gone = wire::write(downstream, respond::for_method(reply, &method)).await;
    } else if exchange.end().is_some() || exchange.site.metrics.drain().is_grace_over() {
        leaving::close(downstream).await;
    }
    FailToProxy { error_code: code, can_reuse_downstream: false }
}

/// The answer to a request that is refused, which is counted.
pub(super) fn refuse(
    downstream: &Downstream,
    exchange: &mut Exchange,
    refused: Refused,
    asking: Asking,
) -> Reply {
    count(exchange, &refused);
    audited::refusal(downstream, exchange, &refused);
    let reply = refused.reply(asking, &exchange.request_id);
    exchange.detail = Some(refused.detail);
    reply
}

fn count(exchange: &mut Exchange, refused: &Refused) {
    // What of an app's answer is out already is the app's.
    if exchange.answer != Answer::Passed {
        exchange.answer = Answer::Refused;
    }
    let (metrics, word) = (&exchange.site.metrics, refused.word());
    metrics.refused(&word);
    if let Some(limit) = refused.limit {
        metrics.limit_hit(limit);
    }
    if refused.during == During::SignIn {
        metrics.sessions().sign_in_failed(&word);
    }
    metrics.recent().refused(TurnedAway {
        status: refused.status().as_u16(),
        reason: word,
        route: exchange.lane.map(|lane| exchange.site.lane_name(lane)),
        tenant: exchange.tenant().map(|tenant| tenant.as_str().to_owned()),
        request_id: Some(exchange.request_id.to_string()),
        ..TurnedAway::default()
    });
}

/// Who asks, a person or a program.
pub(super) fn asking(downstream: &Downstream) -> Asking {
    let request = downstream.req_header();
    Asking::of(&request.method, &request.headers)
}
