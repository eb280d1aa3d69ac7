//! State-change notices of SuperOffice's: who they are about is asked after, and nothing in them is
//! believed (`superid.md` §1).
//!
//! Cases, in the order they are decided:
//! 1. more than 16 KiB, or broken off: refused;
//! 2. not verified under any environment of the host's relying parties: 400 that says no more;
//! 3. a token that was used: the same;
//! 4. SuperID cannot be asked, or the vault fails: 503, and the token may be used again;
//! 5. the state API has answered and what it says is done, and where it says that the tenant is gone or
//!    suspended, nobody of it is signed in any more: 200, empty.

use std::error::Error as _;
use std::sync::Arc;

use super::downstream::Downstream;
use http::StatusCode;

use crate::config::Environment;
use crate::credentials::Noticed;
use crate::identity::ContextId;
use crate::pages::Trouble;
use crate::session::{Remembered, What};
use crate::superid::{NoticeRefused, TenantNotice};
use crate::telemetry::{Event, Revocation};
use crate::web::Reply;

use super::audited;
use super::exchange::Exchange;
use super::respond::Refused;
use super::site::{HostSite, Site};
use super::wire::{self, Form};

/// Reads a notice and acts on it.
///
/// # Errors
/// What its sender is told, which is why not in one word.
pub(super) async fn take(
    site: &Site,
    host: usize,
    downstream: &mut Downstream<'_>,
    exchange: &Exchange,
) -> Result<Reply, Refused> {
    let time = site.settings.limits.form_timeout;
    let body = match wire::read_form(downstream, LARGEST, time).await {
        Form::Whole(body) => body,
        Form::TooLarge => {
            return Err(Refused::new(Trouble::TooLarge, "a notice of more than 16 KiB"));
        }
        Form::Stopped => {
            return Err(Refused::new(Trouble::BadRequest, "the notice did not arrive whole"));
        }
    };
    let (environment, notice) = verified(site, &site.hosts[host], &body).await?;
    let used = site.memory().used;
    let id = id(&notice);
    if used.knows(&id, site.clock.now()) {
        return Err(replayed());
    }
    let parties = site.settings.relying_parties.iter().map(|party| &**party);
    let came =
        site.users.noticed(parties, &environment, &notice.tenant).await.map_err(|failed| {
            let why = failed.source().map(|source| format!(": {source}")).unwrap_or_default();
            Refused::new(Trouble::TooBusy, format!("{notice:?}: {failed}{why}"))
        })?;
    sign_out(site, &environment, &notice.tenant, came).await?;
    if let Some(refused) = spend(&used, &id, &notice, site) {
        return Err(refused);
    }
    site.metrics.recent().changed(
        "tenant_notice",
        &format!("said {:?}, found {came:?}", notice.change),
        Some(notice.tenant.as_str()),
    );
    let scene = audited::scene(downstream, exchange);
    tracing::info!(
        request_id = scene.request_id,
        tenant = %notice.tenant,
        environment = environment.name,
        said = ?notice.change,
        found = ?came,
        "state-change notice"
    );
    scene.record(Event::TenantNotice {
        tenant: notice.tenant.as_str(),
        environment: &environment.name,
        said: &format!("{:?}", notice.change),
        found: &format!("{came:?}"),
    });
    Ok(Reply::status(StatusCode::OK))
}

/// Ends everybody's sessions of a tenant that SuperID says is gone or does not run: what was let in
/// under its approval goes with it.
async fn sign_out(
    site: &Site,
    environment: &Environment,
    tenant: &ContextId,
    came: Noticed,
) -> Result<(), Refused> {
    if !matches!(came, Noticed::Deleted | Noticed::Suspended) {
        return Ok(());
    }
    let what = What::Tenant { authority: &environment.name, tenant };
    let revoked = site.revocations().revoke(what, site.clock.now()).await;
    site.metrics.sessions().revoked(Revocation::Tenant);
    revoked
        .map_err(|failed| Refused::new(Trouble::TooBusy, format!("sign-out of {tenant}: {failed}")))
}

/// The notice, if SuperOffice has signed it in an environment people sign in with here.
async fn verified(
    site: &Site,
    host: &HostSite,
    body: &[u8],
) -> Result<(Arc<Environment>, TenantNotice), Refused> {
    let mut why = Refused::new(Trouble::BadRequest, "notice: no relying party serves this host");
    let mut asked: Vec<&str> = Vec::new();
    for party in host.parties() {
        let Some(environment) = party.environment() else { continue };
        if asked.contains(&environment.name.as_str()) {
            continue;
        }
        asked.push(&environment.name);
        match site.superid.verify_notice(environment, body).await {
            Ok(notice) => return Ok((environment.clone(), notice)),
            Err(refused @ NoticeRefused::Outage(_)) => {
                why = Refused::new(Trouble::TooBusy, detail(&refused));
            }
            // Where one environment's keys cannot be had, the notice may still be its.
            Err(refused) if why.status() == StatusCode::BAD_REQUEST => {
                why = Refused::new(Trouble::BadRequest, detail(&refused));
            }
            Err(_) => {}
        }
    }
    Err(why)
}

/// Two at once are both acted on, which comes to the same; one of them is told so.
fn spend(used: &Remembered, id: &[u8; 16], notice: &TenantNotice, site: &Site) -> Option<Refused> {
    match used.first(id, notice.expires(), site.clock.now()) {
        Ok(true) => None,
        Ok(false) => Some(replayed()),
        Err(full) => Some(Refused::new(Trouble::TooBusy, full.to_string())),
    }
}

/// Sign-ins go by the first half of a token's digest. Notices go by the other: neither can use up
/// what is the other's.
fn id(notice: &TenantNotice) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&notice.digest()[16..]);
    id
}

fn replayed() -> Refused {
    Refused::new(Trouble::BadRequest, "notice: its token was used before")
}

fn detail(refused: &NoticeRefused) -> String {
    let why = refused.source().map(|source| format!(": {source}")).unwrap_or_default();
    format!("notice: {refused}{why}")
}

/// Bytes of a notice: a token of SuperOffice's has two or three thousand.
const LARGEST: usize = 16 * 1024;
