//! Sign-out at the provider (OpenID Connect RP-Initiated Logout 1.0); Google itself has none.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use http::header;
use serde_json::Value;

use super::super::accounts;
use super::super::answer::Answer;
use super::super::call::Call;
use super::super::delivery;
use super::super::response::ResponseMode;
use super::super::world::World;
use super::authorize::COOKIE;

/// `/google/logout`, with `id_token_hint` or `client_id`; leads on to an address that the client
/// has registered, with `state`.
pub(super) fn logout(world: &World, call: &Call) -> Answer {
    if let Some(id) = call.cookie(COOKIE) {
        world.google.sessions.forget(id);
    }
    let cookie = format!("{COOKIE}=; Path=/google; Max-Age=0; HttpOnly; SameSite=Lax");
    let client = hinted(call).or_else(|| call.param("client_id").map(str::to_owned));
    let client = client.and_then(|id| world.google.client(&id));
    let asked = call.param("post_logout_redirect_uri");
    let known = asked.zip(client).filter(|(asked, client)| {
        client.post_logout_uris.iter().any(|registered| registered == asked)
    });
    let answer = match known {
        Some((address, client)) => {
            let state = call.param("state").map(|state| ("state".to_owned(), state.to_owned()));
            let state: Vec<_> = state.into_iter().collect();
            let answer = match state.is_empty() {
                true => Answer::redirect(address).unwrap_or_else(accounts::signed_out),
                false => delivery::send(ResponseMode::Query, address, &state),
            };
            answer.for_client(&client.client_id)
        }
        None if asked.is_some() => accounts::signed_out().refused("unknown post-logout address"),
        None => accounts::signed_out(),
    };
    answer.with(header::SET_COOKIE, &cookie)
}

/// The audience of the hint; whether it is still good does not matter, nor who signed it.
fn hinted(call: &Call) -> Option<String> {
    let payload = call.param("id_token_hint")?.split('.').nth(1)?.to_owned();
    let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    Some(claims["aud"].as_str()?.to_owned())
}
