//! `wsignin1.0`: who is it, and the form that brings the token to the relying party.

use http::header;

use super::super::accounts;
use super::super::answer::Answer;
use super::super::call::Call;
use super::super::delivery;
use super::super::grants::{REQUEST_LIFETIME, SESSION_LIFETIME, alphanumeric};
use super::super::response::ResponseMode;
use super::super::seed::Person;
use super::super::world::World;
use super::assertion::wresult;
use super::people::{directory, lets_in};
use super::state::{Asked, Session};

pub(super) const COOKIE: &str = "EntraLikeSession";
pub(super) const MARK: &str = "A provider like Entra – no real account is behind this page";

/// `/entra/{directory}/wsfed?wa=wsignin1.0&wtrealm=…`, with `wreply`, `wctx`, `wct`, `wfresh=0` and
/// `whr` or `login_hint` where wanted.
pub(super) fn begin(world: &World, call: &Call) -> Answer {
    let Some(realm) = call.param("wtrealm").and_then(|name| world.entra.realm(name)) else {
        let words = "AADSTS700016: no application has this identifier";
        return accounts::trouble(MARK, words).refused("unknown realm");
    };
    let known = |reply: &&String| call.param("wreply").is_none_or(|asked| asked == *reply);
    let Some(reply) = realm.replies.iter().find(known).cloned() else {
        let words = "AADSTS50011: the reply address is not registered";
        return accounts::trouble(MARK, words).refused("unknown reply address");
    };
    let asked = Asked {
        realm,
        reply,
        wctx: call.param("wctx").map(str::to_owned),
        directory: call.path.split('/').nth(2).unwrap_or_default().to_owned(),
    };
    let session = call.cookie(COOKIE).and_then(|id| {
        let session = world.entra.sessions.get(id, world.now())?;
        Some((id.to_owned(), session))
    });
    let fresh = call.param("wfresh") == Some("0");
    match session.filter(|_| !fresh) {
        Some((id, session)) => match world.seed.person(&session.upn) {
            Some(person) => finish(world, &asked, person, &id, session.visited),
            None => page(world, asked, ""),
        },
        None => {
            let hint = call.param("login_hint").or_else(|| call.param("username"));
            page(world, asked, hint.unwrap_or_default())
        }
    }
}

/// `POST /entra/sign-in` with `request` and `person`.
pub(super) fn submit(world: &World, call: &Call) -> Answer {
    let asked = call.param("request").and_then(|id| world.entra.requests.get(id, world.now()));
    let Some(asked) = asked else {
        return accounts::trouble(MARK, "This sign-in is no longer known")
            .refused("unknown request");
    };
    if call.param("decision") == Some("refuse") {
        let words = "AADSTS65004: the user declined";
        return accounts::trouble(MARK, words).refused("declined");
    }
    let Some(person) = call.param("person").and_then(|upn| world.seed.person(upn)) else {
        let words = "AADSTS50034: the account does not exist in this directory";
        return accounts::trouble(MARK, words).refused("unknown person");
    };
    let id = alphanumeric(32);
    let cookie = format!("{COOKIE}={id}; Path=/entra; HttpOnly; SameSite=Lax");
    finish(world, &asked, person, &id, Vec::new()).with(header::SET_COOKIE, &cookie)
}

fn page(world: &World, asked: Asked, hint: &str) -> Answer {
    let id = alphanumeric(32);
    let rows = world.seed.people.iter().map(|person| accounts::Row {
        upn: &person.upn,
        name: person.name(),
        standing: format!("directory {}", directory(person)),
        hinted: person.upn.eq_ignore_ascii_case(hint),
    });
    let page = accounts::page(MARK, "/entra/sign-in", &id, rows.collect());
    let page = page.for_client(&asked.realm.wtrealm);
    world.entra.requests.put(&id, asked, world.now() + REQUEST_LIFETIME);
    page
}

/// Posts the token, and remembers that the browser has been there.
fn finish(
    world: &World,
    asked: &Asked,
    person: &Person,
    session: &str,
    mut visited: Vec<String>,
) -> Answer {
    if !lets_in(&asked.directory, &directory(person)) {
        let words = "AADSTS50020: the account is not one of this directory";
        return accounts::trouble(MARK, words).refused("of another directory");
    }
    if !visited.contains(&asked.reply) {
        visited.push(asked.reply.clone());
    }
    let remembered = Session { upn: person.upn.clone(), visited };
    world.entra.sessions.put(session, remembered, world.now() + SESSION_LIFETIME);
    let mut fields = vec![
        ("wa".to_owned(), "wsignin1.0".to_owned()),
        ("wresult".to_owned(), wresult(world, &asked.realm, person)),
    ];
    fields.extend(asked.wctx.clone().map(|wctx| ("wctx".to_owned(), wctx)));
    world.faults.answer_lies().iter().for_each(|lie| lie.bend(&mut fields));
    let answer = delivery::send(ResponseMode::FormPost, &asked.reply, &fields);
    answer.for_client(&asked.realm.wtrealm)
}
