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
use pingora::proxy::{FailToProxy, ProxyHttp, Session as Downstream};

use crate::config::SameSite;
use crate::telemetry::{AccessLog, Answer, Child, Limit, TurnedAway, traced};
use crate::web::{Asking, Client, Inbound, Refusal, Reply};

use super::decide::{decide, session_question};
use super::exchange::{Exchange, Stage};
use super::failing::refused_for;
use super::lane::Lane;
use super::request_id::{RequestId, RequestIds};
use super::respond::{self, During, Refused};
use super::site::Site;
use super::talk::End;
use super::verdict::Verdict;
use super::{
    accounts, audited, calls, carry, entrance, failing, grpc, journey, leaving, phases, proof,
    secure, steps, traces, tunnel, wire,
};

/// The gateway as pingora sees it.
pub struct Gateway {
    site: Arc<ArcSwap<Site>>,
    ids: RequestIds,
    access: Option<AccessLog>,
}

impl Gateway {
    /// Serves whatever site is in force when a request is born.
    pub fn new(site: Arc<ArcSwap<Site>>, access: Option<AccessLog>) -> Self {
        let ids = RequestIds::new(site.load().random.bytes());
        Self { site, ids, access }
    }
}

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = Exchange;

    fn new_ctx(&self) -> Exchange {
        Exchange::new(self.site.load_full(), &self.ids)
    }

    /// None: pingora's own would compress answers, is switched off, and costs all the same.
    fn init_downstream_modules(&self, _: &mut HttpModules) {}

    /// Cleaned, admitted, decided; then answered, or on its way.
    async fn request_filter(
        &self,
        downstream: &mut Downstream,
        exchange: &mut Exchange,
    ) -> pingora::Result<bool> {
        entrance::bound(downstream, exchange);
        let verdict = judged(downstream, exchange).await;
        let Some(verdict) = sent_on(downstream, exchange, verdict).await else {
            // pingora's own way is the tunnels'.
            if journey::may_be_a_tunnel(downstream, exchange) {
                return Ok(false);
            }
            Box::pin(carry::carry(downstream, exchange)).await?;
            return Ok(true);
        };
        let method = downstream.req_header().method.clone();
        let reply = match verdict {
            Verdict::Answer(reply) => reply,
            Verdict::Choose(choices) => respond::chooser(&choices, &exchange.request_id),
            Verdict::Refuse(refused) => refuse(downstream, exchange, refused, asking(downstream)),
            Verdict::SignedOut => respond::signed_out(&exchange.request_id),
            Verdict::Wait(step) => {
                let asking = steps::asking(&step, downstream);
                match traced(
                    exchange.trace.clone(),
                    Box::pin(steps::take(downstream, exchange, step)),
                )
                .await
                {
                    Ok(reply) => reply,
                    Err(refused) => refuse(downstream, exchange, refused, asking),
                }
            }
            Verdict::Call { .. } | Verdict::Leave(_) => return Err(phases::undecided()),
        };
        exchange.stage = Stage::Answered;
        let strict = exchange.site.settings.session.same_site == SameSite::Strict;
        let reply = match strict && method == Method::GET {
            true => respond::by_a_page(reply, &exchange.site.hosts, &exchange.request_id),
            false => reply,
        };
        let reply = respond::named(reply, &exchange.request_id);
        let reply = secure::pinned(reply, downstream, &exchange.site);
        let reply = grpc::told(reply, downstream.req_header());
        wire::write(downstream, respond::for_method(reply, &method)).await?;
        Ok(true)
    }

    async fn request_body_filter(
        &self,
        downstream: &mut Downstream,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        exchange: &mut Exchange,
    ) -> pingora::Result<()> {
        phases::body(downstream, body, End::at(end_of_stream), exchange)
    }

    async fn upstream_peer(
        &self,
        downstream: &mut Downstream,
        exchange: &mut Exchange,
    ) -> pingora::Result<Box<HttpPeer>> {
        exchange.asked = Some(Instant::now());
        exchange.upstream = exchange.open(Child::Upstream);
        calls::lead(exchange).await?;
        let led = journey::lead(exchange).await?;
        let whose = entrance::whose(downstream, exchange.client.as_ref());
        let departure = exchange.departure().ok_or_else(phases::undecided)?;
        let bounds = &exchange.site.route(departure.route()).bounds;
        let silence = tunnel::Silence::new(led.patience.read, bounds);
        exchange.silence = Some(silence.clone());
        tunnel::peer(&led, silence, whose).map(Box::new)
    }

    async fn upstream_request_filter(
        &self,
        _downstream: &mut Downstream,
        request: &mut RequestHeader,
        exchange: &mut Exchange,
    ) -> pingora::Result<()> {
        phases::leave(request, exchange)
    }

    async fn response_filter(
        &self,
        downstream: &mut Downstream,
        response: &mut ResponseHeader,
        exchange: &mut Exchange,
    ) -> pingora::Result<()> {
        phases::answer(downstream, response, exchange)
    }

    fn error_while_proxy(
        &self,
        _peer: &HttpPeer,
        downstream: &mut Downstream,
        error: Box<Error>,
        exchange: &mut Exchange,
        _reused: bool,
    ) -> Box<Error> {
        phases::broken(downstream, exchange, error)
    }

    fn fail_to_connect(
        &self,
        _downstream: &mut Downstream,
        _peer: &HttpPeer,
        exchange: &mut Exchange,
        error: Box<Error>,
    ) -> Box<Error> {
        phases::unreachable(exchange, error)
    }

    /// An upstream that fails becomes a page or JSON, unless its answer has begun already.
    async fn fail_to_proxy(
        &self,
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
        let refused = leaving::too_late(exchange, error)
            .or_else(|| exchange.refused.take())
            .unwrap_or_else(|| refused_for(error, exchange));
        count(exchange, &refused);
        exchange.detail = Some(format!("{}: {error}", refused.detail));
        let code = refused.status().as_u16();
        if downstream.response_written().is_none() {
            // pingora closes the connection after this, and the client should hear of it.
            downstream.set_keepalive(None);
            let method = downstream.req_header().method.clone();
            let reply = refused.reply(asking(downstream), &exchange.request_id);
            let reply = respond::named(reply, &exchange.request_id);
            let reply = secure::pinned(reply, downstream, &exchange.site);
            let reply = grpc::told(reply, downstream.req_header());
            let _client_gone = wire::write(downstream, respond::for_method(reply, &method)).await;
        } else if exchange.site.metrics.drain().is_grace_over() {
            leaving::close(downstream).await;
        }
        FailToProxy { error_code: code, can_reuse_downstream: false }
    }

    async fn logging(
        &self,
        downstream: &mut Downstream,
        error: Option<&Error>,
        exchange: &mut Exchange,
    ) {
        if exchange.site.metrics.drain().has_begun() {
            exchange.outcome = leaving::outcome(downstream, exchange, error);
        }
        accounts::close(downstream, exchange, self.access.as_ref(), error);
    }

    /// pingora's own log lines name no query: codes and states ride there.
    fn request_summary(&self, downstream: &Downstream, exchange: &Exchange) -> String {
        let request = downstream.req_header();
        format!("{} {} ({})", request.method, request.uri.path(), &*exchange.request_id)
    }

    /// Ours says it once, with the request's id.
    fn suppress_error_log(&self, _: &Downstream, _: &Exchange, _: &Error) -> bool {
        self.access.is_some()
    }
}

