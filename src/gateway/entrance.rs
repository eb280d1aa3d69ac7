//! A request's places and the size of its body: taken and measured as it passes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::downstream::Downstream;
use http::header;
use pingora::{Error, ErrorType};

use crate::config::{ForwardAuth, Limits, Serves};
use crate::telemetry::Limit;
use crate::web::{Client, Inbound, JobDoor, Peer, ProxyHeader};

use super::calls::CallTrouble;
use super::exchange::Exchange;
use super::lane::Lane;
use super::line::Line;
use super::respond::Refused;
use super::site::Site;
use super::turnstile::Over;

/// Nobody waits for ever. The guard bounds HTTP/1 on its own, in total and with one timer for the
/// connection, and a tunnel's silence is measured where it leads to the app. Requests of HTTP/2 are
/// counted on their connection until their exchange ends.
pub(super) fn bound(downstream: &mut Downstream<'_>, exchange: &mut Exchange) {
    let limits = &exchange.site.settings.limits;
    let unguarded = downstream.is_http2();
    match unguarded {
        true => downstream.waits_at_most(limits.idle_timeout, limits.write_timeout),
        false => downstream.is_guarded(),
    }
    downstream.drains_for(limits.unread_body_timeout);
    let line = if unguarded { downstream.line() } else { None };
    exchange.busy = line.map(Line::enter);
}

/// Takes a place for a request that is born, until its exchange ends.
///
/// # Errors
/// When there is none.
pub(super) fn let_in(exchange: &mut Exchange) -> Result<(), Over> {
    exchange.places[0] = Some(exchange.site.turnstile.enter()?);
    Ok(())
}

/// Whether a request is for a host that its TLS connection is not for. What a trusted proxy names
/// in TLS is the way to us, not the host that its client asked for; and who names nothing has
/// nothing to differ from.
pub(super) fn is_misdirected(
    downstream: &Downstream<'_>,
    site: &Site,
    peer: Option<Peer>,
    inbound: &Inbound<'_>,
) -> bool {
    let named = downstream.line().and_then(|line| line.named.get());
    named.is_some_and(|named| {
        !named.leads_to(inbound.authority()) && !peer.is_some_and(|peer| site.trusts(peer))
    })
}

/// Whether it came to a listener that sends everybody on to https.
pub(super) fn is_to_go_by_https(downstream: &Downstream<'_>) -> bool {
    downstream.line().is_some_and(|line| line.serves == Serves::RedirectsToHttps)
}

/// How proxies ask at the listener it came to, where they do.
pub(super) fn checks(downstream: &Downstream<'_>) -> Option<Arc<ForwardAuth>> {
    match &downstream.line()?.serves {
        Serves::Checks(terms) => Some(terms.clone()),
        Serves::Everything | Serves::EverythingAndH2c | Serves::RedirectsToHttps => None,
    }
}

/// What is known of a connection that came to a job listener.
pub(super) fn job_door(downstream: &Downstream<'_>) -> Option<Arc<JobDoor>> {
    downstream.line()?.jobs.clone()
}

/// Who is at the other end of the connection.
pub(super) fn peer(downstream: &Downstream<'_>) -> Option<Peer> {
    if let Some(user) = downstream.line().and_then(|line| line.user) {
        return Some(Peer::User(user));
    }
    downstream.client_addr().map(|address| Peer::Address(address.ip()))
}

/// What an app that is told by the PROXY protocol hears of the client, and of where that connected. Of
/// one whom a trusted proxy names nobody knows the port.
pub(super) fn whose(downstream: &Downstream<'_>, client: Option<&Client>) -> ProxyHeader {
    let address = client.and_then(|client| client.address().parse::<IpAddr>().ok());
    let Some(address) = address else { return ProxyHeader::Nobodys };
    let port = downstream.client_addr().filter(|peer| peer.ip() == address);
    let unknown = || SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
    ProxyHeader::Client {
        client: SocketAddr::new(address, port.map_or(0, |peer| peer.port())),
        server: downstream.server_addr().unwrap_or_else(unknown),
    }
}

