//! The life of a request, phase by phase, as pingora calls them.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use pingora::Error;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::prelude::HttpPeer;
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::watch;

use crate::config::SameSite;
use crate::telemetry::{AccessLog, Child, Limit, traced};
use crate::web::Asking;

use super::client::{Behind, Message, Opened, Whence};
use super::downstream::Downstream;
use super::exchange::{Exchange, Stage};
use super::failing::refused_for;
use super::judging::judged;
use super::lane::Lane;
use super::living::{Leash, Living};
use super::outbound::Outbound;
use super::refusing::{count, refuse};
use super::request_id::RequestIds;
use super::respond::{self, Refused};
use super::site::Site;
use super::talk::End;
use super::verdict::{Step, Verdict};
use super::{
    accounts, calls, carry, checks, entrance, failing, heads, journey, keeping, last_touch,
    leaving, outlived, phases, steps, tunnel, wire,
};

/// The gateway as pingora sees it.
pub struct Gateway {
    site: Arc<ArcSwap<Site>>,
    ids: RequestIds,
    access: Option<AccessLog>,
    living: Arc<Living>,
}

impl Gateway {
    /// Serves whatever site is in force when a request is born.
    pub fn new(site: Arc<ArcSwap<Site>>, access: Option<AccessLog>) -> Self {
        let ids = RequestIds::new(site.load().random.bytes());
        Self { site, ids, access, living: Arc::default() }
    }

    /// Another one, for what comes by another way to the same worker.
    pub fn beside(&self) -> Self {
        let other = Self::new(self.site.clone(), self.access.clone());
        Self { living: self.living.clone(), ..other }
    }

    /// What its requests have open under sessions.
    pub fn living(&self) -> Arc<Living> {
        self.living.clone()
    }

    /// Serves the one message of HTTP/1 that waits on a connection, which asks for no other protocol. What
    /// becomes of the connection: `behind` says whether another may come on it, for all its keeper cares;
    /// once `stop` is true, an answer says that it is the last.
    pub async fn serve(
        &self,
        wire: &mut dyn Opened,
        whence: &Whence,
        behind: Behind,
        stop: &watch::Receiver<bool>,
    ) -> Behind {
        let message = match Message::read(&mut *wire, whence, behind) {
            Ok(message) => message,
            Err(error) => {
                // The guard has read it before.
                tracing::debug!(%error, "a request that cannot be read");
                let _client_gone = wire.write_all(UNREADABLE).await;
                let _client_gone = wire.shutdown().await;
                return Behind::Closed;
            }
        };
        let mut downstream = Downstream::Ours(message);
        if *stop.borrow() {
            downstream.is_last();
        }
        let mut exchange = self.new_ctx();
        let answered = match filtered(&mut downstream, &mut exchange).await {
            Ok(Answered::Here) => Ok(()),
            Ok(Answered::ByATunnel) => Err(phases::undecided()),
            Err(error) => Err(error),
        };
        if let Err(error) = answered {
            failed(&mut downstream, &error, &mut exchange).await;
            if self.access.is_none() {
                tracing::error!("{error}, {}", summary(downstream.req_header(), &exchange));
            }
            self.closes(&downstream, Some(&error), &mut exchange);
            return Behind::Closed;
        }
        self.closes(&downstream, None, &mut exchange);
        // Its places are free before the connection is looked after.
        drop(exchange);
        downstream.ends().await
    }

