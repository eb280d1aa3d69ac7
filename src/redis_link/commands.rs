//! What can be asked of the store; every command may be carried out twice without harm.

use std::time::Duration;

use redis::{Cmd, cmd};

use super::failure::LinkFailed;
use super::link::RedisLink;

/// Names are without the prefix. Names of one command that share a part in `{…}` live together on
/// a cluster. Every command fails with [`LinkFailed`] within
/// [`COMMAND`](super::COMMAND).
impl RedisLink {
    /// A sign of life.
    pub async fn ping(&self) -> Result<(), LinkFailed> {
        self.run::<String>(cmd("PING")).await.map(drop)
    }

    /// The value of a name.
    pub async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, LinkFailed> {
        let mut get = cmd("GET");
        get.arg(self.key(name));
        self.run(get).await
    }

    /// Sets a value that is gone after `life`.
    pub async fn set(&self, name: &str, value: &[u8], life: Duration) -> Result<(), LinkFailed> {
        let mut set = cmd("SET");
        set.arg(self.key(name)).arg(value).arg("PX").arg(milliseconds(life));
        self.run::<String>(set).await.map(drop)
    }

    /// Removes a value, if there is one.
    pub async fn delete(&self, name: &str) -> Result<(), LinkFailed> {
        let mut delete = cmd("DEL");
        delete.arg(self.key(name));
        self.run::<i64>(delete).await.map(drop)
    }

    /// Sets a value if the present one is as expected, `None` for none at all; says whether.
    pub async fn compare_and_set(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        life: Duration,
    ) -> Result<bool, LinkFailed> {
        let mut script = self.script(COMPARE_AND_SET, &[name]);
        script.arg(if expected.is_some() { "1" } else { "0" });
        script.arg(expected.unwrap_or_default()).arg(value).arg(milliseconds(life));
        self.run(script).await
    }

    /// Removes a value if it is as expected; says whether it was.
    pub async fn compare_and_delete(
        &self,
        name: &str,
        expected: &[u8],
    ) -> Result<bool, LinkFailed> {
        let mut script = self.script(COMPARE_AND_DELETE, &[name]);
        script.arg(expected);
        self.run(script).await
    }

    /// A script over these names. Its text goes along each time: a server that was restarted has
    /// forgotten it, and it is short.
    pub(super) fn script(&self, text: &str, names: &[&str]) -> Cmd {
        let mut eval = cmd("EVAL");
        eval.arg(text).arg(names.len());
        for name in names {
            eval.arg(self.key(name));
        }
        eval
    }
}

/// At least one: Redis refuses a life of none.
pub(super) fn milliseconds(life: Duration) -> u64 {
    u64::try_from(life.as_millis()).unwrap_or(u64::MAX).clamp(1, A_YEAR)
}

const A_YEAR: u64 = 365 * 86_400_000;

/// The value that is to be set may be there already: then this was done before.
const COMPARE_AND_SET: &str = "
local present = redis.call('GET', KEYS[1])
local fits = (ARGV[1] == '0' and not present) or (ARGV[1] == '1' and present == ARGV[2])
if fits or present == ARGV[3] then
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
  return 1
end
return 0";

const COMPARE_AND_DELETE: &str = "
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0";
