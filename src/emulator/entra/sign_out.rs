//! `wsignout1.0` and `wsignoutcleanup1.0`.

use askama::Template;
use http::{StatusCode, header};

use super::super::accounts;
use super::super::answer::Answer;
use super::super::call::Call;
use super::super::pages;
use super::super::world::World;
use super::sign_in::{COOKIE, MARK};
use super::state::Session;

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<div class="card">
<h1>You are signed out</h1>
{% for address in cleanups %}<img src="{{ address }}" alt="" width="1" height="1">
{% endfor %}
{% if let Some(reply) = reply %}<p><a href="{{ reply }}">Continue</a></p>
<meta http-equiv="refresh" content="1;url={{ reply }}">{% endif %}
</div>"#
)]
struct SignedOut<'a> {
    cleanups: &'a [String],
    reply: Option<&'a str>,
}

/// Ends the session, tells every relying party the browser has been at with an image of its
/// `wsignoutcleanup1.0`, and leads on to `wreply` where that is some realm's.
pub(super) fn sign_out(world: &World, call: &Call) -> Answer {
    let visited = forget(world, call).map(|session| session.visited).unwrap_or_default();
    let cleanup = |reply: &String| {
        let joint = if reply.contains('?') { '&' } else { '?' };
        format!("{reply}{joint}wa=wsignoutcleanup1.0")
    };
    let cleanups: Vec<_> = visited.iter().map(cleanup).collect();
    let realms = world.entra.realms();
    let known =
        |reply: &&str| realms.iter().any(|realm| realm.replies.iter().any(|to| to == reply));
    let reply = call.param("wreply").filter(known);
    let html =
        pages::whole("Signed out", "narrow", MARK, &SignedOut { cleanups: &cleanups, reply });
    const POLICY: &str = "default-src 'none'; img-src *; style-src 'unsafe-inline'";
    let answer = Answer::page(StatusCode::OK, html);
    cookieless(answer.instead(header::CONTENT_SECURITY_POLICY, POLICY))
}

/// Ends the session without a word, as another provider's page asks for.
pub(super) fn clean_up(world: &World, call: &Call) -> Answer {
    forget(world, call);
    cookieless(accounts::signed_out())
}

fn forget(world: &World, call: &Call) -> Option<Session> {
    world.entra.sessions.take(call.cookie(COOKIE)?, world.now())
}

fn cookieless(answer: Answer) -> Answer {
    let cookie = format!("{COOKIE}=; Path=/entra; Max-Age=0; HttpOnly; SameSite=Lax");
    answer.with(header::SET_COOKIE, &cookie)
}