    /// Says how a request went.
    fn closes(&self, downstream: &Downstream<'_>, error: Option<&Error>, exchange: &mut Exchange) {
        if exchange.site.metrics.drain().has_begun() {
            exchange.outcome = leaving::outcome(downstream, exchange, error);
        }
        outlived::note(exchange);
        accounts::close(downstream, exchange, self.access.as_ref(), error);
    }
}

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = Exchange;

    fn new_ctx(&self) -> Exchange {
        Exchange::new(self.site.load_full(), &self.ids, self.living.clone())
    }

    /// None: pingora's own would compress answers, is switched off, and costs all the same.
    fn init_downstream_modules(&self, _: &mut HttpModules) {}

    async fn request_filter(
        &self,
        downstream: &mut Session,
        exchange: &mut Exchange,
    ) -> pingora::Result<bool> {
        Ok(filtered(&mut Downstream::Pingoras(downstream), exchange).await? == Answered::Here)
    }

    async fn request_body_filter(
        &self,
        downstream: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        exchange: &mut Exchange,
    ) -> pingora::Result<()> {
        phases::body(&mut Downstream::Pingoras(downstream), body, End::at(end_of_stream), exchange)
    }

    async fn upstream_peer(
        &self,
        downstream: &mut Session,
        exchange: &mut Exchange,
    ) -> pingora::Result<Box<HttpPeer>> {
        exchange.asked = Some(Instant::now());
        exchange.upstream = exchange.open(Child::Upstream);
        calls::lead(exchange).await?;
        let led = journey::lead(exchange).await?;
        let whose = entrance::whose(&Downstream::Pingoras(downstream), exchange.client.as_ref());
        let departure = exchange.departure().ok_or_else(phases::undecided)?;
        let bounds = &exchange.site.route(departure.route()).bounds;
        let silence = tunnel::Silence::new(led.patience.read, bounds);
        exchange.is_bound(Leash::Tunnel(Arc::downgrade(&silence)));
        exchange.silence = Some(silence.clone());
        tunnel::peer(&led, silence, whose).map(Box::new)
    }

    async fn upstream_request_filter(
        &self,
        _downstream: &mut Session,
        request: &mut RequestHeader,
        exchange: &mut Exchange,
    ) -> pingora::Result<()> {
        // What is of the connection stays: pingora asks for the tunnel by it.
        let parts = wire::parts(request);
        let mut outbound = Outbound::whole(&parts);
        phases::leave(&mut outbound, exchange)?;
        *request = RequestHeader::from(outbound.parts());
        Ok(())
    }

    async fn response_filter(
        &self,
        downstream: &mut Session,
        response: &mut ResponseHeader,
        exchange: &mut Exchange,
    ) -> pingora::Result<()> {
        phases::answer(&mut Downstream::Pingoras(downstream), response, exchange)
    }

    fn error_while_proxy(
        &self,
        _peer: &HttpPeer,
        downstream: &mut Session,
        error: Box<Error>,
        exchange: &mut Exchange,
        _reused: bool,
    ) -> Box<Error> {
        phases::broken(&mut Downstream::Pingoras(downstream), exchange, error)
    }

    fn fail_to_connect(
        &self,
        _downstream: &mut Session,
        _peer: &HttpPeer,
        exchange: &mut Exchange,
        error: Box<Error>,
    ) -> Box<Error> {
        phases::unreachable(exchange, error)
    }

    async fn fail_to_proxy(
        &self,
        downstream: &mut Session,
        error: &Error,
        exchange: &mut Exchange,
    ) -> FailToProxy {
        FailToProxy {
            error_code: failed(&mut Downstream::Pingoras(downstream), error, exchange).await,
            can_reuse_downstream: false,
        }
    }

    async fn logging(
        &self,
        downstream: &mut Session,
        error: Option<&Error>,
        exchange: &mut Exchange,
    ) {
        self.closes(&Downstream::Pingoras(downstream), error, exchange);
    }

    /// pingora's own log lines name no query: codes and states ride there.
    fn request_summary(&self, downstream: &Session, exchange: &Exchange) -> String {
        summary(downstream.req_header(), exchange)
    }

    /// Ours says it once, with the request's id.
    fn suppress_error_log(&self, _: &Session, _: &Exchange, _: &Error) -> bool {
        self.access.is_some()
    }
}

/// Who answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answered {
    /// pingora leads it to its app.
    ByATunnel,
    /// It was answered.
    Here,
}

/// Cleaned, admitted, decided; then answered, or on its way.
async fn filtered(
    downstream: &mut Downstream<'_>,
    exchange: &mut Exchange,
) -> pingora::Result<Answered> {
    entrance::bound(downstream, exchange);
    if let Some(terms) = entrance::checks(downstream) {
        Box::pin(checks::answer(downstream, exchange, &terms)).await?;
        return Ok(Answered::Here);
    }
    let verdict = judged(downstream, exchange).await;
    let Some(verdict) = sent_on(downstream, exchange, verdict).await else {
        // pingora's own way is the tunnels'.
        if journey::may_be_a_tunnel(downstream, exchange) {
            wire::forget_spelling(downstream.req_header_mut());
            return Ok(Answered::ByATunnel);
        }
        Box::pin(carry::carry(downstream, exchange)).await?;
        return Ok(Answered::Here);
    };
    let reply = match verdict {
        Verdict::Answer(reply) => reply,
        Verdict::Choose(choices) => respond::chooser(&choices, &exchange.request_id),
        Verdict::Refuse(refused) => refuse(downstream, exchange, refused, asking(downstream)),
        Verdict::SignedOut => respond::signed_out(&exchange.request_id),
        Verdict::Wait(step) => {
            let asking = steps::asking(&step, downstream);
            match traced(exchange.trace.clone(), Box::pin(steps::take(downstream, exchange, step)))
                .await
            {
                Ok(reply) => reply,
                Err(refused) => refuse(downstream, exchange, refused, asking),
            }
        }
        Verdict::Call { .. } | Verdict::Leave(_) | Verdict::Refresh(_) => {
            return Err(phases::undecided());
        }
    };
    exchange.stage = Stage::Answered;
    let strict = exchange.site.settings.session.same_site == SameSite::Strict;
    let reply = match strict && downstream.req_header().method == Method::GET {
        true => respond::by_a_page(reply, &exchange.site.hosts, &exchange.request_id),
        false => reply,
    };
    let reply = last_touch::finished(reply, downstream, exchange);
    wire::write(downstream, &exchange.site, reply).await?;
    Ok(Answered::Here)
}

