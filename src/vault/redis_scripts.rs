//! What Redis carries out for the vault's entries, each as a whole: nobody sees one half done.

/// Reads `KEYS` and counts what is there: a part of it that has gone (thrown out for want of
/// memory, deleted by somebody) is told from an entry that never was.
///
/// ```text
/// head     hash    format, how many entries and letters there should be, the youngest letter's number
/// entries  hash    name → dormant since, seal, checksum
/// names    sorted  every name, in order
/// asleep   sorted  the names of dormant entries, by when they fell asleep
/// letters  hash    number → id, name, when it was written, seal
/// states   hash    number → when it is due, and how often it was claimed
/// order    sorted  every number, in order
/// lines    sorted  name and number of every letter, in order
/// ```
macro_rules! with_opening {
    ($($script:expr),+) => {
        concat!(
            "
local head, entries, names, asleep = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local letters, states, order, lines = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local said = redis.call('HMGET', head, 'format', 'entries', 'letters', 'youngest')
if said[1] and said[1] ~= '1' then return {'format', said[1]} end
local tally, waiting = tonumber(said[2] or '0'), tonumber(said[3] or '0')
local youngest = tonumber(said[4] or '0')
local function digits(number) return string.format('%d', number) end
local there, named = redis.call('HLEN', entries), redis.call('ZCARD', names)
local whole = there == tally and named == tally
local counts = {'damaged', digits(there) .. ' entries and ' .. digits(named) .. ' names', digits(tally)}
local sealed, lined = redis.call('HLEN', letters), redis.call('ZCARD', lines)
local outbox_whole = sealed == waiting and lined == waiting
  and redis.call('HLEN', states) == waiting and redis.call('ZCARD', order) == waiting
local outbox_counts = {'damaged', digits(sealed) .. ' letters in ' .. digits(lined) .. ' places', digits(waiting)}
",
            $($script),+
        )
    };
}

/// The same for what changes something. `KEYS[9]` says that this very change has been made, and what
/// came of it: one that is sent again, because its answer was lost, is not made twice. It lengthens the
/// life of the note then, so that its connection too has written something to wait for on disk. Into a vault
/// that is damaged nothing is written. What could fail for want of memory comes first, and fails
/// before anything has changed.
macro_rules! with_change {
    ($script:literal) => {
        concat!(
            "
local known = redis.call('GET', KEYS[9])
if known then
  redis.pcall('PEXPIRE', KEYS[9], ARGV[1])
  return {known}
end
",
            with_opening!(
                "
if not whole then return counts end
if not outbox_whole then return outbox_counts end
local function put(field, value, since)
  if redis.call('HSET', entries, field, value) == 1 then
    tally = tally + 1
    redis.call('ZADD', names, 0, field)
  end
  if since == '' then
    redis.call('ZREM', asleep, field)
  else
    redis.call('ZADD', asleep, since, field)
  end
end
local function drop(field)
  redis.call('HDEL', entries, field)
  redis.call('ZREM', names, field)
  redis.call('ZREM', asleep, field)
  tally = tally - 1
end
local function room(app, more, most)
  return redis.call('ZLEXCOUNT', lines, '[' .. app, '(' .. app .. '\\255') + more <= tonumber(most)
end
local function post(line, value, written)
  youngest, waiting = youngest + 1, waiting + 1
  local number = digits(youngest)
  redis.call('HSET', letters, number, value)
  redis.call('HSET', states, number, written .. ' 0')
  redis.call('ZADD', order, number, number)
  redis.call('ZADD', lines, 0, line .. string.format('%016d', youngest))
end
local function done(answer)
  if answer == 'yes' then
    redis.call('HSET', head, 'format', '1', 'entries', digits(tally),
      'letters', digits(waiting), 'youngest', digits(youngest))
  end
  redis.pcall('SET', KEYS[9], answer, 'PX', ARGV[1])
  return {answer}
end
",
                $script
            )
        )
    };
}
pub(super) use {with_change, with_opening};

