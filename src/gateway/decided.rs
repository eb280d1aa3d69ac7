//! A decision that may have to wait: for the session store before it, or for a session to be refreshed.

use crate::redis_link::Allowance;
use crate::web::Inbound;

use super::decide::{decide, resume, session_question};
use super::site::Site;
use super::verdict::{Pause, Verdict};

/// What becomes of a request. It waits where it must, within bounds, and no longer.
/// `stores` is how long it may wait for stores.
pub(super) async fn decided(site: &Site, inbound: &Inbound<'_>, stores: &mut Allowance) -> Verdict {
    if let Some(question) = session_question(site, inbound) {
        stores.bound(Box::pin(question.ask())).await;
    }
    match decide(site, inbound, site.clock.now()) {
        Verdict::Refresh(pause) => Box::pin(refreshed(site, inbound, (*pause, stores))).await,
        verdict => verdict,
    }
}

async fn refreshed(
    site: &Site,
    inbound: &Inbound<'_>,
    (pause, stores): (Pause, &mut Allowance),
) -> Verdict {
    let Pause { waiting, standing } = pause;
    let _what_it_brought_is_found = waiting.landed(site.settings.limits.superid_timeout).await;
    if let Some(question) = session_question(site, inbound) {
        stores.bound(question.ask()).await;
    }
    resume(site, inbound, standing, site.clock.now())
}
