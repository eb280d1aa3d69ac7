//! The end of a request: a code for the app, or the legacy form.

use super::answer::Answer;
use super::grants::{Code, Goal, Grant, Request};
use super::legacy_form;
use super::world::{Seat, World};

/// Ends a request: a code to the app, or the legacy form.
pub(super) fn finish(world: &World, request: &Request, seat: Seat<'_>) -> Answer {
    let grant = Grant {
        client_id: request.client_id.clone(),
        upn: seat.person.upn.clone(),
        ctx: seat.tenant.ctx.clone(),
    };
    match &request.goal {
        Goal::Form { target } => legacy_form::send(world, &grant, seat, target.as_deref()),
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
