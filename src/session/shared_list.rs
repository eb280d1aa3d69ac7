//! What is over, in Redis: one list for all replicas.
//!
//! `{ended}:list` has each entry once, by the place it came at, and `{ended}:times` by when what it is
//! about began; `{ended}:place` counts the places, and `{ended}:word` is one that another list would not
//! have. An entry is `LETTER:NAME:BEGAN`, the name in hexadecimal. What nobody has to know any more is taken out
//! with the next that comes, and where there are too many, the oldest give way and every session as old
//! as those is over.

use std::fmt::Write as _;

use crate::clock::Timestamp;
use crate::redis_link::{Answer, COMMAND, Kept, LinkFailed, RedisLink, Script};

use super::ended::Names;
use super::marks::EVERYTHING;
use super::what::Over;

/// The list, over a link.
#[derive(Clone, Debug)]
pub(super) struct SharedList {
    pub link: RedisLink,
    /// Entries at most.
    pub most: usize,
    /// Seconds a session lives at most.
    pub absolute: u64,
}

/// How far a list was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bookmark {
    word: Vec<u8>,
    place: u64,
}

/// What was read.
pub(super) struct Read {
    pub over: Vec<Over>,
    pub bookmark: Bookmark,
    /// It is not the list that was read before: Redis has lost that.
    pub is_another: bool,
}

impl SharedList {
    /// Adds entries. Those that are there are not added again.
    ///
    /// # Errors
    /// [`LinkFailed`] within a second.
    pub async fn add(&self, over: &[Over], now: Timestamp) -> Result<(), LinkFailed> {
        for some in over.chunks(AT_ONCE) {
            let forgotten = now.0.saturating_sub(self.absolute.saturating_add(CLOCKS_APART));
            let everything = format!("{}:{}", Names::Marks.letter() as char, hex(&EVERYTHING));
            let mut arguments =
                vec![self.link.word(), forgotten.to_string(), self.most.to_string(), everything];
            arguments.extend(some.iter().map(entry));
            let answer = self.run(ADD, arguments).await?;
            if let Some(Some(began)) = answer.first() {
                tracing::warn!(
                    until = %String::from_utf8_lossy(began),
                    most = self.most,
                    "the list of ended sessions is full: every session that began until then is over"
                );
            }
        }
        Ok(())
    }

    /// Reads what came since the bookmark, some of it: there may be more.
    ///
    /// # Errors
    /// [`LinkFailed`] within a second.
    pub async fn read(&self, since: &Bookmark) -> Result<Read, LinkFailed> {
        let arguments = |place: u64| vec![self.link.word(), place.to_string(), AT_ONCE.to_string()];
        let mut answer = self.run(READ, arguments(since.place)).await?;
        let word = answer.first().cloned().flatten().unwrap_or_default();
        let is_another = word != since.word;
        if is_another && since.place > 0 {
            answer = self.run(READ, arguments(0)).await?;
        }
        let before = if is_another { 0 } else { since.place };
        let (over, place) = entries(&answer, before);
        Ok(Read { over, bookmark: Bookmark { word, place }, is_another })
    }

    async fn run(&self, text: &str, arguments: Vec<String>) -> Result<Answer, LinkFailed> {
        let arguments = arguments.into_iter().map(String::into_bytes).collect();
        let names = &["{ended}:list", "{ended}:times", "{ended}:place", "{ended}:word"];
        let patience = COMMAND;
        self.link
            .run_script(Script { text, names, arguments, patience, kept: Kept::InMemory })
            .await
    }
}

/// The entries of an answer, and the place of the last; one that nobody can read is passed over.
fn entries(answer: &Answer, before: u64) -> (Vec<Over>, u64) {
    let (mut over, mut place) = (Vec::new(), before);
    for pair in answer.get(1..).unwrap_or_default().chunks(2) {
        let [Some(entry), Some(at)] = pair else { continue };
        over.extend(std::str::from_utf8(entry).ok().and_then(parsed));
        let at = std::str::from_utf8(at).ok().and_then(|at| at.parse().ok());
        place = place.max(at.unwrap_or(0));
    }
    (over, place)
}

fn entry(over: &Over) -> String {
    format!("{}:{}:{}", over.names.letter() as char, hex(&over.name), over.began.0)
}

fn parsed(text: &str) -> Option<Over> {
    let mut parts = text.splitn(3, ':');
    let (letter, name, began) = (parts.next()?, parts.next()?, parts.next()?);
    let &[letter] = letter.as_bytes() else { return None };
    let number = u128::from_str_radix(name, 16).ok().filter(|_| name.len() == 32)?;
    let (names, began) = (Names::of_letter(letter)?, Timestamp(began.parse().ok()?));
    Some(Over { names, name: number.to_be_bytes(), began })
}

fn hex(name: &[u8; 16]) -> String {
    name.iter().fold(String::with_capacity(32), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes any letter");
        text
    })
}

/// Entries in one command.
const AT_ONCE: usize = 500;
/// Seconds an entry stays beyond its time, for a replica whose clock is behind.
const CLOCKS_APART: u64 = 300;

const ADD: &str = "
local list, times, place, word = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
redis.call('SET', word, ARGV[1], 'NX')
local function put(entry)
  if not redis.call('ZSCORE', list, entry) then
    redis.call('ZADD', list, redis.call('INCR', place), entry)
    redis.call('ZADD', times, tonumber(string.match(entry, '%d+$')), entry)
  end
end
for _, entry in ipairs(redis.call('ZRANGE', times, '-inf', '(' .. ARGV[2], 'BYSCORE', 'LIMIT', 0, 1000)) do
  redis.call('ZREM', list, entry)
  redis.call('ZREM', times, entry)
end
for number = 5, #ARGV do put(ARGV[number]) end
local many = redis.call('ZCARD', times) - tonumber(ARGV[3])
if many > 0 then
  local began
  for _, entry in ipairs(redis.call('ZRANGE', times, 0, many + math.floor(ARGV[3] / 10))) do
    began = string.match(entry, '%d+$')
    redis.call('ZREM', list, entry)
    redis.call('ZREM', times, entry)
  end
  put(ARGV[4] .. ':' .. began)
  return {began}
end
return {}";

const READ: &str = "
redis.call('SET', KEYS[4], ARGV[1], 'NX')
local answer = redis.call('ZRANGE', KEYS[1], '(' .. ARGV[2], '+inf', 'BYSCORE', 'LIMIT', 0, ARGV[3], 'WITHSCORES')
table.insert(answer, 1, redis.call('GET', KEYS[4]))
return answer";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_written_and_nothing_else_is() {
        for names in [Names::Marks, Names::Sessions] {
            let over = Over { names, name: [0xa7; 16], began: Timestamp(1_700_000_000) };
            assert_eq!(parsed(&entry(&over)), Some(over));
        }
        let name = "0".repeat(32);
        for odd in ["", "m", "m:00:5", "x:00:5", "m::5"] {
            assert_eq!(parsed(odd), None, "{odd}");
        }
        for odd in [format!("x:{name}:5"), format!("m:{name}:"), format!("m:{name}:-1")] {
            assert_eq!(parsed(&odd), None, "{odd}");
        }
    }
}
