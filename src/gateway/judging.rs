//! From a message to a verdict: what nobody outside may say is removed, what is left is admitted, and decided.

use super::downstream::Downstream;

use crate::config::Destination;
use crate::pages::Trouble;
use crate::telemetry::Child;
use crate::web::{Client, Inbound, Refusal};

use super::decided::decided;
use super::exchange::Exchange;
use super::request_id::RequestId;
use super::respond::Refused;
use super::site::Site;
use super::verdict::Verdict;
use super::{calls, entrance, proof, secure, traces, wire};

/// Removes what nobody outside may say, admits, and decides. Where sessions are kept in a shared store it
/// is asked before, if it has to be: a decision waits for nothing.
pub(super) async fn judged(downstream: &mut Downstream<'_>, exchange: &mut Exchange) -> Verdict {
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
            not_checked(&site, decided(&site, &inbound, &mut exchange.stores).await)
        }
        Err(refusal) => Verdict::Refuse(Refused::refusal(refusal)),
    }
}

/// What a proxy is to ask about and carry itself, has no way to an app from here.
fn not_checked(site: &Site, verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Leave(departure)
            if site.route(departure.route()).upstream == Destination::Checked =>
        {
            let detail = "a route whose requests go by the proxy that asks about them";
            Verdict::Refuse(Refused::new(Trouble::NotFound, detail))
        }
        other => other,
    }
}
