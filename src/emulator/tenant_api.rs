//! A tenant's web API, just enough to see that a credential works (`superid.md` §6).

use http::{StatusCode, header};
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use super::grants::{Grant, TICKET_IDLE};
use super::seed::Rights;
use super::world::{Seat, World};

/// `GET /{ctx}/api/v1/User/currentPrincipal`, and the API's version at `/{ctx}/api`.
pub(super) fn answer(world: &World, call: &Call) -> Answer {
    let path = call.path.to_ascii_lowercase();
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let Some((ctx, rest)) = segments.split_first() else {
        return not_found();
    };
    if world.seed.tenant(ctx).is_none() {
        return not_found();
    }
    match rest {
        ["api"] => Answer::json(StatusCode::OK, &json!({ "Name": "SuperID emulator" })),
        ["api", "v1", "user", "currentprincipal"] => principal(world, call, ctx),
        _ => not_found(),
    }
}

fn principal(world: &World, call: &Call, ctx: &str) -> Answer {
    let grant = presented(world, call).filter(|grant| grant.ctx.eq_ignore_ascii_case(ctx));
    let seat = grant.as_ref().and_then(|grant| world.seat(&grant.upn, &grant.ctx));
    match (seat, &grant) {
        (Some(seat), Some(grant)) => {
            Answer::json(StatusCode::OK, &principal_body(seat)).for_client(&grant.client_id)
        }
        _ => unauthorized(),
    }
}

/// The grant behind `Authorization: Bearer 8A:…` or `Authorization: SOTicket 7T:…`. A ticket goes
/// with `SO-AppToken`; here it may be left out but must not be wrong.
fn presented(world: &World, call: &Call) -> Option<Grant> {
    let (scheme, credential) = call.header("authorization")?.split_once(' ')?;
    let credential = credential.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return world.grants.access.get(credential, world.now());
    }
    if !scheme.eq_ignore_ascii_case("soticket") {
        return None;
    }
    let grant = world.grants.tickets.touch(credential, world.now(), TICKET_IDLE)?;
    let app = world.apps.find(&grant.client_id);
    let right = |token: &str| app.is_some_and(|app| app.client_secret == token);
    call.header("so-apptoken").is_none_or(right).then_some(grant)
}

fn principal_body(seat: Seat<'_>) -> Value {
    let role = match seat.account.rights {
        Rights::Administrator => "Administrator",
        Rights::User => "User level 0",
    };
    json!({
        "AssociateId": seat.account.associate_id,
        "DatabaseContextIdentifier": seat.tenant.ctx,
        "EMailAddress": seat.person.email,
        "FullName": seat.person.name(),
        "RoleName": role,
        "UserName": seat.person.upn,
    })
}

/// 401 with the error body of the web API (`superid.md` §6).
fn unauthorized() -> Answer {
    let body = json!({
        "Error": true,
        "ErrorType": "AuthenticationException",
        "Message": "The credential is missing, unknown or expired.",
        "ErrorSource": "SuperID emulator",
    });
    Answer::json(StatusCode::UNAUTHORIZED, &body)
        .with(header::WWW_AUTHENTICATE, "Bearer")
        .refused("no valid credential")
}

pub(super) fn not_found() -> Answer {
    Answer::text(StatusCode::NOT_FOUND, "Nothing here.").refused("not found")
}
