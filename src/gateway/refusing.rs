//! A refusal on its way out: counted, recorded, and made an answer.

use super::downstream::Downstream;

use crate::telemetry::{Answer, TurnedAway};
use crate::web::{Asking, Reply};

use super::audited;
use super::exchange::Exchange;
use super::respond::{During, Refused};

/// The answer to somebody who is refused.
pub(super) fn refuse(
    downstream: &Downstream<'_>,
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

/// Counts it.
pub(super) fn count(exchange: &mut Exchange, refused: &Refused) {
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
