//! From a request below `/google/` to the endpoint that answers it, and the provider's controls.

use http::StatusCode;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::journal::Kind;
use super::super::world::World;
use super::client::{GoogleClient, GoogleSettings};
use super::{authorize, discovery, logout, tokens};

pub(in crate::emulator) fn answer(world: &World, kind: Kind, call: &Call) -> Answer {
    match kind {
        Kind::GoogleAuthorize => authorize::authorize(world, call),
        Kind::GoogleDiscovery => discovery::metadata(world),
        Kind::GoogleJwks => discovery::jwks(world),
        Kind::GoogleLogout => logout::logout(world, call),
        Kind::GooglePar => authorize::push(world, call),
        Kind::GoogleRevoke => tokens::revoke(world, call),
        Kind::GoogleSignIn => authorize::sign_in(world, call),
        Kind::GoogleTokens => tokens::tokens(world, call),
        Kind::GoogleUserinfo => tokens::userinfo(world, call),
        _ => Answer::text(StatusCode::NOT_FOUND, "").refused("unknown path"),
    }
}

/// `GET` and `POST /emulator/google/clients`.
pub(in crate::emulator) fn control(world: &World, call: &Call) -> Result<Value, String> {
    if call.method == http::Method::POST {
        let client: GoogleClient =
            serde_json::from_slice(&call.body).map_err(|error| error.to_string())?;
        world.google.register(client);
    }
    let mut clients = world.google.clients();
    clients.iter_mut().for_each(|client| client.client_secret.clear());
    Ok(json!({ "clients": clients }))
}

/// `GET` and `PUT /emulator/google`; what is left out goes back to its default.
pub(in crate::emulator) fn control_settings(world: &World, call: &Call) -> Result<Value, String> {
    if call.method == http::Method::PUT {
        let settings: GoogleSettings =
            serde_json::from_slice(&call.body).map_err(|error| error.to_string())?;
        world.google.set(settings);
    }
    Ok(json!(world.google.settings()))
}