/// Takes a place on the way to the app for a request that may leave, until its exchange ends.
///
/// # Errors
/// When its stated length is more than its lane takes, or there is no place.
pub(super) fn let_out(
    downstream: &Downstream<'_>,
    exchange: &mut Exchange,
    lane: Lane,
) -> Result<(), Over> {
    if stated_length(downstream) > exchange.site.body_bytes(lane) as u64 {
        return Err(Over::of(Limit::BodyBytes));
    }
    exchange.places[1] = Some(exchange.site.turnstile.enter_lane(lane)?);
    Ok(())
}

/// Waits for a turn with the tenant of a call, until its exchange ends.
///
/// # Errors
/// When there is none in time.
pub(super) async fn line_up(exchange: &mut Exchange, lane: Lane) -> Result<(), Refused> {
    let (Some(call), Lane::Jobs(listener)) = (&exchange.call, lane) else { return Ok(()) };
    let turn = exchange.site.lines[listener].enter(call.tenant()).await;
    exchange.turn = Some(turn.map_err(|full| {
        let detail = "too many calls to this tenant wait";
        Refused::call(CallTrouble::TenantBusy, detail).retry_after(full.retry_after)
    })?);
    Ok(())
}

/// Counts a piece of a body. What passes after an upgrade is no body. Over HTTP/2, where no guard
/// measures how fast it comes, its rate counts from the request's begin, after the same grace: a
/// client whose app is slow to read has sent its window by then, and more than the rate asks for.
///
/// # Errors
/// [`TOO_LARGE`] or [`TOO_SLOW`], which end the request to the app unfinished.
pub(super) fn measure(
    downstream: &Downstream<'_>,
    exchange: &mut Exchange,
    bytes: usize,
) -> pingora::Result<()> {
    let Some(lane) = exchange.lane.filter(|_| !downstream.was_upgraded()) else { return Ok(()) };
    exchange.body = exchange.body.saturating_add(bytes);
    if exchange.body > exchange.site.body_bytes(lane) {
        let error = Error::explain(TOO_LARGE, "the body is larger than the route takes");
        return Err(error.into_down());
    }
    let limits = &exchange.site.settings.limits;
    if downstream.is_http2()
        && bytes > 0
        && is_too_slow(exchange.body, exchange.started.elapsed(), limits)
    {
        return Err(Error::explain(TOO_SLOW, "the body comes too slowly").into_down());
    }
    Ok(())
}

fn is_too_slow(bytes: usize, since: Duration, limits: &Limits) -> bool {
    let counted = since.saturating_sub(limits.body_grace).as_secs();
    (bytes as u64) < counted.saturating_mul(limits.body_rate as u64)
}

/// What marks an error as meeting [`Limit::BodyBytes`].
pub(super) const TOO_LARGE: ErrorType = ErrorType::HTTPStatus(413);

/// What marks an error as meeting [`Limit::BodyRate`].
pub(super) const TOO_SLOW: ErrorType = ErrorType::HTTPStatus(408);

fn stated_length(downstream: &Downstream<'_>) -> u64 {
    let stated = downstream.req_header().headers.get(header::CONTENT_LENGTH);
    stated.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_body_is_too_slow_only_under_the_rate_and_after_the_grace() {
        let text = "[host.main]\norigin = \"https://a.example\"\n\
                    [route.app]\nupstream = \"http://127.0.0.1:1\"\naccess = \"public\"\n\
                    [session]\nkeys = [{ value = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\" }]\n";
        let loaded = crate::config::load_text(text, "test", Path::new("."), &|_| None).unwrap();
        let limits = loaded.settings.limits;
        for (bytes, seconds, too_slow) in
            [(1, 0, false), (1, 10, false), (1, 11, true), (500, 11, false), (65_536, 140, false)]
        {
            let since = Duration::from_secs(seconds);
            assert_eq!(is_too_slow(bytes, since, &limits), too_slow, "{bytes} in {seconds} s");
        }
    }
}
