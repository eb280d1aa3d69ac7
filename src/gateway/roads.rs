//! The ways to a route's app: one for each of its servers, and who chooses among them.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::config::{Destination, Route, Settings};
use crate::crypto::Authorities;
use crate::telemetry::ServerLevel;
use crate::upstreams::Pool;

use super::way::Way;

/// A route's, worked out once for each configuration.
pub(super) struct Roads {
    /// At least one, in the order of the pool.
    pub(super) ways: Vec<Way>,
    /// None where there is one server and nothing to choose.
    pub(super) pool: Option<Arc<Pool>>,
}

/// The pools of a configuration, each under the name of its table.
#[derive(Default)]
pub(super) struct Pools(Vec<(String, Arc<Pool>)>);

impl Pools {
    /// What those before learnt of the servers both have goes on.
    pub(super) fn new(settings: &Settings, before: Option<&Self>) -> Self {
        let named = settings.upstreams.iter().filter_map(|servers| {
            let name = servers.name.clone()?;
            let old = before.and_then(|before| before.find(&name));
            let pool = Pool::new(servers, old.map(|pool| &**pool));
            Some((name, Arc::new(pool)))
        });
        Self(named.collect())
    }

    fn each(&self) -> impl Iterator<Item = (&str, &Arc<Pool>)> {
        self.0.iter().map(|(name, pool)| (name.as_str(), pool))
    }

    /// How each server stands.
    pub(super) fn levels(&self, now: Timestamp) -> Vec<ServerLevel<'_>> {
        let levels = self.each().flat_map(|(upstream, pool)| {
            pool.members().map(move |member| ServerLevel {
                upstream,
                server: member.name(),
                is_up: member.is_up(now),
                in_flight: member.in_flight(),
            })
        });
        levels.collect()
    }

    pub(super) fn find(&self, name: &str) -> Option<&Arc<Pool>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, pool)| pool)
    }
}

impl Roads {
    /// None where a tenant is behind the route.
    pub(super) fn of(
        route: &Route,
        pools: &Pools,
        machine: impl Fn() -> Authorities,
    ) -> Option<Self> {
        let Destination::App(upstream) = &route.upstream else { return None };
        let servers = &upstream.servers;
        let ways = servers.each.iter().map(|server| Way::new(upstream, server, &machine));
        let pool = servers.name.as_deref().and_then(|name| pools.find(name)).cloned();
        Some(Self { ways: ways.collect(), pool })
    }
}
