//! So many in a span of time, counted for all replicas together.

use crate::clock::Timestamp;

use super::failure::LinkFailed;
use super::link::RedisLink;

/// A sliding window under a name.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    pub name: &'a str,
    /// How many fit.
    pub most: usize,
    /// Seconds.
    pub span: u64,
}

impl RedisLink {
    /// Counts `member` in at `now`, if there is room: `Ok(Ok(()))`, and otherwise the seconds until
    /// there is. A member that was counted before is not counted again.
    pub async fn count_in(
        &self,
        window: Window<'_>,
        member: &str,
        now: Timestamp,
    ) -> Result<Result<(), u64>, LinkFailed> {
        let mut script = self.script(COUNT_IN, &[window.name]);
        script.arg(now.0).arg(window.span).arg(window.most).arg(member);
        match self.run::<u64>(script).await? {
            0 => Ok(Ok(())),
            wait => Ok(Err(wait.min(window.span))),
        }
    }

    /// Takes a member out again.
    pub async fn count_out(&self, window: Window<'_>, member: &str) -> Result<(), LinkFailed> {
        let mut remove = redis::cmd("ZREM");
        remove.arg(self.key(window.name)).arg(member);
        self.run::<i64>(remove).await.map(drop)
    }
}

/// What lies ahead of `now` (a clock was set back) by more than the span is forgotten too.
const COUNT_IN: &str = "
local now, span = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - span)
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + span, '+inf')
if redis.call('ZSCORE', KEYS[1], ARGV[4]) then return 0 end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return math.max(1, tonumber(first[2]) + span - now)
end
redis.call('ZADD', KEYS[1], now, ARGV[4])
redis.call('EXPIRE', KEYS[1], span)
return 0";
