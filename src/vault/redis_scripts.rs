//! What Redis carries out for the vault, each as a whole: nobody sees one half done.

/// Reads `KEYS` and counts what is there: a part of it that has gone (thrown out for want of
/// memory, deleted by somebody) is told from an entry that never was.
///
/// ```text
/// head     hash    format, and how many entries there should be
/// entries  hash    name → dormant since, seal, checksum
/// names    sorted  every name, in order
/// asleep   sorted  the names of dormant entries, by when they fell asleep
/// ```
macro_rules! with_opening {
    ($script:literal) => {
        concat!(
            "
local head, entries, names, asleep = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local format = redis.call('HGET', head, 'format')
if format and format ~= '1' then return {'format', format} end
local tally = tonumber(redis.call('HGET', head, 'entries') or '0')
local there, named = redis.call('HLEN', entries), redis.call('ZCARD', names)
local whole = there == tally and named == tally
local counts = {'damaged', tostring(there), tostring(named), tostring(tally)}
",
            $script
        )
    };
}

/// The same for what changes something. `KEYS[5]` says that this very change has been made, and what
/// came of it: one that is sent again, because its answer was lost, is not made twice. Into a vault
/// that is damaged nothing is written. What could fail for want of memory comes first, and fails
/// before anything has changed.
macro_rules! with_change {
    ($script:literal) => {
        concat!(
            "
local known = redis.call('GET', KEYS[5])
if known then return {known} end
",
            with_opening!(
                "
if not whole then return counts end
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
local function done(answer)
  if answer == 'yes' then
    redis.call('HSET', head, 'format', '1', 'entries', tostring(tally))
  end
  redis.pcall('SET', KEYS[5], answer, 'PX', ARGV[1])
  return {answer}
end
"
            ),
            $script
        )
    };
}

/// `ARGV`: life of the note, the name. Answers `yes` or `no`.
pub(super) const REMOVE: &str = with_change!(
    "
if redis.call('HEXISTS', entries, ARGV[2]) == 0 then return done('no') end
drop(ARGV[2])
return done('yes')"
);

/// `ARGV`: life of the note, the name, what has to be there, what comes, or nothing, and since when
/// that is dormant.
pub(super) const SWAP: &str = with_change!(
    "
if redis.call('HGET', entries, ARGV[2]) ~= ARGV[3] then return done('no') end
if ARGV[4] == '' then drop(ARGV[2]) else put(ARGV[2], ARGV[4], ARGV[5]) end
return done('yes')"
);

/// `ARGV`: life of the note, how many entries there may be, then of each its name, what comes, and
/// since when it is dormant.
pub(super) const WRITE: &str = with_change!(
    "
local more = 0
for at = 3, #ARGV, 3 do
  if redis.call('HEXISTS', entries, ARGV[at]) == 0 then more = more + 1 end
end
if tally + more > tonumber(ARGV[2]) then return {'full'} end
for at = 3, #ARGV, 3 do put(ARGV[at], ARGV[at + 1], ARGV[at + 2]) end
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
return {'whole', tostring(redis.call('ZCARD', asleep))}"
);
