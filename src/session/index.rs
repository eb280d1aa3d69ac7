//! Which sessions in Redis are a tenant's and a person's: two bounded lists, written at sign-in alone.
//!
//! A list is a sorted set by when its sessions are over at the latest. Its name is a digest under our keys, and
//! what is in it is sealed: who has the store has nobody's name. No request reads or writes one; what is over
//! goes at the next sign-in of the same tenant or person, or with the list.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::crypto::{KeyRing, Purpose, Random};
use crate::identity::ContextId;
use crate::redis_link::{COMMAND, Kept, LinkFailed, RedisLink, Script};

use super::label::{Label, Listed};
use super::marks::lowered;
use super::state::{SessionId, SessionState};

/// The lists, over a link.
pub(super) struct Index<'a> {
    pub(super) link: &'a RedisLink,
    pub(super) keys: &'a KeyRing,
}

/// Where a list goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The number of the key under which the list has its name.
    list: usize,
    score: u64,
    member: String,
}

/// One session on its way into the lists.
#[derive(Clone)]
pub(super) struct Entered {
    lists: Vec<String>,
    member: String,
    signed_in: Timestamp,
    over: Timestamp,
}

impl Entered {
    /// One that is over by then.
    pub(super) fn of(
        state: &SessionState,
        over: Timestamp,
        (keys, random): (&KeyRing, &Random),
    ) -> Self {
        let plain = [&state.signed_in.0.to_be_bytes()[..], &Label::of(state).to_bytes()].concat();
        let sealed = keys.seal(Purpose::Listing, &state.id.0, &plain, random);
        let person = of_person(keys, &state.principal.subject);
        let tenant = of_tenant(keys, &state.principal.context);
        // The first key names what is written now.
        let lists = [person, tenant].into_iter().filter_map(|names| names.into_iter().next());
        Self {
            lists: lists.collect(),
            member: format!("{}.{sealed}", state.id),
            signed_in: state.signed_in,
            over,
        }
    }

    /// Writes it. Nobody waits for it: a list that lacks a session ends nobody's and keeps nobody's alive.
    pub(super) fn write(self, link: &RedisLink) {
        link.beside(move |link| async move {
            for list in &self.lists {
                let life = Duration::from_secs(self.over.since(self.signed_in) + CLOCKS_APART);
                let arguments = [self.signed_in.0, self.over.0, MOST, life.as_millis() as u64];
                let [now, over, most, life] = arguments.map(|number| number.to_string());
                let arguments = [&now, &over, &self.member, &most, &life];
                let written = link.run_script(script(ENTER, &[list], &arguments)).await;
                if let Err(failed) = written {
                    tracing::debug!(%failed, "a session is missing in a list of sessions");
                }
            }
        });
    }
}

impl Index<'_> {
    /// Up to `most` sessions of these lists, one list after the other, and where it goes on. Those that the
    /// store has no more are left out.
    pub(super) async fn list(
        &self,
        lists: &[String],
        after: Option<Place>,
        most: usize,
    ) -> Result<(Vec<Listed>, Option<Place>), LinkFailed> {
        let mut after = after;
        let mut found: Vec<(SessionId, Label, Timestamp)> = Vec::new();
        let begin = after.as_ref().map_or(0, |place| place.list);
        let mut next = None;
        for (number, list) in lists.iter().enumerate().skip(begin) {
            let from = after.take().filter(|place| place.list == number);
            let room = most - found.len();
            let page = self.page(number, list, from, room).await?;
            found.extend(page.iter().filter_map(|place| self.read(&place.member)));
            // One that does not open takes up room as well: there may be more behind.
            if page.len() >= room {
                next = page.last().cloned();
                break;
            }
        }
        let mut sessions = Vec::new();
        for (id, label, signed_in) in found {
            if self.is_there(&id).await? {
                sessions.push(Listed { id, label, signed_in, seen: None });
            }
        }
        Ok((sessions, next))
    }

    async fn page(
        &self,
        number: usize,
        list: &str,
        after: Option<Place>,
        most: usize,
    ) -> Result<Vec<Place>, LinkFailed> {
        let (member, score) = after.map(|place| (place.member, place.score)).unwrap_or_default();
        let arguments = [&member, &score.to_string(), &most.to_string()];
        let told = self.link.run_script(script(PAGE, &[list], &arguments)).await?;
        let texts: Vec<String> =
            told.into_iter().flatten().filter_map(|text| String::from_utf8(text).ok()).collect();
        let places = texts.chunks_exact(2).filter_map(|pair| {
            let score = pair[1].parse().ok()?;
            Some(Place { list: number, score, member: pair[0].clone() })
        });
        Ok(places.collect())
    }

    async fn is_there(&self, id: &SessionId) -> Result<bool, LinkFailed> {
        let name = format!("session:{id}");
        let told = self.link.run_script(script(EXISTS, &[&name], &[])).await?;
        Ok(told.first().is_some_and(Option::is_some))
    }

    fn read(&self, member: &str) -> Option<(SessionId, Label, Timestamp)> {
        let (id, sealed) = member.split_once('.')?;
        let id = SessionId::parse(id)?;
        let plain = self.keys.open(Purpose::Listing, &id.0, sealed.as_bytes()).ok()?;
        let (signed_in, label) = plain.split_first_chunk::<8>()?;
        Some((id, Label::from_bytes(label)?, Timestamp(u64::from_be_bytes(*signed_in))))
    }
}

