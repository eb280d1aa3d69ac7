//! The verdict on a background job's request, without a socket.

use http::{HeaderMap, header};

use crate::authn::{Asked, CallDenied, CallPermit, From};
use crate::web::{Inbound, JobDoor, Peer, Refusal, Slashes};

use super::super::about::About;
use super::super::respond::Refused;
use super::super::site::Site;
use super::super::verdict::Verdict;
use super::call::Call;
use super::target::Target;
use super::trouble::CallTrouble;

/// Whether somebody has passed a request on, by what it says of itself before it is cleaned: then
/// where it comes from says nothing of who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum Relayed {
    No,
    Yes,
}

impl Relayed {
    pub(in crate::gateway) fn of(headers: &HeaderMap) -> Self {
        // Few names are there: to look at them costs less than to look four up.
        let relayed = headers.keys().any(|name| RELAYS.contains(&name.as_str()));
        if relayed { Self::Yes } else { Self::No }
    }
}

/// Decides, for a request that came to a job listener from somebody.
pub(in crate::gateway) fn decide_job(
    site: &Site,
    (door, peer, relayed): (&JobDoor, Peer, Relayed),
    inbound: &Inbound<'_>,
) -> Verdict {
    let Some(number) = site.job_listener(door.listener()) else {
        return Verdict::Refuse(Refused::refusal(Refusal::UnknownHost));
    };
    let from = From { door, peer: (relayed == Relayed::No).then_some(peer) };
    match permitted(site, number, from, inbound) {
        Ok(call) => Verdict::Call { listener: number, call: Box::new(call) },
        Err(refused) => Verdict::Refuse(refused),
    }
}

fn permitted(
    site: &Site,
    number: usize,
    from: From<'_>,
    inbound: &Inbound<'_>,
) -> Result<Call, Refused> {
    let listener = &site.settings.job_listeners[number];
    let target = match inbound.slashes() {
        Slashes::Encoded => None,
        Slashes::Plain => Target::parse(inbound.target()),
    };
    let Some(target) = target else {
        return Err(Refused::call(CallTrouble::NoSuchCall, "no path of a tenant's web service"));
    };
    let asked = Asked { tenant: target.tenant, below: target.below };
    let permit = CallPermit::ask(listener, from, inbound, asked).map_err(denied)?;
    if inbound.headers().contains_key(header::UPGRADE) {
        return Err(Refused::call(CallTrouble::NoUpgrade, "an upgrade on a job listener"));
    }
    let partner = site.users.partner(&listener.relying_party);
    Ok(Call::of_a_job(permit, partner, target.below, target.service))
}

const RELAYS: [&str; 4] = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];

fn denied(denied: CallDenied) -> Refused {
    match denied {
        CallDenied::Nobody => {
            Refused::call(CallTrouble::CallerUnknown, "nobody proved to be a caller")
        }
        CallDenied::Page => {
            let detail = "from this machine, but not as a program calls";
            Refused::call(CallTrouble::CallFromPage, detail)
        }
        CallDenied::Path(caller) => {
            Refused::call(CallTrouble::PathNotAllowed, "not one of the caller's paths")
                .about(About::Caller(caller))
        }
        CallDenied::Tenant(caller) => {
            Refused::call(CallTrouble::TenantNotAllowed, "not one of the caller's tenants")
                .about(About::Caller(caller))
        }
    }
}
