//! The way from a request to a code or a form: who is it, in which tenant, with whose consent.

use http::header;

use super::answer::Answer;
use super::call::Call;
use super::consent;
use super::ending::Ending;
use super::grants::{Prompt, REQUEST_LIFETIME, Request, SESSION_LIFETIME, SignedIn, alphanumeric};
use super::pages;
use super::refusal;
use super::visit::{COOKIE, Choice, Pending, choose, pending, refuse, refuses_pages, session};
use super::world::World;

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
    let Some(mut pending) = pending(world, call) else {
        return pages::forgotten();
    };
    if let Some(ending) = call.param("ending").and_then(Ending::named) {
        pending.request.ending = Some(ending);
        let end = world.now() + REQUEST_LIFETIME;
        world.grants.requests.put(&pending.id, pending.request.clone(), end);
    }
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

/// From a signed-in person to the end, or to the next page that has to be shown.
fn advance(world: &World, pending: &Pending, signed_in: &SignedIn) -> Answer {
    let request = &pending.request;
    let answer = match choose(world, request, signed_in) {
        Choice::Seat(seat) => match world.apps.find(&request.client_id) {
            Some(app) => consent::pass(world, pending, &app, seat),
            None => pages::technical_error("unknown client"),
        },
        Choice::Several(person, tenants) => match refuses_pages(request) {
            true => refuse(world, request, "account_selection_required"),
            false => pages::tenants(&pending.id, person, &tenants),
        },
        Choice::Nowhere => match world.apps.find(&request.client_id) {
            Some(app) => refusal::end(&pending.id, request, &app, &signed_in.upn, Ending::NoAccess),
            None => pages::technical_error("unknown client"),
        },
    };
    answer.for_client(&request.client_id)
}

fn ask_who(world: &World, pending: &Pending) -> Answer {
    let request = &pending.request;
    if refuses_pages(request) {
        return refuse(world, request, "login_required");
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
