//! Steps of a sign-in that wait for a form or for SuperID.

use pingora::proxy::Session as Downstream;

use crate::pages::Trouble;
use crate::telemetry::Limit;
use crate::web::{Cookies, Reply};

use super::exchange::Exchange;
use super::respond::Refused;
use super::site::Site;
use super::turnstile::Over;
use super::verdict::Step;
use super::wire::Form;
use super::{notices, wire};

/// Takes a step that waits for a form or for SuperID. Both are bounded: the form by size and the
/// connection's timeouts, SuperID by the back channel's.
pub(super) async fn take(
    downstream: &mut Downstream,
    exchange: &Exchange,
    step: Step,
) -> pingora::Result<Result<Reply, Refused>> {
    let site = &exchange.site;
    match step {
        Step::Callback { host } => {
            let host = &site.hosts[host];
            let request = downstream.req_header().as_owned_parts();
            let counter = host.counter(Cookies::of(&request.headers));
            let query = request.uri.query().unwrap_or_default();
            // Each redirect URL takes its own attempts only (RFC 9700 §4.4.2.2: mix-up).
            let mut parties = host.parties();
            parties.retain(|party| party.redirect_path == request.uri.path());
            let outcome = site.desk.complete(counter, query, &parties).await;
            Ok(outcome.map_err(|failed| Refused::failed(host, failed)))
        }
        Step::Finish { host } => {
            let host = &site.hosts[host];
            let request = downstream.req_header().as_owned_parts();
            let counter = host.counter(Cookies::of(&request.headers));
            let outcome = site.desk.finish(counter, &host.parties()).await;
            Ok(outcome.map_err(|failed| Refused::failed(host, failed)))
        }
        Step::Notice { host } => Ok(notices::take(site, host, downstream).await),
        Step::Posted { host } => Ok(posted(downstream, site, host).await),
    }
}

async fn posted(downstream: &mut Downstream, site: &Site, number: usize) -> Result<Reply, Refused> {
    let host = &site.hosts[number];
    let most = site.settings.limits.form_bytes;
    let form = match wire::read_form(downstream, most).await {
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
