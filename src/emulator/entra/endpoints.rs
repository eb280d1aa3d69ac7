//! From a request below `/entra/` to the endpoint that answers it, and the provider's control.

use http::StatusCode;
use serde_json::{Value, json};

use super::super::accounts;
use super::super::answer::Answer;
use super::super::call::Call;
use super::super::journal::Kind;
use super::super::world::World;
use super::sign_in::MARK;
use super::state::EntraRealm;
use super::{metadata, sign_in, sign_out};

pub(in crate::emulator) fn answer(world: &World, kind: Kind, call: &Call) -> Answer {
    match kind {
        Kind::EntraMetadata => metadata::document(world, call),
        Kind::EntraSignIn => sign_in::submit(world, call),
        Kind::EntraWsfed => match call.param("wa") {
            Some("wsignin1.0") => sign_in::begin(world, call),
            Some("wsignout1.0") => sign_out::sign_out(world, call),
            Some("wsignoutcleanup1.0") => sign_out::clean_up(world, call),
            _ => accounts::trouble(MARK, "AADSTS90008: unknown wa").refused("unknown wa"),
        },
        _ => Answer::text(StatusCode::NOT_FOUND, "").refused("unknown path"),
    }
}

/// `GET` and `POST /emulator/entra/realms`.
pub(in crate::emulator) fn control(world: &World, call: &Call) -> Result<Value, String> {
    if call.method == http::Method::POST {
        let realm: EntraRealm =
            serde_json::from_slice(&call.body).map_err(|error| error.to_string())?;
        world.entra.register(realm);
    }
    Ok(json!({ "realms": world.entra.realms() }))
}
