//! Whoever draws a cluster's map: asks its nodes who has what, and keeps a connection to each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::config::RedisNode;

use super::ballot::most_say;
use super::cluster::{Cluster, Known, LinkState, Map};
use super::dialler::{Dialled, Dialler};
use super::failure::LinkFailed;
use super::lanes::{Lanes, lanes};
use super::server::Server;
use super::slots::Slots;

/// Draws the map anew whenever somebody doubts it.
pub(super) struct Surveyor {
    name: &'static str,
    dialler: Dialler,
    seeds: Vec<RedisNode>,
    map: watch::Sender<Map>,
    cluster: Cluster,
    keepers: BTreeMap<RedisNode, AbortHandle>,
}

/// The two sides; nothing happens until the surveyor is run.
pub(super) fn cluster(
    name: &'static str,
    dialler: Dialler,
    seeds: &[RedisNode],
) -> (Cluster, Surveyor) {
    let (map, maps) = watch::channel(Map::Awaited);
    let cluster = Cluster { map: maps, doubt: Arc::new(Notify::new()) };
    let surveyor = Surveyor {
        name,
        dialler,
        seeds: seeds.to_vec(),
        map,
        cluster: cluster.clone(),
        keepers: BTreeMap::new(),
    };
    (cluster, surveyor)
}

impl Surveyor {
    /// Goes on until it is dropped.
    pub async fn run(mut self) {
        loop {
            self.survey().await;
            sleep(SHORTEST).await;
            let calm = self.cluster.state() == LinkState::Up;
            let wait = if calm { CALM } else { UNEASY };
            let _doubted = timeout(wait, self.cluster.doubt.notified()).await;
        }
    }

    async fn survey(&mut self) {
        let asked = self.asked().into_iter().filter_map(|node| {
            let server = self.dialler.node(&node).ok()?;
            Some(says(server, node))
        });
        match most_say(asked.collect(), self.dialler.timeout).await {
            Ok(slots) => self.draw(slots),
            Err(failed) => self.give_up(failed),
        }
    }

    /// Those of the configuration, and some of those they named.
    fn asked(&self) -> BTreeSet<RedisNode> {
        let known = self.keepers.keys().take(MOST_ASKED);
        self.seeds.iter().chain(known).cloned().collect()
    }

    /// Connections to nodes that have slots no more are ended, and new ones begun.
    fn draw(&mut self, slots: Slots) {
        let before = match &*self.map.borrow() {
            Map::Known(known) => Some(known.clone()),
            Map::Awaited | Map::Unknown(_) => None,
        };
        if before.as_ref().is_some_and(|before| before.slots == slots) {
            return;
        }
        let mut all = BTreeMap::new();
        for node in slots.owners() {
            let known = before.as_ref().and_then(|before| before.lanes.get(node)).cloned();
            let Some(way) = known.or_else(|| self.keep(node)) else { continue };
            all.insert(node.clone(), way);
        }
        self.keepers.retain(|node, keeper| {
            let stays = all.contains_key(node);
            if !stays {
                keeper.abort();
            }
            stays
        });
        tracing::info!(link = self.name, nodes = all.len(), "the cluster's map is drawn");
        self.map.send_replace(Map::Known(Arc::new(Known { slots, lanes: all })));
    }

    /// Begins to keep a connection to a node up.
    fn keep(&mut self, node: &RedisNode) -> Option<Lanes> {
        let server = self.dialler.node(node).ok()?;
        let (way, keeper) = lanes(self.name, Server::Fixed(server));
        let task = tokio::spawn(keeper.run()).abort_handle();
        self.keepers.insert(node.clone(), task);
        Some(way)
    }

    /// An old map is better than none.
    fn give_up(&self, failed: LinkFailed) {
        self.map.send_if_modified(|map| {
            let news = match map {
                Map::Known(_) => return false,
                Map::Unknown(known) => *known != failed,
                Map::Awaited => true,
            };
            if news {
                let link = self.name;
                tracing::warn!(link, reason = %failed, "no node of the cluster says who has what");
            }
            *map = Map::Unknown(failed);
            news
        });
    }
}

/// What one node says.
async fn says(server: Dialled, node: RedisNode) -> Result<Slots, LinkFailed> {
    let mut connection = server.connect().await?;
    let mut ask = redis::cmd("CLUSTER");
    ask.arg("SLOTS");
    let answer = connection.send_packed_command(&ask).await.and_then(Value::extract_error);
    let answer = answer.map_err(|error| LinkFailed::of(&error))?;
    Slots::read(&answer, &node).ok_or_else(|| LinkFailed::Answer("not a cluster's slots".into()))
}

/// How often it is asked at most, whoever doubts.
const SHORTEST: Duration = Duration::from_millis(250);
/// How often it is asked while something is amiss, and while nothing is.
const UNEASY: Duration = Duration::from_secs(1);
const CALM: Duration = Duration::from_secs(15);
/// Nodes that are asked beside those of the configuration.
const MOST_ASKED: usize = 8;
