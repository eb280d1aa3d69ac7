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
/// due      sorted  app, when it is due, rest of its line: of the oldest letter of each name
/// aside    hash    line → what a letter that was damaged says; it is not among the others any more
/// ```
macro_rules! with_opening {
    ($($script:expr),+) => {
        concat!(
            "
local head, entries, names, asleep = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local letters, states, order, lines = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local due, aside = KEYS[9], KEYS[10]
local said = redis.call('HMGET', head, 'format', 'entries', 'letters', 'youngest', 'heads')
if said[1] and said[1] ~= '1' then return {'format', said[1]} end
local tally, waiting = tonumber(said[2] or '0'), tonumber(said[3] or '0')
local youngest = tonumber(said[4] or '0')
local function digits(number) return string.format('%d', number) end
local there, named = redis.call('HLEN', entries), redis.call('ZCARD', names)
local whole = there == tally and named == tally
local counts = {'damaged', digits(there) .. ' entries and ' .. digits(named) .. ' names', digits(tally)}
local sealed, lined = redis.call('HLEN', letters), redis.call('ZCARD', lines)
local outbox_whole = sealed == waiting and lined == waiting
  and redis.call('ZCARD', order) == waiting
local outbox_counts = {'damaged', digits(sealed) .. ' letters in ' .. digits(lined) .. ' places', digits(waiting)}
",
            $($script),+
        )
    };
}

/// How the oldest letter of each name is found by when it is due. Where `due` does not hold as many
/// as it should, because it has gone or is none of ours, it is made anew of the lines.
macro_rules! with_heads {
    ($script:expr) => {
        concat!(
            "
local heads = tonumber(said[5] or '-1')
local function number_of(line) return digits(tonumber(string.sub(line, -16), 10)) end
local function app_of(line)
  local at, parts = 0, 0
  while parts < 2 do
    at = string.find(line, '\\0', at + 1, true)
    if string.byte(line, at + 1) == 255 then at = at + 1 else parts = parts + 1 end
  end
  return string.sub(line, 1, at)
end
local function state_of(number)
  local at, tries = string.match(redis.call('HGET', states, number) or '', '^(%d+) (%d+)$')
  return tonumber(at), tonumber(tries)
end
local function place(line, at)
  local app = app_of(line)
  return app .. string.format('%016d', at or 0) .. string.sub(line, #app + 1)
end
local function lead(line, at) heads = heads + redis.call('ZADD', due, 0, place(line, at)) end
local function unlead(line, at) heads = heads - redis.call('ZREM', due, place(line, at)) end
local function first(name)
  return redis.call('ZRANGEBYLEX', lines, '[' .. name, '(' .. name .. ':', 'LIMIT', 0, 1)[1]
end
-- Lets the next of a name follow one that has gone.
local function follow(line)
  local next = first(string.sub(line, 1, -17))
  if next then lead(next, (state_of(number_of(next)))) end
end
if heads ~= redis.call('ZCARD', due) then
  redis.call('DEL', due)
  heads = 0
  local from = '-'
  while true do
    local line = redis.call('ZRANGEBYLEX', lines, from, '+', 'LIMIT', 0, 1)[1]
    if not line then break end
    lead(line, (state_of(number_of(line))))
    from = '[' .. string.sub(line, 1, -17) .. ':'
  end
end
local function set_aside(line)
  local number = number_of(line)
  redis.call('HSET', aside, line, redis.call('HGET', letters, number) or '')
  redis.call('HDEL', letters, number)
  redis.call('HDEL', states, number)
  redis.call('ZREM', order, number)
  redis.call('ZREM', lines, line)
  waiting = waiting - 1
  follow(line)
end
local function counted()
  redis.call('HSET', head, 'format', '1', 'entries', digits(tally),
    'letters', digits(waiting), 'youngest', digits(youngest), 'heads', digits(heads))
end
",
            $script
        )
    };
}

/// The same for what changes something. `KEYS[11]` says that this very change has been made, and what
/// came of it: one that is sent again, because its answer was lost, is not made twice. It lengthens the
/// life of the note then, so that its connection too has written something to wait for on disk. Into a vault
/// that is damaged nothing is written. What could fail for want of memory comes first, and fails
/// before anything has changed.
macro_rules! with_change {
    ($script:literal) => {
        concat!(
            "
local known = redis.call('GET', KEYS[11])
if known then
  redis.pcall('PEXPIRE', KEYS[11], ARGV[1])
  return {known}
end
",
            with_opening!(with_heads!(concat!(
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
  local number, alone = digits(youngest), not first(line)
  line = line .. string.format('%016d', youngest)
  redis.call('HSET', letters, number, value)
  redis.call('HSET', states, number, written .. ' 0')
  redis.call('ZADD', order, number, number)
  redis.call('ZADD', lines, 0, line)
  if alone then lead(line, written) end
end
local function done(answer)
  if answer == 'yes' then counted() end
  redis.pcall('SET', KEYS[11], answer, 'PX', ARGV[1])
  return {answer}
end
",
                $script
            )))
        )
    };
}
pub(super) use {with_change, with_heads, with_opening};

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
