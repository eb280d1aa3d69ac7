//! Steps that cannot be taken at once: they wait for a form, for SuperID or for the vault.

use pingora::proxy::Session as Downstream;

use crate::pages::Trouble;
use crate::session::Loaded;
use crate::telemetry::{Limit, Offered};
use crate::web::{Asking, Cookies, Reply};

use super::exchange::Exchange;
use super::respond::Refused;
use super::site::Site;
use super::turnstile::Over;
use super::verdict::Step;
use super::wire::{self, Form};
use super::{app_pages, audited, keeping, notices};

/// Takes a step. All it waits for is bounded: a form by size and the connection's timeouts, SuperID
/// by the back channel's, the vault by its own.
///
/// # Errors
/// What the caller is told instead.
pub(super) async fn take(
    downstream: &mut Downstream,
    exchange: &Exchange,
    step: Step,
) -> Result<Reply, Refused> {
    let site = &exchange.site;
    match step {
        Step::AppPage { host, page } => app_pages::page(exchange, host, page, downstream).await,
        Step::Callback { host } => callback(exchange, host, downstream).await,
        Step::Finish { host } => finish(exchange, host, downstream).await,
        Step::Fragment { host } => Ok(keeping::fragment(exchange, host, downstream)),
        Step::KeepPost { host, route } => keeping::take(exchange, (host, route), downstream).await,
        Step::NotSent { host, why } => Err(keeping::not_sent(site, host, why, downstream)),
        Step::Notice { host } => {
            let taken = notices::take(site, host, downstream, exchange).await;
            let became = if taken.is_ok() { Offered::Taken } else { Offered::Refused };
            site.metrics.noticed(became);
            taken.map_err(Refused::of_a_notice)
        }
        Step::Posted { host } => posted(site, host, downstream).await,
        Step::Resend { host } => Ok(keeping::resend(exchange, host, downstream)),
        Step::SignOut { host } => Ok(sign_out(exchange, host, downstream)),
    }
}

/// How whoever wants a step wants to be answered. A posted form is a navigation too.
pub(super) fn asking(step: Step, downstream: &Downstream) -> Asking {
    let request = downstream.req_header();
    match step {
        Step::AppPage { .. }
        | Step::KeepPost { .. }
        | Step::NotSent { .. }
        | Step::Posted { .. } => Asking::of_form(&request.headers),
        Step::Callback { .. }
        | Step::Finish { .. }
        | Step::Fragment { .. }
        | Step::Resend { .. }
        | Step::SignOut { .. } => Asking::of(&request.method, &request.headers),
        Step::Notice { .. } => Asking::Program,
    }
}

async fn callback(
    exchange: &Exchange,
    host: usize,
    downstream: &Downstream,
) -> Result<Reply, Refused> {
    let site = &exchange.site;
    let host = &site.hosts[host];
    let request = downstream.req_header().as_owned_parts();
    let counter = host.counter(Cookies::of(&request.headers));
    let counter = counter.seen(audited::scene(downstream, exchange));
    let query = request.uri.query().unwrap_or_default();
    // Each redirect URL takes its own attempts only (RFC 9700 §4.4.2.2: mix-up).
    let mut parties = host.parties();
    parties.retain(|party| party.redirect_path == request.uri.path());
    let outcome = site.desk.complete(counter, query, &parties).await;
    outcome.map_err(|failed| Refused::failed(host, failed))
}

async fn finish(
    exchange: &Exchange,
    host: usize,
    downstream: &Downstream,
) -> Result<Reply, Refused> {
    let site = &exchange.site;
    let host = &site.hosts[host];
    let request = downstream.req_header().as_owned_parts();
    let counter = host.counter(Cookies::of(&request.headers));
    let counter = counter.seen(audited::scene(downstream, exchange));
    let outcome = site.desk.finish(counter, &host.parties()).await;
    outcome.map_err(|failed| Refused::failed(host, failed))
}

/// Whoever is signed in, is not any more; who asks was looked at before.
fn sign_out(exchange: &Exchange, number: usize, downstream: &Downstream) -> Reply {
    let (site, host) = (&exchange.site, &exchange.site.hosts[number]);
    let request = downstream.req_header().as_owned_parts();
    let cookies = Cookies::of(&request.headers);
    let session = match host.authenticator.cookie().load(cookies, site.clock.now()) {
        Loaded::Live(session) => Some(session),
        Loaded::NotPresented | Loaded::Rejected(_) => None,
    };
    let named = session.as_ref().map(|session| session.relying_party.as_str());
    let parties = host.parties();
    let party = parties.iter().find(|party| Some(party.name.as_str()) == named).or(parties.first());
    let counter = host.counter(cookies).seen(audited::scene(downstream, exchange));
    site.desk.sign_out(counter, session.as_deref(), party.copied())
}

async fn posted(site: &Site, number: usize, downstream: &mut Downstream) -> Result<Reply, Refused> {
    let host = &site.hosts[number];
    let limits = &site.settings.limits;
    let form = wire::read_form(downstream, limits.form_bytes, limits.form_timeout);
    let form = match form.await {
        Form::Whole(form) => form,
        Form::TooLarge => return Err(Refused::over(Over::of(Limit::FormBytes))),
        Form::Stopped => {
            let detail = "the form did not arrive whole in its time";
            return Err(Refused::new(Trouble::BadRequest, detail));
        }
    };
    let request = downstream.req_header().as_owned_parts();
    let Some(party) = site.legacy_party(number, request.uri.path()) else {
        return Err(Refused::new(Trouble::NotFound, "no legacy callback here"));
    };
    let counter = host.counter(Cookies::of(&request.headers));
    let outcome = site.desk.posted(counter, party, &request.headers, &form).await;
    outcome.map_err(|failed| Refused::failed(host, failed))
}
