//! Single sign-out: ends SuperID's session and leads back to a registered address.

use http::header;

use super::answer::Answer;
use super::call::Call;
use super::pages;
use super::visit;
use super::world::World;

/// `/login/logout`. The address comes as `redirect_uri` (an official sample) or as
/// `post_logout_redirect_uri` (OpenID Connect RP-Initiated Logout 1.0); one that nobody
/// registered is not followed.
pub(super) fn logout(world: &World, call: &Call) -> Answer {
    if let Some((id, _)) = visit::session(world, call) {
        world.grants.sessions.forget(&id);
    }
    let cookie = format!("{}=; Path=/login; Max-Age=0; HttpOnly; SameSite=Lax", visit::COOKIE);
    let asked = call.param("post_logout_redirect_uri").or_else(|| call.param("redirect_uri"));
    let answer = match asked {
        None => pages::signed_out(),
        Some(asked) if world.apps.allows_post_logout(asked) => {
            Answer::redirect(asked).unwrap_or_else(pages::signed_out)
        }
        Some(_) => pages::signed_out().refused("unknown post-logout address"),
    };
    answer.with(header::SET_COOKIE, &cookie)
}
