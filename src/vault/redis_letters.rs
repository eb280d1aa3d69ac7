//! Letters in Redis: what it carries out for the outbox, and letters as it has them.

use crate::clock::Timestamp;
use crate::redis_link::Answer;

use super::field::field;
use super::outbox::{Claim, Letter, Waiting};
use super::record::Name;
use super::redis_scripts::{with_change, with_opening};

/// `ARGV`: the app, now, until when what is claimed is claimed, and how many. Answers `page`, then
/// numbers, what the letters say, and their states. A claim that is made twice because its answer was
/// lost gives nothing, and what was claimed comes again when that has lapsed.
pub(super) const CLAIM: &str = with_opening!(
    "
if not outbox_whole then return outbox_counts end
local from, upper = '[' .. ARGV[1], '(' .. ARGV[1] .. '\\255'
local due = {}
while true do
  local line = redis.call('ZRANGEBYLEX', lines, from, upper, 'LIMIT', 0, 1)[1]
  if not line then break end
  local number = tonumber(string.sub(line, -16), 10)
  local at, tries = string.match(redis.call('HGET', states, digits(number)), '^(%d+) (%d+)$')
  if tonumber(at) <= tonumber(ARGV[2]) then due[#due + 1] = {number, tonumber(tries)} end
  -- Behind every number of the same name.
  from = '[' .. string.sub(line, 1, -17) .. ':'
end
table.sort(due, function(one, other) return one[1] < other[1] end)
local page = {'page'}
for at = 1, math.min(#due, tonumber(ARGV[4])) do
  local number = digits(due[at][1])
  local state = ARGV[3] .. ' ' .. digits(due[at][2] + 1)
  redis.call('HSET', states, number, state)
  page[#page + 1] = number
  page[#page + 1] = redis.call('HGET', letters, number)
  page[#page + 1] = state
end
return page"
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

/// `ARGV`: life of the note, the number, how what it says begins, how often it was claimed, and when
/// it is due.
pub(super) const PUT_OFF: &str = with_change!(
    "
local value, state = redis.call('HGET', letters, ARGV[2]), redis.call('HGET', states, ARGV[2])
if not value or string.sub(value, 1, #ARGV[3]) ~= ARGV[3] then return done('no') end
if string.match(state, ' (%d+)$') ~= ARGV[4] then return done('no') end
redis.call('HSET', states, ARGV[2], ARGV[5] .. ' ' .. ARGV[4])
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
redis.call('HDEL', letters, ARGV[2])
redis.call('HDEL', states, ARGV[2])
redis.call('ZREM', order, ARGV[2])
redis.call('ZREM', lines, ARGV[4] .. string.format('%016d', ARGV[2]))
waiting = waiting - 1
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

/// What every line of a name's letters begins with; its number follows.
pub(super) fn line(name: &Name) -> Vec<u8> {
    [&*field(name), b"\0"].concat()
}

/// A letter as the scripts that post it want it: app, line, what it says, when it was written.
pub(super) fn posted(letter: &Letter) -> [Vec<u8>; 4] {
    let Name { environment, client_id, .. } = &letter.name;
    let written = letter.written.0.to_string().into_bytes();
    [app(environment, client_id), line(&letter.name), said(letter), written]
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

fn waiting(number: &[u8], said: &[u8], state: &[u8]) -> Waiting {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let state = text(state);
    let (due, tries) = state.split_once(' ').unwrap_or(("0", "0"));
    let whole = said.splitn(2, |byte| *byte == 0).nth(1).unwrap_or_default();
    let letter = serde_json::from_slice(whole).unwrap_or_else(|_| Letter {
        id: String::new(),
        name: Name::default(),
        written: Timestamp(0),
        sealed: text(said),
    });
    Waiting {
        number: text(number).parse().unwrap_or(0),
        letter,
        due: Timestamp(due.parse().unwrap_or(0)),
        tries: tries.parse().unwrap_or(u32::MAX),
    }
}