/// What may leave, leaves if there is a place for it on the way, and a turn with its tenant; any
/// other verdict is given back.
async fn sent_on(
    downstream: &mut Downstream<'_>,
    exchange: &mut Exchange,
    verdict: Verdict,
) -> Option<Verdict> {
    let (lane, stage) = match verdict {
        Verdict::Call { listener, call } => {
            exchange.call = Some(call);
            (Lane::Jobs(listener), Stage::Calling(listener))
        }
        Verdict::Leave(mut departure) => {
            exchange.call = departure.take_call();
            (Lane::Route(departure.route()), Stage::Leaving(departure))
        }
        other => return Some(other),
    };
    exchange.enters(lane);
    // Who waits for one tenant takes no place that others could have.
    if let Err(refused) = entrance::line_up(exchange, lane).await {
        return Some(Verdict::Refuse(refused));
    }
    if let Err(over) = entrance::let_out(downstream, exchange, lane) {
        return Some(Verdict::Refuse(Refused::over(over)));
    }
    let prepared = match exchange.trace.clone() {
        Some(trace) => traced(Some(trace), Box::pin(calls::prepare(exchange))).await,
        None => calls::prepare(exchange).await,
    };
    if let Err(refused) = prepared {
        return Some(Verdict::Refuse(refused));
    }
    exchange.stage = match stage {
        Stage::Leaving(departure) if departure.is_to_resume() => {
            match Box::pin(keeping::handed_out(exchange, &departure, downstream)).await {
                Ok(resumed) => Stage::Leaving(Box::new(departure.resuming(resumed))),
                Err(why) => {
                    let host = departure.host();
                    return Some(Verdict::Wait(Step::NotSent { host, why }));
                }
            }
        }
        stage => stage,
    };
    None
}

/// An upstream that fails becomes a page or JSON, unless its answer has begun already. The status; 0 for
/// the end of a tunnel.
async fn failed(downstream: &mut Downstream<'_>, error: &Error, exchange: &mut Exchange) -> u16 {
    exchange.was_asked_in_vain(failing::asked(error));
    let silence = exchange.silence.as_ref();
    if silence.is_some_and(|silence| silence.has_ended_a_tunnel(error)) {
        exchange.site.metrics.limit_hit(Limit::WebsocketIdle);
        exchange.detail = Some("nobody said anything in the tunnel for too long".to_owned());
        return 0;
    }
    let reply = outlived::reply(downstream, exchange).unwrap_or_else(|| {
        let refused = leaving::too_late(exchange, error)
            .or_else(|| exchange.refused.take())
            .unwrap_or_else(|| refused_for(error, exchange));
        count(exchange, &refused);
        exchange.detail = Some(format!("{}: {error}", refused.detail));
        refused.reply(asking(downstream), &exchange.request_id)
    });
    let code = reply.status.as_u16();
    if heads::answered(downstream).is_none() {
        // The connection is closed after this, and the client should hear of it.
        downstream.is_last();
        let reply = last_touch::finished(reply, downstream, exchange);
        let _client_gone = wire::write(downstream, &exchange.site, reply).await;
    } else if exchange.end().is_some() || exchange.site.metrics.drain().is_grace_over() {
        leaving::close(downstream).await;
    }
    code
}

fn summary(request: &RequestHeader, exchange: &Exchange) -> String {
    format!("{} {} ({})", request.method, request.uri.path(), &*exchange.request_id)
}

fn asking(downstream: &Downstream<'_>) -> Asking {
    let request = downstream.req_header();
    Asking::of(&request.method, &request.headers)
}

/// To what nobody can read. It is not known to whom.
const UNREADABLE: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::clock::Clock;
    use crate::crypto::Random;

    const MINIMAL: &str = r#"
        [host.main]
        origin = "https://app.example"
        [relying_party.main]
        environment = "sod"
        client_id = "id"
        client_secret = { value = "secret" }
        [route.app]
        upstream = "http://127.0.0.1:3000"
        [session]
        keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
    "#;

    #[tokio::test]
    async fn what_was_not_decided_does_not_leave() {
        let loaded = crate::config::load_text(MINIMAL, "test", Path::new("."), &|_| None).unwrap();
        let site = Site::new(loaded.settings, Clock::system(), Random::counting());
        let gateway = Gateway::new(Arc::new(ArcSwap::from_pointee(site)), None);
        let (_client, ours) = tokio::io::duplex(64);
        let mut downstream = Session::new_h1(Box::new(ours));
        for stage in [Stage::Undecided, Stage::Answered] {
            let mut exchange = gateway.new_ctx();
            exchange.stage = stage;
            let mut request = RequestHeader::build("GET", b"/", None).unwrap();
            assert!(gateway.upstream_peer(&mut downstream, &mut exchange).await.is_err());
            let edited =
                gateway.upstream_request_filter(&mut downstream, &mut request, &mut exchange);
            assert_eq!(edited.await.unwrap_err().etype(), &pingora::ErrorType::InternalError);
        }
    }
}
