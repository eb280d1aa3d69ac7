//! An empty store of each kind, and a vault over it.

use std::any::Any;
use std::sync::Arc;

use superid_gateway::clock::Clock;
use superid_gateway::crypto::{KeyRing, Random};
use superid_gateway::vault::{Embedded, Memory, Sealer, Shared, Store, Vault};

use crate::redis_server::RedisServer;
use crate::world::{Folder, KEY};

pub struct Kind {
    pub name: &'static str,
    pub store: Arc<dyn Store>,
    pub vault: Vault,
    /// What the store needs for as long as it is used.
    _place: Box<dyn Any>,
}

/// Each kind of store there is on this machine.
pub fn each_kind(clock: &Clock) -> Vec<Kind> {
    let folder = Folder::new();
    let embedded = Arc::new(Embedded::open(&folder.file()).unwrap());
    let mut kinds = vec![
        Kind::over("embedded", embedded, Box::new(folder), clock),
        Kind::over("memory", Arc::new(Memory::default()), Box::new(()), clock),
    ];
    if let Some(redis) = RedisServer::start() {
        let shared = Arc::new(Shared::over(redis.link()));
        kinds.push(Kind::over("redis", shared, Box::new(redis), clock));
    }
    kinds
}

impl Kind {
    fn over(
        name: &'static str,
        store: Arc<dyn Store>,
        _place: Box<dyn Any>,
        clock: &Clock,
    ) -> Self {
        let sealer = Sealer::new(KeyRing::new(&[KEY]), Random::system());
        let vault = Vault::over(store.clone(), sealer, clock.clone());
        Self { name, store, vault, _place }
    }
}
