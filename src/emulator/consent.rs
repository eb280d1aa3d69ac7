//! Consent: somebody's yes to an app, once for each tenant (`superid.md` §7).

use super::answer::Answer;
use super::apps::{App, AuthorizationLevel};
use super::call::Call;
use super::consents::Word;
use super::ending::Ending;
use super::finish::finish;
use super::pages;
use super::refusal;
use super::seed::Rights;
use super::visit::{self, Pending};
use super::world::{Seat, World};

/// On to the end where consent is there; else to the consent page, for whoever may approve, or to
/// an end without a sign-in.
pub(super) fn pass(world: &World, pending: &Pending, app: &App, seat: Seat<'_>) -> Answer {
    let request = &pending.request;
    let end = |ending| refusal::end(&pending.id, request, app, &seat.person.upn, ending);
    let forced = request.ending.or_else(|| world.faults.ending(&app.client_id, &seat.tenant.ctx));
    if let Some(ending) = forced {
        return end(ending);
    }
    let word = world.consents.word(app, &seat.tenant.ctx);
    let asks_nobody = app.level == AuthorizationLevel::Implicit;
    match word {
        Some(Word::Given) => return finish(world, request, seat),
        None if asks_nobody => return finish(world, request, seat),
        Some(Word::Denied) => return end(Ending::Denied),
        _ if !may_approve(app, seat) => return end(locked_out(app, word)),
        _ => {}
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
            if may_approve(&app, seat) && may_be_asked(world, &app, seat) {
                world.consents.give(&app.client_id, &seat.tenant.ctx);
            }
            pass(world, &pending, &app, seat)
        }
        Some(_) => visit::refuse(world, &pending.request, "access_denied"),
        None => pages::forgotten(),
    };
    answer.for_client(&app.client_id)
}

/// Who may say yes (`superid.md` §7): with `Explicit` SuperOffice's operations alone.
fn may_approve(app: &App, seat: Seat<'_>) -> bool {
    match app.level {
        AuthorizationLevel::Explicit => false,
        AuthorizationLevel::Admin => seat.account.rights == Rights::Administrator,
        AuthorizationLevel::User | AuthorizationLevel::Implicit => true,
    }
}

/// A denial is nobody's in the tenant to undo.
fn may_be_asked(world: &World, app: &App, seat: Seat<'_>) -> bool {
    world.consents.word(app, &seat.tenant.ctx) != Some(Word::Denied)
}

/// What somebody meets who cannot approve.
fn locked_out(app: &App, word: Option<Word>) -> Ending {
    match word {
        Some(Word::NeedsReapproval) => Ending::NeedsReapproval,
        Some(Word::Withdrawn) => Ending::Revoked,
        _ if app.level == AuthorizationLevel::Explicit => Ending::Denied,
        _ => Ending::NoAccess,
    }
}
