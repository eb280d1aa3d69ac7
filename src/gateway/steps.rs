//! Steps that cannot be taken at once: they wait for a form, for SuperID or for the vault.

use std::sync::Arc;

use super::downstream::Downstream;
use http::Method;

use crate::config::{Flow, RelyingParty, ResponseMode};
use crate::pages::Trouble;
use crate::session::{Loaded, SessionState};
use crate::signin::{Wish, asks_to_clean_up, is_answer, takes_address};
use crate::telemetry::{Limit, Offered};
use crate::web::{Asking, Cookies, Fields, Reply};

use super::exchange::Exchange;
use super::respond::{self, Refused};
use super::site::{HostSite, Site};
use super::turnstile::Over;
use super::verdict::{Step, Wanted};
use super::wire::{self, Form};
use super::{app_pages, audited, keeping, notices, provider_word};

/// Takes a step. All it waits for is bounded: a form by size and the connection's timeouts, SuperID
/// by the back channel's, the vault by its own.
///
/// # Errors
/// What the caller is told instead.
pub(super) async fn take(
    downstream: &mut Downstream<'_>,
    exchange: &Exchange,
    step: Step,
) -> Result<Reply, Refused> {
    let mut stores = exchange.stores;
    stores.bound(taken(downstream, exchange, step)).await
}

async fn taken(
    downstream: &mut Downstream<'_>,
    exchange: &Exchange,
    step: Step,
) -> Result<Reply, Refused> {
    let site = &exchange.site;
    match step {
        Step::AppPage { host, page } => app_pages::page(exchange, host, page, downstream).await,
        Step::Begin { host, wanted } => begin(exchange, host, &wanted, downstream).await,
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
        Step::Posted { host } => posted(exchange, host, downstream).await,
        Step::ProviderFrame { host } => provider_frame(exchange, host, downstream).await,
        Step::ProviderWord { host } => provider_word::take(exchange, host, downstream).await,
        Step::Renewed { origin } => Ok(respond::renewed(&exchange.request_id, &origin)),
        Step::Resend { host } => Ok(keeping::resend(exchange, host, downstream)),
        Step::SignOut { host } => sign_out(exchange, host, downstream).await,
        Step::Told { host } => told(site, host, downstream).await,
    }
}

/// How whoever wants a step wants to be answered. A posted form is a navigation too.
pub(super) fn asking(step: &Step, downstream: &Downstream<'_>) -> Asking {
    let request = downstream.req_header();
    match step {
        Step::AppPage { .. }
        | Step::KeepPost { .. }
        | Step::NotSent { .. }
        | Step::Posted { .. }
        | Step::Told { .. } => Asking::of_form(&request.headers),
        Step::Begin { .. }
        | Step::Callback { .. }
        | Step::Finish { .. }
        | Step::Fragment { .. }
        | Step::Renewed { .. }
        | Step::Resend { .. }
        | Step::SignOut { .. } => Asking::of(&request.method, &request.headers),
        Step::Notice { .. } | Step::ProviderFrame { .. } | Step::ProviderWord { .. } => {
            Asking::Program
        }
    }
}

/// Sends somebody to sign in where the provider may have to be asked first.
async fn begin(
    exchange: &Exchange,
    host: usize,
    wanted: &Wanted,
    downstream: &Downstream<'_>,
) -> Result<Reply, Refused> {
    let site = &exchange.site;
    let host = &site.hosts[host];
    let request = downstream.req_header().as_owned_parts();
    let counter = host.counter(Cookies::of(&request.headers));
    let parties = host.parties();
    let party = parties.iter().find(|party| party.name == wanted.party);
    let nobody = || Refused::new(Trouble::Misconfigured, "no relying party");
    let (target, tenant) = (wanted.target.clone(), wanted.tenant.clone());
    let wish = Wish { party: party.ok_or_else(nobody)?, target, tenant };
    let outcome = site.desk.begin_elsewhere(counter, &wish).await;
    outcome.map_err(|failed| Refused::failed(host, failed))
}

async fn callback(
    exchange: &Exchange,
    host: usize,
    downstream: &Downstream<'_>,
) -> Result<Reply, Refused> {
    let site = &exchange.site;
    let host = &site.hosts[host];
    let request = downstream.req_header().as_owned_parts();
    let counter = host.counter(Cookies::of(&request.headers));
    let counter = counter.seen(audited::scene(downstream, exchange));
    let query = request.uri.query().unwrap_or_default();
    let parties = host.parties_at(request.uri.path());
    if let Some(page) = fragment_page(exchange, query, &parties) {
        return Ok(page);
    }
    let fields = Fields::parse(query.as_bytes()).unwrap_or_default();
    if asks_to_clean_up(&parties, &fields) {
        let session = session(exchange, host, counter.cookies).await?;
        let ended = site.desk.clean_up(counter, session.as_deref(), &parties).await;
        return ended.map_err(|failed| Refused::without_store().because(failed));
    }
    let outcome = match takes_address(&parties, &fields) {
        Some(legacy) => site.desk.addressed(counter, legacy, &request.headers, &fields).await,
        None => site.desk.complete(counter, query, &parties).await,
    };
    outcome.map_err(|failed| Refused::failed(host, failed))
}

