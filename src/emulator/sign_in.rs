//! The way from a request to a code or a form: who is it, in which tenant, with whose consent.

use http::header;

use super::answer::Answer;
use super::call::Call;
use super::consent;
use super::grants::{
    Code, Goal, Grant, Prompt, REQUEST_LIFETIME, Request, SESSION_LIFETIME, SignedIn, alphanumeric,
};
use super::legacy;
use super::pages;
use super::seed::{Person, Tenant};
use super::world::{Seat, World};

/// SuperID's own session cookie (`superid.md` §4). Not `Secure`: the emulator is plain HTTP.
pub(super) const COOKIE: &str = "SoOnlineAuth";

/// A remembered request and the name its pages know it by.
pub(super) struct Pending {
    pub(super) id: String,
    pub(super) request: Request,
}

/// Takes a checked request: silently on where SuperID knows the browser, else to the page.
pub(super) fn begin(world: &World, call: &Call, request: Request) -> Answer {
    let id = alphanumeric(32);
    world.grants.requests.put(&id, request.clone(), world.now() + REQUEST_LIFETIME);
    let pending = Pending { id, request };
    match session(world, call).filter(|session| suits(session, &pending.request)) {
        Some((_, signed_in)) => advance(world, &pending, &signed_in),
        None => ask_who(world, &pending),
    }
}

/// `/login/sign-in`: `GET` shows the people, `POST` signs `person` in, into `tenant`.
pub(super) fn submit(world: &World, call: &Call) -> Answer {
    let Some(pending) = pending(world, call) else {
        return pages::forgotten();
    };
    let Some(person) = call.param("person") else {
        return ask_who(world, &pending);
    };
    let Some(person) = world.seed.person(person) else {
        return pages::no_access(&pending.id, person, &pending.request).refused("unknown person");
    };
    let tenant = call.param("tenant").map(str::to_owned);
    if tenant.as_ref().is_some_and(|ctx| person.membership(ctx).is_none()) {
        let page = pages::no_access(&pending.id, &person.upn, &pending.request);
        return page.refused("no account there");
    }
    let signed_in = SignedIn { upn: person.upn.clone(), tenant };
    let id = alphanumeric(32);
    world.grants.sessions.put(&id, signed_in.clone(), world.now() + SESSION_LIFETIME);
    let cookie = format!("{COOKIE}={id}; Path=/login; HttpOnly; SameSite=Lax");
    advance(world, &pending, &signed_in).with(header::SET_COOKIE, &cookie)
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

/// From a signed-in person to the end, or to the next page that has to be shown.
fn advance(world: &World, pending: &Pending, signed_in: &SignedIn) -> Answer {
    let request = &pending.request;
    let answer = match choose(world, request, signed_in) {
        Choice::Seat(seat) => match world.apps.find(&request.client_id) {
            Some(app) => consent::pass(world, pending, &app, seat),
            None => pages::technical_error("unknown client"),
        },
        Choice::Several(person, tenants) => match refuses_pages(request) {
            true => refuse(request, "account_selection_required"),
            false => pages::tenants(&pending.id, person, &tenants),
        },
        Choice::Nowhere => {
            pages::no_access(&pending.id, &signed_in.upn, request).refused("no account there")
        }
    };
    answer.for_client(&request.client_id)
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
enum Choice<'a> {
    Nowhere,
    Seat(Seat<'a>),
    Several(&'a Person, Vec<&'a Tenant>),
}

/// What was asked for wins, then what was picked last, then the only one there is.
fn choose<'a>(world: &'a World, request: &Request, signed_in: &SignedIn) -> Choice<'a> {
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

/// Ends a request: a code to the app, or the legacy form.
pub(super) fn finish(world: &World, request: &Request, seat: Seat<'_>) -> Answer {
    let grant = Grant {
        client_id: request.client_id.clone(),
        upn: seat.person.upn.clone(),
        ctx: seat.tenant.ctx.clone(),
    };
    match &request.goal {
        Goal::Form { target } => legacy::send(world, &grant, seat, target.as_deref()),
        Goal::Code(callback) => {
            let code = Code {
                grant,
                redirect_uri: callback.redirect_uri.clone(),
                nonce: callback.nonce.clone(),
                challenge: callback.challenge.clone(),
            };
            callback.deliver(&[("code", &world.grants.code(code, world.now()))])
        }
    }
}

/// Tells the app no; the legacy flow has no words for that, so the browser stays with SuperID.
pub(super) fn refuse(request: &Request, error: &'static str) -> Answer {
    match &request.goal {
        Goal::Code(callback) => callback.deliver(&[("error", error)]).refused(error),
        Goal::Form { .. } => pages::denied().refused(error),
    }
}

/// Whether the app forbade pages with `prompt=none`.
pub(super) fn refuses_pages(request: &Request) -> bool {
    request.prompt == Prompt::None
}

fn ask_who(world: &World, pending: &Pending) -> Answer {
    let request = &pending.request;
    if refuses_pages(request) {
        return refuse(request, "login_required");
    }
    let app = world.apps.find(&request.client_id);
    let name = app.map_or_else(|| request.client_id.clone(), |app| app.name);
    pages::people(world, &pending.id, &name, request)
}

/// Whether SuperID's session will do: `prompt=login` and a hint at somebody else say no.
fn suits((_, session): &(String, SignedIn), request: &Request) -> bool {
    let hinted = request.login_hint.as_deref();
    let meant = hinted.is_none_or(|hint| hint.eq_ignore_ascii_case(&session.upn));
    request.prompt != Prompt::Login && meant
}
