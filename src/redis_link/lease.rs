//! A lease: one replica at a time does a thing, and one that dies does not keep it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::commands::milliseconds;
use super::failure::LinkFailed;
use super::link::RedisLink;

/// Held until it is released or dropped, and renewed meanwhile by the link's own thread. Without
/// us, because the process was killed or cannot reach Redis, it ends after its life.
pub struct Lease {
    link: RedisLink,
    name: String,
    owner: String,
    fencing: u64,
    lost: Arc<AtomicBool>,
    renewal: AbortHandle,
}

/// What came of waiting for one's turn.
pub enum Turn<T> {
    /// Somebody else had done it.
    Found(T),
    /// It is ours to do.
    Mine(Lease),
    /// Somebody else is still at it.
    Waited,
}

impl RedisLink {
    /// Takes the lease of a name, if nobody has it.
    ///
    /// # Errors
    /// [`LinkFailed`]: then it may have been taken, and ends after its life.
    pub async fn lease(&self, name: &str, life: Duration) -> Result<Option<Lease>, LinkFailed> {
        let owner = self.random().token();
        let mut script = self.script(TAKE, &[&lease_of(name), &fence_of(name)]);
        script.arg(&owner).arg(milliseconds(life)).arg(milliseconds(FENCE_LIFE));
        let fencing = self.run::<u64>(script).await?;
        if fencing == 0 {
            return Ok(None);
        }
        let lost = Arc::new(AtomicBool::new(false));
        let renewal =
            self.spawn(renew(self.clone(), name.to_owned(), owner.clone(), life, lost.clone()));
        Ok(Some(Lease { link: self.clone(), name: name.to_owned(), owner, fencing, lost, renewal }))
    }

    /// Takes the lease of a name, or waits for whoever has it, at most for `patience`: `look` says
    /// whether the thing is done. It is asked again once the lease is ours.
    ///
    /// # Errors
    /// [`LinkFailed`] of the first command that failed.
    pub async fn turn<T, L>(
        &self,
        name: &str,
        life: Duration,
        patience: Duration,
        mut look: impl FnMut() -> L + Send,
    ) -> Result<Turn<T>, LinkFailed>
    where
        L: Future<Output = Result<Option<T>, LinkFailed>> + Send,
    {
        let begun = Instant::now();
        loop {
            let lease = self.lease(name, life).await?;
            if let Some(found) = look().await? {
                return Ok(Turn::Found(found));
            }
            if let Some(lease) = lease {
                return Ok(Turn::Mine(lease));
            }
            if begun.elapsed() >= patience {
                return Ok(Turn::Waited);
            }
            sleep(POLL).await;
        }
    }

    /// Sets a value, gone after `life`, unless somebody has taken the lease since; says whether.
    /// So a leader that was held up does not overwrite what its successor did.
    pub async fn set_leased(
        &self,
        name: &str,
        value: &[u8],
        life: Duration,
        lease: &Lease,
    ) -> Result<bool, LinkFailed> {
        let mut script = self.script(SET_FENCED, &[name, &fence_of(&lease.name)]);
        script.arg(lease.fencing).arg(value).arg(milliseconds(life));
        self.run(script).await
    }
}

impl Lease {
    /// Higher than that of every lease of this name before.
    pub fn fencing(&self) -> u64 {
        self.fencing
    }

    /// Whether it ended under us: somebody else may be at it.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Whether it is ours now, as Redis says; where that cannot be asked, it may not be.
    pub async fn is_held(&self) -> bool {
        let mut script = self.link.script(HELD, &[&lease_of(&self.name)]);
        script.arg(&self.owner);
        !self.is_lost() && self.link.run::<bool>(script).await.unwrap_or(false)
    }

    /// Gives it back now, so that whoever waits need not wait for its end. Dropping it does the
    /// same without waiting for Redis.
    pub async fn release(self) {
        self.renewal.abort();
        let _it_ends_by_itself =
            self.link.compare_and_delete(&lease_of(&self.name), self.owner.as_bytes()).await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal.abort();
        let (link, name, owner) = (self.link.clone(), lease_of(&self.name), self.owner.clone());
        self.link.spawn(async move {
            let _it_ends_by_itself = link.compare_and_delete(&name, owner.as_bytes()).await;
        });
    }
}

/// Renews at every third of the life. A failure is no end yet; a life without success is.
async fn renew(
    link: RedisLink,
    name: String,
    owner: String,
    life: Duration,
    lost: Arc<AtomicBool>,
) {
    let lease = lease_of(&name);
    let mut renewed = Instant::now();
    while renewed.elapsed() < life {
        sleep(life / 3).await;
        let mut script = link.script(RENEW, &[&lease]);
        script.arg(&owner).arg(milliseconds(life));
        match link.run::<bool>(script).await {
            Ok(true) => renewed = Instant::now(),
            Ok(false) => break,
            Err(_) => {}
        }
    }
    lost.store(true, Ordering::Release);
}

fn lease_of(name: &str) -> String {
    format!("lease:{name}")
}

fn fence_of(name: &str) -> String {
    format!("fence:{name}")
}

/// How often somebody who waits looks: a lease is seldom awaited, and for a second or so.
const POLL: Duration = Duration::from_millis(50);
/// Longer than anything is done under one lease.
const FENCE_LIFE: Duration = Duration::from_secs(7 * 86_400);

/// The owner may be ourselves: then the answer to the first attempt was lost.
const TAKE: &str = "
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local fencing = redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return fencing";

const RENEW: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])";

const HELD: &str = "
if redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end
return 0";

const SET_FENCED: &str = "
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1";