impl Place {
    /// Reads what it is displayed as.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let list = parts.next()?.parse().ok()?;
        let score = parts.next()?.parse().ok()?;
        Some(Self { list, score, member: parts.next()?.to_owned() })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.list, self.score, self.member)
    }
}

/// The names of a tenant's lists, one for each of our keys.
pub(super) fn of_tenant(keys: &KeyRing, tenant: &ContextId) -> Vec<String> {
    names(keys, &["tenant", tenant.as_str()])
}

/// The names of a person's lists.
pub(super) fn of_person(keys: &KeyRing, person: &str) -> Vec<String> {
    names(keys, &["person", &lowered(person)])
}

fn names(keys: &KeyRing, of: &[&str; 2]) -> Vec<String> {
    let digests = keys.digests(of.join("\n").as_bytes());
    digests.map(|digest| format!("sessions-of:{}", URL_SAFE_NO_PAD.encode(digest))).collect()
}

fn script<'s>(text: &'s str, names: &'s [&'s str], arguments: &[&String]) -> Script<'s> {
    let arguments = arguments.iter().map(|argument| argument.as_bytes().to_vec()).collect();
    Script { text, names, arguments, patience: COMMAND, kept: Kept::InMemory }
}

/// Takes out what is over, enters one, and keeps the bound: those that are over soonest give way.
const ENTER: &str = "
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
local beyond = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[4])
if beyond > 0 then redis.call('ZREMRANGEBYRANK', KEYS[1], 0, beyond - 1) end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {}";

/// So many behind a member, or behind where it stood.
const PAGE: &str = "
local from = 0
if ARGV[1] ~= '' then
  local rank = redis.call('ZRANK', KEYS[1], ARGV[1])
  if rank then from = rank + 1 else from = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. ARGV[2]) end
end
return redis.call('ZRANGE', KEYS[1], from, from + tonumber(ARGV[3]) - 1, 'WITHSCORES')";

const EXISTS: &str = "
if redis.call('EXISTS', KEYS[1]) == 1 then return {'1'} end
return {}";

/// Sessions of one tenant or person that are listed: some 5 MB in Redis. The others live on unlisted.
const MOST: u64 = 20_000;
/// Seconds a list stays beyond its end, for a replica whose clock is behind.
const CLOCKS_APART: u64 = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_entered_is_read_by_our_keys_alone_and_names_nobody() {
        let (keys, random) = (KeyRing::new(&[[2; 32], [1; 32]]), Random::counting());
        let state = SessionState::of("astrid@nordlys.example", [7; 16], Timestamp(100));
        let entered = Entered::of(&state, Timestamp(200), (&keys, &random));
        assert_eq!(entered.lists.len(), 2);
        let written = [&entered.lists.concat(), &entered.member].map(|text| text.to_lowercase());
        assert!(written.iter().all(|text| !text.contains("astrid") && !text.contains("cust1")));
        let names = of_person(&keys, "Astrid@Nordlys.example");
        assert_eq!((names.len(), &names[0]), (2, &entered.lists[0]));
        assert_ne!(of_tenant(&keys, &state.principal.context)[0], names[0]);
    }

    #[test]
    fn a_place_is_read_as_it_was_shown() {
        let place = Place { list: 1, score: 200, member: "id.sealed".to_owned() };
        assert_eq!(Place::parse(&place.to_string()), Some(place));
        for odd in ["", "1", "1.2", "x.2.m"] {
            assert_eq!(Place::parse(odd), None, "{odd}");
        }
    }
}
