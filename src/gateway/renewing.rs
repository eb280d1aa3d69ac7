//! Signing in again beside a page that stays as it is: in a window or a frame of its own, which tells that
//! page when it is done, and the script that makes use of it.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::authn::{Authenticated, Denied, Permit, Wanted};
use crate::clock::Timestamp;
use crate::config::Route;
use crate::crypto::plain_sha256;
use crate::identity::ContextId;
use crate::pages::{self, Trouble};
use crate::session::SessionState;
use crate::web::{Fields, Inbound, PublicOrigin, Reply, ReturnTo};

use super::fruitless::{Fruitless, fruitless};
use super::own_names::target;
use super::parties::party_of;
use super::respond::Refused;
use super::site::{HostSite, Site};
use super::start::{
    asked_by_a_page, counted, named_tenant, only_tenant, route_of, sign_in, with_whom,
};
use super::verdict::{Step, Verdict};

/// The page that tells of it where somebody is signed in as it takes, and otherwise a sign-in that leads
/// here again.
///
/// `for` is the address it is for, `origin` whose page is told: the host's own where it is left out, else one of
/// those configured. `with` and `tenant` are as at the sign-in address.
pub(super) fn answer(site: &Site, number: usize, inbound: &Inbound<'_>, now: Timestamp) -> Verdict {
    let host = &site.hosts[number];
    let refuse = |why: &str| Verdict::Refuse(Refused::new(Trouble::BadRequest, why));
    if !asked_by_a_page(inbound) {
        return refuse("a renewal asked for by something that is not a page");
    }
    let Ok(fields) = Fields::parse(inbound.query().as_bytes()) else {
        return refuse("a parameter twice");
    };
    let Some(origin) = page_told(host, fields.get("origin")) else {
        return refuse("a renewal for a page of an origin that is none of cors_origins");
    };
    let wanted = target(host, fields.get("for"));
    let route = route_of(site, inbound, &wanted);
    let named = match named_tenant(route, &wanted, fields.get("tenant")) {
        Ok(named) => named,
        Err(refused) => return Verdict::Refuse(*refused),
    };
    let with = fields.get("with");
    let asked = Asked { site, host, route, tenant: named.as_ref(), with };
    match host.authenticator.authenticate(inbound, now) {
        Authenticated::Proven(session) if asked.is_met_by(&session, now) => {
            Verdict::Wait(Step::Renewed { origin: origin.clone() })
        }
        Authenticated::Unavailable => Verdict::Refuse(Refused::without_store()),
        Authenticated::Proven(_) | Authenticated::Nobody | Authenticated::Rejected(_) => {
            let tenant = named.or_else(|| route.and_then(only_tenant));
            let parties = with_whom(host, route, (with, tenant.as_ref()));
            let here = ReturnTo::of(inbound);
            counted(site, inbound, || sign_in(site, host, inbound, here, &parties, tenant))
        }
    }
}

/// The script, for anybody to keep for a while and to ask whether it changed.
pub(super) fn script(inbound: &Inbound<'_>) -> Reply {
    let kept = inbound.header(header::IF_NONE_MATCH).map(|value| value.as_bytes());
    let mark = MARK.as_str();
    let reply = match kept == Some(mark.as_bytes()) {
        true => Reply::status(StatusCode::NOT_MODIFIED),
        false => Reply::script(pages::renew_script()),
    };
    let reply = reply.kept_for(KEPT_FOR);
    let reply = match HeaderValue::try_from(mark) {
        Ok(mark) => reply.with(header::ETAG, mark),
        Err(_) => reply,
    };
    // There is nothing in it, and pages that isolate themselves take it only so.
    reply.with(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"))
}

/// Whose page is told.
fn page_told<'h>(host: &'h HostSite, origin: Option<&str>) -> Option<&'h PublicOrigin> {
    let own = &host.host.origin;
    let Some(origin) = origin else { return Some(own) };
    let mut known = std::iter::once(own).chain(&host.host.cors_origins);
    known.find(|known| known.as_str() == origin)
}

/// What a session has to be for.
struct Asked<'a> {
    site: &'a Site,
    host: &'a HostSite,
    route: Option<&'a Route>,
    tenant: Option<&'a ContextId>,
    with: Option<&'a str>,
}

impl Asked<'_> {
    /// Whether signing in again would change nothing: who is kept out by a rule is signed in.
    fn is_met_by(&self, session: &Arc<SessionState>, now: Timestamp) -> bool {
        let party = session.relying_party.as_str();
        if self.with.is_some_and(|with| with != party) || party_of(self.host, session).is_none() {
            return false;
        }
        let Some(route) = self.route else { return true };
        let wanted = Wanted { host: &self.host.host, route, tenant: self.tenant };
        match Permit::ask(wanted, session.clone(), now) {
            Ok(_) => !matches!(fruitless(self.site, route, session), Some(Fruitless::Ticket)),
            Err(Denied::Administrator | Denied::Claim | Denied::Tenant) => true,
            Err(Denied::AnotherTenant | Denied::Credential | Denied::RelyingParty) => false,
        }
    }
}

/// What tells one script from the next.
static MARK: LazyLock<String> = LazyLock::new(|| {
    let digest = plain_sha256(pages::renew_script().as_bytes());
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..12]))
});
/// Seconds: after an upgrade pages go on with the old script for as long.
const KEPT_FOR: u32 = 3600;
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
