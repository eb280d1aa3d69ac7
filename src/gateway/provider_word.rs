//! Sign-out at a provider, as that one tells us: a logout token from its server, or a frame of its page.
//!
//! A token's cases, in the order they are decided:
//! 1. more than 64 KiB, broken off, or no form with `logout_token` once: refused;
//! 2. not verified for any relying party of the host, or used before: 400 that says no more;
//! 3. the provider's keys cannot be had, or not everybody could be told: 503, and the token may come
//!    again;
//! 4. what it names is over here, in every replica and after a restart: 200, empty.

use std::sync::Arc;

use super::downstream::Downstream;
use http::StatusCode;

use crate::pages::Trouble;
use crate::session::SessionState;
use crate::signin::{Counter, NotEnded};
use crate::telemetry::{Event, Revocation};
use crate::web::{Fields, Reply};

use super::audited;
use super::exchange::Exchange;
use super::respond::Refused;
use super::wire::{self, Form};

/// Reads a logout token and acts on it (OpenID Connect Back-Channel Logout §2.5 to §2.8).
///
/// # Errors
/// What its sender is told, which is why not in one word.
pub(super) async fn take(
    exchange: &Exchange,
    number: usize,
    downstream: &mut Downstream<'_>,
) -> Result<Reply, Refused> {
    let site = &exchange.site;
    let time = site.settings.limits.form_timeout;
    let form = match wire::read_form(downstream, LARGEST, time).await {
        Form::Whole(form) => form,
        Form::TooLarge => return Err(Refused::new(Trouble::TooLarge, "a logout of over 64 KiB")),
        Form::Stopped => {
            return Err(Refused::new(Trouble::BadRequest, "the logout did not arrive whole"));
        }
    };
    let fields = Fields::parse(&form).unwrap_or_default();
    let Some(token) = fields.get("logout_token") else {
        return Err(Refused::new(Trouble::BadRequest, "no form with one logout_token"));
    };
    let parties = site.hosts[number].parties();
    let ended = site.desk.ended_elsewhere(&parties, token, site.revocations()).await;
    let ended = ended.map_err(|failed| {
        let trouble = match failed {
            NotEnded::Refused(_) | NotEnded::Replayed => Trouble::BadRequest,
            NotEnded::Unreachable(_) | NotEnded::NotSpread(_) | NotEnded::NotRemembered(_) => {
                Trouble::TooBusy
            }
        };
        Refused::new(trouble, format!("sign-out by the provider: {failed}"))
    })?;
    let scene = audited::scene(downstream, exchange);
    tracing::info!(
        request_id = scene.request_id,
        provider = ended.provider,
        whose = ended.whose,
        "the provider has signed somebody out"
    );
    site.metrics.sessions().revoked(match ended.whose {
        "session" => Revocation::ProviderSession,
        _ => Revocation::Person,
    });
    scene.record(Event::ProviderSignOut { provider: &ended.provider, whose: ended.whose });
    Ok(Reply::status(StatusCode::OK))
}

/// Ends the session of a browser that shows the provider's sign-out page, if the page names it.
///
/// # Errors
/// When the session could not be ended.
pub(super) async fn in_a_frame(
    exchange: &Exchange,
    counter: Counter<'_>,
    session: Option<Arc<SessionState>>,
    query: &str,
) -> Result<Reply, Refused> {
    let fields = Fields::parse(query.as_bytes()).unwrap_or_default();
    let (site, sessions) = (&exchange.site, counter.sessions);
    let ended = site.desk.ended_in_a_frame(counter, session.as_deref(), &fields).await;
    let reply = ended.map_err(|failed| Refused::without_store().because(failed))?;
    let over = session.filter(|session| !sessions.lives(session, site.clock.now()));
    over.iter().for_each(|session| site.refresher.revoke(session));
    Ok(reply)
}

/// Bytes of a form: a token of ours may have 16 KiB.
const LARGEST: usize = 64 * 1024;
