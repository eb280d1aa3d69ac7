//! Every tenant's slot, in shards, so that a hit waits for nobody but who changes its own shard.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::clock::Timestamp;
use crate::identity::TenantKey;

use super::no_ticket::NoTicket;
use super::slot::Slot;

/// A bounded map. A slot that is needed is never pushed out: with it would go the count of the
/// hour's exchanges.
pub(super) struct Slots {
    shards: Box<[Shard]>,
    room_of_a_shard: usize,
}

#[derive(Default)]
struct Shard(RwLock<HashMap<TenantKey, Arc<Slot>>>);

impl Slots {
    /// Room for about so many tenants: each shard has its part, and a quarter more.
    pub fn new(room: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Shard::default()).collect();
        Self { shards, room_of_a_shard: (room + room / 4).div_ceil(SHARDS).max(1) }
    }

    /// Looks at a tenant's slot, if there is one.
    pub fn find<T>(&self, key: &TenantKey, look: impl FnOnce(&Arc<Slot>) -> T) -> Option<T> {
        self.shard(key).read().get(key).map(look)
    }

    /// A tenant's slot.
    ///
    /// # Errors
    /// [`NoTicket::TooManyTenants`] when there is no place for it.
    pub fn find_or_make(&self, key: &TenantKey, now: Timestamp) -> Result<Arc<Slot>, NoTicket> {
        if let Some(slot) = self.find(key, Arc::clone) {
            return Ok(slot);
        }
        let mut slots = self.shard(key).write();
        if let Some(slot) = slots.get(key) {
            return Ok(slot.clone());
        }
        if slots.len() >= self.room_of_a_shard && !make_room(&mut slots, now) {
            return Err(NoTicket::TooManyTenants { retry_after: WAIT_FOR_ROOM });
        }
        let slot = Arc::new(Slot::default());
        slots.insert(key.clone(), slot.clone());
        Ok(slot)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().len()).sum()
    }

    /// All of them, as they are at this moment.
    pub fn every(&self) -> Vec<(TenantKey, Arc<Slot>)> {
        let mut every = Vec::new();
        for shard in &self.shards {
            every.extend(shard.read().iter().map(|(key, slot)| (key.clone(), slot.clone())));
        }
        every
    }

    /// Chosen by the end of the tenant's number, where tenants differ most: the map hashes the
    /// whole key, once is enough.
    fn shard(&self, key: &TenantKey) -> &Shard {
        &self.shards[key.tenant.number() as usize % SHARDS]
    }
}

impl Shard {
    fn read(&self) -> RwLockReadGuard<'_, HashMap<TenantKey, Arc<Slot>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<TenantKey, Arc<Slot>>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the slot out that is worth least and that nobody holds.
fn make_room(slots: &mut HashMap<TenantKey, Arc<Slot>>, now: Timestamp) -> bool {
    let free = slots.iter().filter(|(_, slot)| Arc::strong_count(slot) == 1);
    let ranked = free.filter_map(|(key, slot)| Some((slot.worth(now)?, key)));
    let least = ranked.min_by_key(|(worth, _)| *worth).map(|(_, key)| key.clone());
    least.is_some_and(|key| slots.remove(&key).is_some())
}

const SHARDS: usize = 16;
const WAIT_FOR_ROOM: u64 = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::ContextId;

    #[test]
    fn tenants_nobody_needs_make_room_and_those_with_exchanges_to_count_stay() {
        let slots = Slots::new(SHARDS * 4);
        let needed = slots.find_or_make(&key(7), Timestamp(0)).unwrap();
        needed.reserve(Timestamp(0)).ok().unwrap();
        drop(needed);
        for number in 0..10_000 {
            slots.find_or_make(&key(number), Timestamp(1)).unwrap();
        }
        assert!(slots.count() <= SHARDS * 5, "{}", slots.count());
        let (_, exchanges) = slots.find(&key(7), |slot| slot.told(Timestamp(1))).unwrap();
        assert_eq!(exchanges, 1);
    }

    #[test]
    fn where_everybody_is_needed_one_more_is_refused() {
        let slots = Slots::new(1);
        let mut refused = 0;
        for number in 0..1_000 {
            match slots.find_or_make(&key(number), Timestamp(0)) {
                Ok(slot) => assert!(slot.reserve(Timestamp(0)).is_ok()),
                Err(no) => {
                    assert_eq!(no, NoTicket::TooManyTenants { retry_after: WAIT_FOR_ROOM });
                    refused += 1;
                }
            }
        }
        assert_eq!((slots.count(), refused), (SHARDS, 1_000 - SHARDS));
    }

    #[test]
    fn tenants_are_spread_over_the_shards() {
        let slots = Slots::new(16_000);
        for number in 10_000..20_000 {
            slots.find_or_make(&key(number), Timestamp(0)).unwrap();
        }
        assert_eq!(slots.count(), 10_000);
    }

    fn key(number: u32) -> TenantKey {
        TenantKey {
            environment: "sod".into(),
            client_id: "client".into(),
            tenant: ContextId::parse(&format!("Cust{number}")).unwrap(),
        }
    }
}
