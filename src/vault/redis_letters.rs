//! Letters in Redis: what it carries out for the outbox, and letters as it has them.

use crate::clock::Timestamp;
use crate::redis_link::Answer;

use super::field::{field, name};
use super::outbox::{Backlog, Claim, Letter, NEVER, Waiting};
use super::record::Name;
use super::redis_scripts::{with_change, with_heads, with_opening};

/// `ARGV`: the app, now, until when what is claimed is claimed, and how many. Answers `page`, then
/// numbers, what the letters say, and their states. It looks at so many letters at most, those first
/// that have been due longest, however many wait. One that is damaged is set aside: its line comes in
/// place of its number, and `aside` in place of its state. A claim that is made twice because its
/// answer was lost gives nothing, and what was claimed comes again when that has lapsed.
pub(super) const CLAIM: &str = with_opening!(with_heads!(
    "
local app, now, till = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local before = '(' .. app .. string.format('%016d', now + 1)
local found = redis.call('ZRANGEBYLEX', due, '[' .. app, before, 'LIMIT', 0, ARGV[4])
local page = {'page'}
local function give(number, value, state)
  page[#page + 1] = number
  page[#page + 1] = value
  page[#page + 1] = state
end
local function is_of(value, line)
  local id, whole = string.match(value or '', '^([^%z]*)%z(.*)$')
  local fine, said = pcall(cjson.decode, whole or '')
  if not fine or type(said) ~= 'table' or said.id ~= id then return false end
  for _, part in ipairs({'environment', 'client_id', 'tenant', 'sealed'}) do
    if type(said[part]) ~= 'string' then return false end
  end
  if type(said.written) ~= 'number' then return false end
  local name = said.environment .. '\\0' .. said.client_id .. '\\0' .. said.tenant .. '\\0'
  return name == string.sub(line, 1, -17)
end
for _, member in ipairs(found) do
  local line = app .. string.sub(member, #app + 17)
  local number = number_of(line)
  heads = heads - redis.call('ZREM', due, member)
  if redis.call('ZSCORE', lines, line) then
    local at, tries = state_of(number)
    local value = redis.call('HGET', letters, number)
    if at and at <= now and is_of(value, line) then
      local state = digits(till) .. ' ' .. digits(tries + 1)
      redis.call('HSET', states, number, state)
      lead(line, till)
      give(number, value, state)
    elseif at and at > now then
      lead(line, at)
    else
      set_aside(line)
      give(line, value or '', 'aside')
    end
  else
    follow(line)
  end
end
if #found > 0 then counted() end
if #page == 1 and not outbox_whole then return outbox_counts end
return page"
));

/// Answers `backlog`, how many letters wait, how many were set aside, and what the oldest of those
/// that wait says.
pub(super) const BACKLOG: &str = with_opening!(
    "
local oldest = redis.call('ZRANGE', order, 0, 0)[1]
return {'backlog', digits(waiting), digits(redis.call('HLEN', aside)),
  oldest and redis.call('HGET', letters, oldest)}"
);

/// Answers `page`, then lines and what the letters said that were set aside, in no order.
pub(super) const ASIDE: &str = with_opening!(
    "
local page = redis.call('HGETALL', aside)
table.insert(page, 1, 'page')
return page"
);

/// `ARGV`: life of the note, the line, and how often it was claimed.
pub(super) const SET_ASIDE: &str = with_change!(
    "
local line, number = ARGV[2], number_of(ARGV[2])
local at, tries = state_of(number)
if not redis.call('ZSCORE', lines, line) or digits(tries or 0) ~= ARGV[3] then return done('no') end
unlead(line, at)
set_aside(line)
return done('yes')"
);

/// `ARGV`: life of the note, and the line of a letter that was set aside.
pub(super) const DISCARD: &str = with_change!(
    "
if redis.call('HDEL', aside, ARGV[2]) == 0 then return done('no') end
return done('yes')"
);

/// `ARGV`: behind which number, and how many. Answers like [`CLAIM`].
pub(super) const LETTERS: &str = with_opening!(
    "
local found = redis.call('ZRANGEBYSCORE', order, '(' .. ARGV[1], '+inf', 'LIMIT', 0, ARGV[2])
local page = {'page'}
for at, number in ipairs(found) do
  page[at * 3 - 1] = number
  page[at * 3] = redis.call('HGET', letters, number)
  page[at * 3 + 1] = redis.call('HGET', states, number)
end
return page"
);

/// `ARGV`: life of the note, the number, how what it says begins, how often it was claimed, when it
/// is due, and its line.
pub(super) const PUT_OFF: &str = with_change!(
    "
local value, state = redis.call('HGET', letters, ARGV[2]), redis.call('HGET', states, ARGV[2])
if not value or string.sub(value, 1, #ARGV[3]) ~= ARGV[3] then return done('no') end
if string.match(state or '', ' (%d+)$') ~= ARGV[4] then return done('no') end
unlead(ARGV[6], (state_of(ARGV[2])))
redis.call('HSET', states, ARGV[2], ARGV[5] .. ' ' .. ARGV[4])
if first(string.sub(ARGV[6], 1, -17)) == ARGV[6] then lead(ARGV[6], ARGV[5]) end
return done('yes')"
);

/// `ARGV`: life of the note, the number, what it has to say now, and what instead.
pub(super) const RESEAL: &str = with_change!(
    "
if redis.call('HGET', letters, ARGV[2]) ~= ARGV[3] then return done('no') end
redis.call('HSET', letters, ARGV[2], ARGV[4])
return done('yes')"
);

/// `ARGV`: life of the note, the number, how what it says begins, and its line.
pub(super) const TAKEN: &str = with_change!(
    "
local value = redis.call('HGET', letters, ARGV[2])
if not value or string.sub(value, 1, #ARGV[3]) ~= ARGV[3] then return done('no') end
unlead(ARGV[4], (state_of(ARGV[2])))
redis.call('HDEL', letters, ARGV[2])
redis.call('HDEL', states, ARGV[2])
redis.call('ZREM', order, ARGV[2])
redis.call('ZREM', lines, ARGV[4])
waiting = waiting - 1
follow(ARGV[4])
return done('yes')"
);

/// What every line of an app's letters begins with, and no other's.
pub(super) fn app(environment: &str, client_id: &str) -> Vec<u8> {
    field(&Name {
        environment: environment.to_owned(),
        client_id: client_id.to_owned(),
        tenant: String::new(),
    })
}

/// A letter's line: its name, and its number.
pub(super) fn line(waiting: &Waiting) -> Vec<u8> {
    let number = format!("{:016}", waiting.number);
    [&*begin(&waiting.letter.name), number.as_bytes()].concat()
}

/// What every line of a name's letters begins with; its number follows.
fn begin(name: &Name) -> Vec<u8> {
    [&*field(name), b"\0"].concat()
}

/// A letter as the scripts that post it want it: app, line, what it says, when it was written.
pub(super) fn posted(letter: &Letter) -> [Vec<u8>; 4] {
    let Name { environment, client_id, .. } = &letter.name;
    let written = letter.written.0.to_string().into_bytes();
    [app(environment, client_id), begin(&letter.name), said(letter), written]
}

/// What a letter says: its id, a zero byte, and all of it as JSON.
pub(super) fn said(letter: &Letter) -> Vec<u8> {
    let whole = serde_json::to_vec(letter).expect("strings and numbers are JSON");
    [start(&letter.id), whole].concat()
}

/// How it begins.
pub(super) fn start(id: &str) -> Vec<u8> {
    [id.as_bytes(), b"\0"].concat()
}

/// A claim as its script wants it.
pub(super) fn claimed(claim: &Claim) -> Vec<Vec<u8>> {
    let numbers = [claim.now.0, claim.until.0, claim.most as u64];
    let mut arguments = vec![app(&claim.environment, &claim.client_id)];
    arguments.extend(numbers.map(|number| number.to_string().into_bytes()));
    arguments
}

/// The letters of a page, as they are: what damage has made of one does not open.
pub(super) fn letters(answer: Answer) -> Vec<Waiting> {
    let parts: Vec<Vec<u8>> = answer.into_iter().skip(1).map(Option::unwrap_or_default).collect();
    parts.chunks_exact(3).map(|part| waiting(&part[0], &part[1], &part[2])).collect()
}

/// Those that were set aside, by number.
pub(super) fn set_aside(answer: Answer) -> Vec<Waiting> {
    let parts: Vec<Vec<u8>> = answer.into_iter().skip(1).map(Option::unwrap_or_default).collect();
    let each = parts.chunks_exact(2).map(|part| aside(&part[0], &part[1]));
    let mut found: Vec<Waiting> = each.collect();
    found.sort_by_key(|waiting| waiting.number);
    found
}

/// How much waits.
pub(super) fn backlog(answer: &Answer) -> Backlog {
    let part = |at: usize| answer.get(at).and_then(Option::as_deref).unwrap_or_default();
    let count = |at| String::from_utf8_lossy(part(at)).parse().unwrap_or(0);
    let oldest = read(part(3)).map(|letter| letter.written);
    Backlog { letters: count(1), oldest, aside: count(2) }
}

fn waiting(number: &[u8], said: &[u8], state: &[u8]) -> Waiting {
    if state == b"aside" {
        return aside(number, said);
    }
    let state = text(state);
    let (due, tries) = state.split_once(' ').unwrap_or(("0", "0"));
    let number = text(number).parse().unwrap_or(0);
    let unread = || Letter { sealed: text(said), ..unread(number, Name::default()) };
    Waiting {
        number,
        letter: read(said).unwrap_or_else(unread),
        due: Timestamp(due.parse().unwrap_or(0)),
        tries: tries.parse().unwrap_or(u32::MAX),
    }
}

/// One that was set aside. Its line is believed, and of what it says what can be read.
fn aside(line: &[u8], said: &[u8]) -> Waiting {
    let (named, number) = line.split_at(line.len().saturating_sub(16));
    let number = text(number).parse().unwrap_or(0);
    let name = name(named.strip_suffix(b"\0").unwrap_or(named));
    let letter = read(said).unwrap_or_else(|| unread(number, Name::default()));
    Waiting { number, letter: Letter { name, ..letter }, due: NEVER, tries: 0 }
}

fn read(said: &[u8]) -> Option<Letter> {
    let whole = said.splitn(2, |byte| *byte == 0).nth(1)?;
    serde_json::from_slice(whole).ok()
}

/// Stands for a letter that cannot be read.
fn unread(number: u64, name: Name) -> Letter {
    let id = format!("damaged-{number}");
    Letter { id, name, written: Timestamp(0), sealed: String::new() }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
