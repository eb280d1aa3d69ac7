//! A browser's visit to SuperID: the request it came with, its session, and the tenant it goes to.

use super::answer::Answer;
use super::call::Call;
use super::delivery::deliver;
use super::ending::Ending;
use super::grants::{Goal, Prompt, Request, SignedIn};
use super::pages;
use super::refusal;
use super::seed::{Person, Tenant};
use super::world::{Seat, World};

/// SuperID's own session cookie (`superid.md` §4). Not `Secure`: the emulator is plain HTTP.
pub(super) const COOKIE: &str = "SoOnlineAuth";

/// A remembered request and the name its pages know it by.
pub(super) struct Pending {
    pub(super) id: String,
    pub(super) request: Request,
}

/// The remembered request a page's hidden field names.
pub(super) fn pending(world: &World, call: &Call) -> Option<Pending> {
    let id = call.param("request")?;
    let request = world.grants.requests.get(id, world.now())?;
    Some(Pending { id: id.to_owned(), request })
}

/// SuperID's session of this browser and its id.
pub(super) fn session(world: &World, call: &Call) -> Option<(String, SignedIn)> {
    let id = call.cookie(COOKIE)?;
    let signed_in = world.grants.sessions.get(id, world.now())?;
    Some((id.to_owned(), signed_in))
}

/// The one tenant this person would go to, if it needs no picking.
pub(super) fn seat<'a>(
    world: &'a World,
    request: &Request,
    signed_in: &SignedIn,
) -> Option<Seat<'a>> {
    match choose(world, request, signed_in) {
        Choice::Seat(seat) => Some(seat),
        Choice::Nowhere | Choice::Several(..) => None,
    }
}

/// Which tenant a signed-in person goes to.
pub(super) enum Choice<'a> {
    Nowhere,
    Seat(Seat<'a>),
    Several(&'a Person, Vec<&'a Tenant>),
}

/// What was asked for wins, then what was picked last, then the only one there is.
pub(super) fn choose<'a>(world: &'a World, request: &Request, signed_in: &SignedIn) -> Choice<'a> {
    let upn = &signed_in.upn;
    if let Some(ctx) = request.tenant.as_ref().or(signed_in.tenant.as_ref()) {
        return world.seat(upn, ctx).map_or(Choice::Nowhere, Choice::Seat);
    }
    let Some(person) = world.seed.person(upn) else {
        return Choice::Nowhere;
    };
    let accounts = person.memberships.iter();
    let tenants: Vec<_> = accounts.filter_map(|seat| world.seed.tenant(&seat.ctx)).collect();
    match tenants.as_slice() {
        [] => Choice::Nowhere,
        [only] => world.seat(upn, &only.ctx).map_or(Choice::Nowhere, Choice::Seat),
        _ => Choice::Several(person, tenants),
    }
}

/// Tells the app no; the legacy flow has no words for that, so the browser stays with SuperID,
/// or goes to the app's error address.
pub(super) fn refuse(world: &World, request: &Request, error: &'static str) -> Answer {
    match &request.goal {
        Goal::Callback(callback) => {
            deliver(&world.faults, callback, &[("error", error)]).refused(error)
        }
        Goal::Form { .. } => match world.apps.find(&request.client_id) {
            Some(app) => refusal::end("", request, &app, "", Ending::Denied),
            None => pages::technical_error("unknown client"),
        },
    }
}

/// Whether the app forbade pages with `prompt=none`.
pub(super) fn refuses_pages(request: &Request) -> bool {
    request.prompt == Prompt::None
}