/// `ARGV`: life of the note, the name, then a letter's app, line, what it says and when it was
/// written. Answers `yes` or `no`.
pub(super) const REMOVE: &str = with_change!(
    "
if redis.call('HEXISTS', entries, ARGV[2]) == 0 then return done('no') end
drop(ARGV[2])
if ARGV[3] then post(ARGV[4], ARGV[5], ARGV[6]) end
return done('yes')"
);

/// `ARGV`: life of the note, the name, what has to be there, what comes, or nothing, since when
/// that is dormant, how many letters an app may have, then a letter's app, line, what it says and
/// when it was written.
pub(super) const SWAP: &str = with_change!(
    "
if redis.call('HGET', entries, ARGV[2]) ~= ARGV[3] then return done('no') end
if ARGV[7] and not room(ARGV[7], 1, ARGV[6]) then return {'outbox'} end
if ARGV[4] == '' then drop(ARGV[2]) else put(ARGV[2], ARGV[4], ARGV[5]) end
if ARGV[7] then post(ARGV[8], ARGV[9], ARGV[10]) end
return done('yes')"
);

/// `ARGV`: life of the note, how many entries there may be, how many letters an app may have, how
/// many entries follow; then of each its name, what comes, and since when it is dormant; then letters
/// as for [`SWAP`].
pub(super) const WRITE: &str = with_change!(
    "
local last = 4 + 3 * tonumber(ARGV[4])
local more = 0
for at = 5, last, 3 do
  if redis.call('HEXISTS', entries, ARGV[at]) == 0 then more = more + 1 end
end
if tally + more > tonumber(ARGV[2]) then return {'full'} end
local of_app = {}
for at = last + 1, #ARGV, 4 do of_app[ARGV[at]] = (of_app[ARGV[at]] or 0) + 1 end
for app, count in pairs(of_app) do
  if not room(app, count, ARGV[3]) then return {'outbox'} end
end
for at = 5, last, 3 do put(ARGV[at], ARGV[at + 1], ARGV[at + 2]) end
for at = last + 1, #ARGV, 4 do post(ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]) end
return done('yes')"
);

/// `ARGV`: the name. Answers `found` and what is there, or `none`; `damaged` where it may have been
/// lost.
pub(super) const READ: &str = with_opening!(
    "
local value = redis.call('HGET', entries, ARGV[1])
if value then return {'found', value} end
if not whole then return counts end
return {'none'}"
);

/// `ARGV`: where it begins, as `ZRANGEBYLEX` has it, and how many. Answers `page`, then names and
/// what they name.
pub(super) const PAGE: &str = with_opening!(
    "
if not whole then return counts end
local found = redis.call('ZRANGEBYLEX', names, ARGV[1], '+', 'LIMIT', 0, ARGV[2])
local page = {'page'}
for at, field in ipairs(found) do
  page[at * 2] = field
  page[at * 2 + 1] = redis.call('HGET', entries, field)
end
return page"
);

/// `ARGV`: until when, and how many. Answers like [`PAGE`].
pub(super) const ASLEEP: &str = with_opening!(
    "
local found = redis.call('ZRANGEBYSCORE', asleep, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
local page = {'page'}
for at, field in ipairs(found) do
  page[at * 2] = field
  page[at * 2 + 1] = redis.call('HGET', entries, field)
end
return page"
);

/// Everything there is of a damaged vault. Answers like [`PAGE`], in no order.
pub(super) const EVERYTHING: &str = with_opening!(
    "
local page = redis.call('HGETALL', entries)
table.insert(page, 1, 'page')
return page"
);

/// How many entries there are: answers `whole` and how many of them are said to be dormant, or
/// `damaged`.
pub(super) const COUNT: &str = with_opening!(
    "
if not whole then return counts end
if not outbox_whole then return outbox_counts end
return {'whole', digits(redis.call('ZCARD', asleep))}"
);
