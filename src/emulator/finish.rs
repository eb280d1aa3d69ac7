//! The end of a request: code and tokens for the app, or the legacy form.

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

use super::answer::Answer;
use super::claims;
use super::delivery::deliver;
use super::grants::{ACCESS_LIFETIME, Callback, Code, Goal, Grant, Request};
use super::legacy_form;
use super::mint;
use super::pages;
use super::response::Part;
use super::world::{Seat, World};

/// Ends a request: what the response type asks for to the app, or the legacy form.
pub(super) fn finish(world: &World, request: &Request, seat: Seat<'_>) -> Answer {
    let grant = Grant {
        client_id: request.client_id.clone(),
        upn: seat.person.upn.clone(),
        ctx: seat.tenant.ctx.clone(),
    };
    match &request.goal {
        Goal::Form { target } => legacy_form::send(world, &grant, seat, target.as_deref()),
        Goal::Callback(callback) => answer(world, callback, &grant, seat),
    }
}

fn answer(world: &World, callback: &Callback, grant: &Grant, seat: Seat<'_>) -> Answer {
    let code = callback.parts.has(Part::Code).then(|| code(world, callback, grant));
    let token = callback.parts.has(Part::Token);
    let token = token.then(|| world.grants.access_token(grant, world.now() + ACCESS_LIFETIME));
    let mut fields = Vec::new();
    fields.extend(code.as_ref().map(|code| ("code", code.clone())));
    if callback.parts.has(Part::IdToken) {
        match id_token(world, callback, grant, seat, code.as_deref(), token.as_deref()) {
            Some(id_token) => fields.push(("id_token", id_token)),
            None => return pages::technical_error("unknown client"),
        }
    }
    if let Some(token) = token {
        // `superid.md` §2: `ctx` and `netserver_url` stand beside an implicit token.
        fields.push(("access_token", token));
        fields.push(("token_type", "bearer".to_owned()));
        fields.push(("expires_in", ACCESS_LIFETIME.as_secs().to_string()));
        fields.push(("ctx", seat.tenant.ctx.clone()));
        fields.push(("netserver_url", claims::netserver_url(world, seat.tenant)));
    }
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    deliver(&world.faults, callback, &fields)
}

fn code(world: &World, callback: &Callback, grant: &Grant) -> String {
    let code = Code {
        grant: grant.clone(),
        redirect_uri: callback.redirect_uri.clone(),
        nonce: callback.nonce.clone(),
        challenge: callback.challenge.clone(),
    };
    world.grants.code(code, world.now())
}

/// An id_token bound to the request and to what goes beside it (OpenID Connect Core 3.3.2.11).
fn id_token(
    world: &World,
    callback: &Callback,
    grant: &Grant,
    seat: Seat<'_>,
    code: Option<&str>,
    token: Option<&str>,
) -> Option<String> {
    let app = world.apps.find(&grant.client_id)?;
    let (c_hash, at_hash) = (code.map(half_hash), token.map(half_hash));
    let more = [("nonce", &callback.nonce), ("c_hash", &c_hash), ("at_hash", &at_hash)];
    let more = more.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
    let mut claims = claims::id_token(world, &app, seat, &more.collect::<Vec<_>>());
    world.faults.answer_lies().iter().for_each(|lie| lie.bend_claims(&mut claims));
    Some(mint::draft(world, claims).sign())
}

/// The left half of a SHA-256, base64url (OpenID Connect Core 3.1.3.6).
pub(super) fn half_hash(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
}
