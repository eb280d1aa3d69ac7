//! Every tenant's slot in an environment, in shards, so that calls wait for nobody but who adds to
//! their own shard.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::clock::Timestamp;
use crate::identity::ContextId;

use super::slot::Slot;

/// A bounded map: where a shard is full, the tenant that was not asked about for longest gives way.
pub(super) struct Slots {
    shards: Box<[RwLock<Known>]>,
    room_of_a_shard: usize,
}

type Known = HashMap<ContextId, Arc<Slot>>;

impl Slots {
    /// Room for about so many tenants: each shard has its part, and a quarter more.
    pub(super) fn new(room: usize) -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::default()).collect();
        Self { shards, room_of_a_shard: (room + room / 4).div_ceil(SHARDS).max(1) }
    }

    /// A tenant's slot, if there is one.
    pub(super) fn get(&self, tenant: &ContextId) -> Option<Arc<Slot>> {
        let known = self.shard(tenant).read().unwrap_or_else(PoisonError::into_inner);
        known.get(tenant).cloned()
    }

    /// A tenant's slot, which is asked about now.
    pub(super) fn get_or_make(
        &self,
        tenant: &ContextId,
        now: Timestamp,
        make: impl FnOnce() -> Slot,
    ) -> Arc<Slot> {
        if let Some(slot) = self.get(tenant) {
            slot.touch(now);
            return slot;
        }
        let mut known = self.shard(tenant).write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.room_of_a_shard && !known.contains_key(tenant) {
            make_room(&mut known);
        }
        let slot = known.entry(tenant.clone()).or_insert_with(|| Arc::new(make()));
        slot.touch(now);
        slot.clone()
    }

    /// What is known of every tenant, in a word.
    pub(super) fn states(&self) -> Vec<&'static str> {
        let mut states = Vec::new();
        for shard in &self.shards {
            let known = shard.read().unwrap_or_else(PoisonError::into_inner);
            states.extend(known.values().map(|slot| slot.state()));
        }
        states
    }

    /// Chosen by the end of the tenant's number, where tenants differ most.
    fn shard(&self, tenant: &ContextId) -> &RwLock<Known> {
        &self.shards[tenant.number() as usize % SHARDS]
    }
}

/// Whoever asks about a tenant at this moment holds its slot, and it stays.
fn make_room(known: &mut Known) {
    let free = known.iter().filter(|(_, slot)| Arc::strong_count(slot) == 1);
    let oldest = free.min_by_key(|(_, slot)| slot.touched()).map(|(tenant, _)| tenant.clone());
    if let Some(tenant) = oldest {
        known.remove(&tenant);
    }
}

const SHARDS: usize = 16;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Environment;

    const TEXT: &str = r#"
        [host.main]
        origin = "https://app.example"
        [relying_party.main]
        environment = "sod"
        client_id = "id"
        client_secret = { value = "secret" }
        [route.app]
        upstream = "http://127.0.0.1:3000"
        [session]
        keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
    "#;

    fn asked(slots: &Slots, environment: &Arc<Environment>, number: u64, now: u64) -> Arc<Slot> {
        let tenant = tenant(number);
        let make = || Slot::new(environment.clone(), tenant.clone());
        slots.get_or_make(&tenant, Timestamp(now), make)
    }

    fn tenant(number: u64) -> ContextId {
        ContextId::parse(&format!("Cust{number}")).unwrap()
    }

    #[test]
    fn who_was_not_asked_about_for_longest_gives_way_but_never_who_is_asked_about_now() {
        let loaded = crate::config::load_text(TEXT, "test", Path::new("."), &|_| None).unwrap();
        let environment = loaded.settings.relying_parties[0].environment().unwrap().clone();
        let slots = Slots::new(SHARDS * 4);
        let held = asked(&slots, &environment, 1, 0);
        for number in 2..=5_000 {
            asked(&slots, &environment, number, number);
            asked(&slots, &environment, 2, number);
        }
        let kept: usize = slots.shards.iter().map(|shard| shard.read().unwrap().len()).sum();
        assert_eq!(kept, SHARDS * 5);
        assert!(Arc::ptr_eq(&held, &asked(&slots, &environment, 1, 5_000)));
        assert!(slots.get(&tenant(2)).is_some() && slots.get(&tenant(5_000)).is_some());
        assert!(slots.get(&tenant(3)).is_none());
    }
}
