//! So many at once from each client address.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::web::Subscriber;

/// Who is here from which address. Holds as many entries as there are members, so what bounds the
/// members bounds it. Sharded, so that the workers do not meet at one lock.
#[derive(Debug)]
pub struct Crowds {
    shards: Vec<Mutex<HashMap<Subscriber, usize>>>,
    hasher: RandomState,
}

/// One that is here; gone when dropped.
#[derive(Debug)]
pub struct Member {
    crowds: Arc<Crowds>,
    subscriber: Subscriber,
}

impl Default for Crowds {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: RandomState::new() }
    }
}

impl Crowds {
    /// Lets one more in, unless `most` are here from there.
    pub fn enter(self: &Arc<Self>, subscriber: Subscriber, most: usize) -> Option<Member> {
        let mut shard = self.shard(subscriber);
        let here = shard.entry(subscriber).or_insert(0);
        if *here >= most {
            return None;
        }
        *here += 1;
        Some(Member { crowds: self.clone(), subscriber })
    }

    fn shard(&self, subscriber: Subscriber) -> MutexGuard<'_, HashMap<Subscriber, usize>> {
        let number = self.hasher.hash_one(subscriber) as usize % SHARDS;
        self.shards[number].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut shard = self.crowds.shard(self.subscriber);
        let Some(here) = shard.get_mut(&self.subscriber) else { return };
        *here -= 1;
        if *here == 0 {
            shard.remove(&self.subscriber);
        }
    }
}

const SHARDS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> Subscriber {
        Subscriber::of(address.parse().unwrap())
    }

    #[test]
    fn each_address_has_its_own_count_and_an_ipv6_network_one() {
        let crowds = Arc::new(Crowds::default());
        let one = crowds.enter(from("192.0.2.1"), 1);
        assert!(one.is_some() && crowds.enter(from("192.0.2.1"), 1).is_none());
        assert!(crowds.enter(from("::ffff:192.0.2.1"), 1).is_none(), "the same address");
        let other = crowds.enter(from("192.0.2.2"), 1);
        let six = crowds.enter(from("2001:db8:0:1::1"), 1);
        assert!(other.is_some() && six.is_some());
        assert!(crowds.enter(from("2001:db8:0:1:ffff::2"), 1).is_none(), "the same /64");
        assert!(crowds.enter(from("2001:db8:0:2::1"), 1).is_some());
        drop(one);
        assert!(crowds.enter(from("192.0.2.1"), 1).is_some());
    }

    #[test]
    fn who_left_leaves_nothing_behind() {
        let crowds = Arc::new(Crowds::default());
        let members: Vec<_> =
            (0..=255).map(|last| crowds.enter(from(&format!("192.0.2.{last}")), 9)).collect();
        let entries =
            || crowds.shards.iter().map(|shard| shard.lock().unwrap().len()).sum::<usize>();
        assert_eq!(entries(), 256);
        drop(members);
        assert_eq!(entries(), 0);
    }
}
