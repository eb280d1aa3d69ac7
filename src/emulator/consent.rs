//! Consent: an administrator's yes to an app, once for each tenant (`superid.md` §7).

use super::answer::Answer;
use super::apps::App;
use super::call::Call;
use super::finish::finish;
use super::pages;
use super::seed::Rights;
use super::visit::{self, Pending};
use super::world::{Seat, World};

/// On to the end where consent is there; else to the consent page, which only administrators see.
pub(super) fn pass(world: &World, pending: &Pending, app: &App, seat: Seat<'_>) -> Answer {
    let request = &pending.request;
    if world.consents.given(app, &seat.tenant.ctx) {
        return finish(world, request, seat);
    }
    if seat.account.rights != Rights::Administrator {
        let page = pages::no_access(&pending.id, &seat.person.upn, request);
        return page.refused("consent needs an administrator");
    }
    match visit::refuses_pages(request) {
        true => visit::refuse(world, request, "consent_required"),
        false => pages::consent(&pending.id, app, seat),
    }
}

/// `POST /login/consent` with `request` and `decision`.
pub(super) fn submit(world: &World, call: &Call) -> Answer {
    let Some(pending) = visit::pending(world, call) else {
        return pages::forgotten();
    };
    let Some((_, signed_in)) = visit::session(world, call) else {
        return pages::forgotten();
    };
    let Some(app) = world.apps.find(&pending.request.client_id) else {
        return pages::technical_error("unknown client");
    };
    let answer = match visit::seat(world, &pending.request, &signed_in) {
        Some(seat) if call.param("decision") == Some("accept") => {
            if seat.account.rights == Rights::Administrator {
                world.consents.give(&app.client_id, &seat.tenant.ctx);
            }
            pass(world, &pending, &app, seat)
        }
        Some(_) => visit::refuse(world, &pending.request, "access_denied"),
        None => pages::forgotten(),
    };
    answer.for_client(&app.client_id)
}