/// Removes what nobody outside may say, admits, and decides. Where sessions are kept in a shared store it
/// is asked before, if it has to be: a decision waits for nothing.
async fn judged(downstream: &mut Downstream, exchange: &mut Exchange) -> Verdict {
    let peer = entrance::peer(downstream);
    let site = exchange.site.clone();
    let headers = &downstream.req_header().headers;
    exchange.client = peer.map(|peer| site.proxies.client(peer, headers));
    if let Some(given) = site.proxies.request_id(peer, headers).and_then(RequestId::given) {
        exchange.request_id = given;
    }
    exchange.trace = traces::begun(&site, peer, headers);
    let admission = exchange.open(Child::Admission);
    if let Err(over) = entrance::let_in(exchange) {
        return Verdict::Refuse(Refused::over(over));
    }
    let transport = site.proxies.transport(peer, headers);
    let jobs = entrance::job_door(downstream).map(|door| (door, calls::Relayed::of(headers)));
    let forged = if jobs.is_some() { &site.forged_by_jobs } else { &site.spoofable };
    let clean = forged.clean(&mut wire::Wire(downstream.req_header_mut()));
    let request = downstream.req_header();
    let admitted = Inbound::admit(request, request.raw_path(), site.bounds(), clean);
    if let (Ok(inbound), None) = (&admitted, &jobs)
        && let Some(reply) = proof::asked(&site, inbound)
    {
        return Verdict::Answer(reply);
    }
    match admitted {
        Ok(inbound) if entrance::is_misdirected(downstream, &site, peer, &inbound) => {
            Verdict::Refuse(Refused::refusal(Refusal::Misdirected))
        }
        Ok(inbound) if entrance::is_to_go_by_https(downstream) => secure::sent_on(&site, &inbound),
        Ok(inbound) => {
            drop(admission);
            let _authentication = exchange.open(Child::Authentication);
            let subscriber = exchange.client.as_ref().map(Client::subscriber);
            let inbound = inbound.over(transport).sent_by(subscriber);
            if let (Some((door, relayed)), Some(sender)) = (&jobs, peer) {
                return calls::decide_job(&site, (door, sender, *relayed), &inbound);
            }
            if let Some(question) = session_question(&site, &inbound) {
                exchange.stores.bound(Box::pin(question.ask())).await;
            }
            decide(&site, &inbound, site.clock.now())
        }
        Err(refusal) => Verdict::Refuse(Refused::refusal(refusal)),
    }
}

/// What may leave, leaves if there is a place for it on the way, and a turn with its tenant; any
/// other verdict is given back.
async fn sent_on(
    downstream: &mut Downstream,
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
    wire::forget_spelling(downstream.req_header_mut());
    exchange.stage = stage;
    None
}

fn refuse(
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

fn asking(downstream: &Downstream) -> Asking {
    let request = downstream.req_header();
    Asking::of(&request.method, &request.headers)
}

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
        let mut downstream = Downstream::new_h1(Box::new(ours));
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