/// The page that posts what stands behind the `#`, for a visit that brings nothing else and may have
/// something there; browsers send that to nobody.
fn fragment_page(exchange: &Exchange, query: &str, parties: &[&RelyingParty]) -> Option<Reply> {
    let mut asking = parties
        .iter()
        .filter(|party| party.flow == Flow::Code && party.response.mode == ResponseMode::Fragment);
    let fields = Fields::parse(query.as_bytes()).ok()?;
    let party = asking.next().filter(|_| !is_answer(&fields))?;
    let origin = exchange.site.desk.provider_origin(party);
    Some(respond::fragment(&exchange.request_id, &origin))
}

async fn finish(
    exchange: &Exchange,
    host: usize,
    downstream: &Downstream<'_>,
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
async fn sign_out(
    exchange: &Exchange,
    number: usize,
    downstream: &Downstream<'_>,
) -> Result<Reply, Refused> {
    let (site, host) = (&exchange.site, &exchange.site.hosts[number]);
    let request = downstream.req_header().as_owned_parts();
    let cookies = Cookies::of(&request.headers);
    let session = session(exchange, host, cookies).await?;
    let named = session.as_ref().map(|session| session.relying_party.as_str());
    let parties = host.parties();
    let party = parties.iter().find(|party| Some(party.name.as_str()) == named).or(parties.first());
    let counter = host.counter(cookies).seen(audited::scene(downstream, exchange));
    let outcome = site.desk.sign_out(counter, session.as_deref(), party.copied()).await;
    let reply = outcome.map_err(|failed| Refused::without_store().because(failed))?;
    session.iter().for_each(|session| site.refresher.revoke(session));
    Ok(reply)
}

async fn provider_frame(
    exchange: &Exchange,
    number: usize,
    downstream: &Downstream<'_>,
) -> Result<Reply, Refused> {
    let host = &exchange.site.hosts[number];
    let request = downstream.req_header().as_owned_parts();
    let cookies = Cookies::of(&request.headers);
    let session = session(exchange, host, cookies).await?;
    let counter = host.counter(cookies).seen(audited::scene(downstream, exchange));
    let query = request.uri.query().unwrap_or_default();
    provider_word::in_a_frame(exchange, counter, session, query).await
}

/// The living session of a browser.
async fn session(
    exchange: &Exchange,
    host: &HostSite,
    cookies: Cookies<'_>,
) -> Result<Option<Arc<SessionState>>, Refused> {
    match host.authenticator.sessions().ask(cookies, exchange.site.clock.now()).await {
        Loaded::Live(session) => Ok(Some(session)),
        Loaded::NotPresented | Loaded::Rejected(_) => Ok(None),
        Loaded::Unavailable => Err(Refused::without_store()),
    }
}

async fn posted(
    exchange: &Exchange,
    number: usize,
    downstream: &mut Downstream<'_>,
) -> Result<Reply, Refused> {
    let site = &exchange.site;
    let host = &site.hosts[number];
    let form = form(site, downstream).await?;
    let request = downstream.req_header().as_owned_parts();
    let counter = host.counter(Cookies::of(&request.headers));
    let counter = counter.seen(audited::scene(downstream, exchange));
    let parties = host.parties_at(request.uri.path());
    let outcome = site.desk.received(counter, &parties, &request.headers, &form).await;
    outcome.map_err(|failed| Refused::failed(host, failed))
}

async fn told(
    site: &Site,
    number: usize,
    downstream: &mut Downstream<'_>,
) -> Result<Reply, Refused> {
    let host = &site.hosts[number];
    let fields = match downstream.req_header().method == Method::POST {
        true => form(site, downstream).await?,
        false => downstream.req_header().uri.query().unwrap_or_default().as_bytes().to_vec(),
    };
    let request = downstream.req_header().as_owned_parts();
    let counter = host.counter(Cookies::of(&request.headers));
    Err(Refused::failed(host, site.desk.told(counter, &fields)))
}

async fn form(site: &Site, downstream: &mut Downstream<'_>) -> Result<Vec<u8>, Refused> {
    let limits = &site.settings.limits;
    match wire::read_form(downstream, limits.form_bytes, limits.form_timeout).await {
        Form::Whole(form) => Ok(form),
        Form::TooLarge => Err(Refused::over(Over::of(Limit::FormBytes))),
        Form::Stopped => {
            let detail = "the form did not arrive whole in its time";
            Err(Refused::new(Trouble::BadRequest, detail))
        }
    }
}
