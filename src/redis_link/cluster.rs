//! A cluster: each command goes to the node that has its key, over a connection to each node.
//!
//! The client has a cluster connection of its own. It asks for the nodes' slots under a lock that every
//! command needs, and waits there for nodes that hang: one would hold up all. Here they share nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout_at};

use crate::config::RedisNode;

use super::failure::{Elsewhere, LinkFailed, Where};
use super::lanes::{Asking, Attempt, Errand, LaneState, Lanes};
use super::slots::{Slots, slot_of};

/// The side of those who send commands.
#[derive(Clone)]
pub(super) struct Cluster {
    pub map: watch::Receiver<Map>,
    /// Told when the map may be wrong.
    pub doubt: Arc<Notify>,
}

/// What is known of the cluster.
#[derive(Clone)]
pub(super) enum Map {
    /// It is being asked for the first time.
    Awaited,
    /// It was asked, and nothing was known before.
    Unknown(LinkFailed),
    Known(Arc<Known>),
}

/// Who has what, and the way there.
#[derive(Default)]
pub(super) struct Known {
    pub slots: Slots,
    pub lanes: BTreeMap<RedisNode, Lanes>,
}

impl Cluster {
    /// Sends a command to whoever has its key, for no longer than its patience in all. One that is
    /// moved is followed; where a connection breaks it is sent once more.
    pub async fn run(&self, errand: &Errand) -> Result<Value, LinkFailed> {
        let deadline = Instant::now() + errand.patience;
        let slot = slot_of(&errand.command);
        let mut way = Way { slot, to: None, asking: Asking::Plainly };
        let mut broke = None;
        for _ in 0..MOST_TRIES {
            let (node, lanes) = self.lanes(&way, deadline).await?;
            let failed = match lanes.try_once(errand, deadline, way.asking).await {
                Ok(value) => return Ok(value),
                Err(Attempt::Elsewhere(elsewhere)) => {
                    way = self.followed(way, &node, elsewhere, deadline).await?;
                    continue;
                }
                Err(Attempt::Broken(failed)) if broke.is_none() => {
                    self.doubt.notify_one();
                    broke = Some(failed);
                    continue;
                }
                Err(Attempt::Broken(failed) | Attempt::Failed(failed)) => failed,
            };
            if failed.is_of_the_way() {
                self.doubt.notify_one();
            }
            // An attempt before may have come through.
            return Err(if broke.is_some() { failed.unknown() } else { failed });
        }
        Err(LinkFailed::Down("the cluster sends us from node to node".into()))
    }

    /// Whether all nodes that have slots are reached, some, or none.
    pub fn state(&self) -> LinkState {
        let known = match &*self.map.borrow() {
            Map::Awaited => return LinkState::Connecting,
            Map::Unknown(failed) => return LinkState::Down(failed.clone()),
            Map::Known(known) => known.clone(),
        };
        let mut connecting = 0;
        let mut failures = Vec::new();
        for lanes in known.lanes.values() {
            match lanes.state() {
                LaneState::Connecting => connecting += 1,
                LaneState::Down(failed) => failures.push(failed),
                LaneState::Up => {}
            }
        }
        let (down, of) = (failures.len(), known.lanes.len());
        match failures.into_iter().next() {
            None if connecting == of => LinkState::Connecting,
            None if connecting > 0 => LinkState::Partly("a connection is being made".into()),
            None if known.slots.are_all_owned() => LinkState::Up,
            None => LinkState::Partly("some slots have no node".into()),
            Some(failed) if down == of => LinkState::Down(failed),
            Some(failed) => LinkState::Partly(format!("{down} of {of} nodes: {failed}").into()),
        }
    }

    /// Waits for a map; `false` when there will be none any more.
    pub async fn up(&self) -> bool {
        self.map.clone().wait_for(|map| matches!(map, Map::Known(_))).await.is_ok()
    }

    /// The way to whoever has a slot, or to anybody who is up.
    async fn lanes(&self, way: &Way, until: Instant) -> Result<(RedisNode, Lanes), LinkFailed> {
        let known = self.known(until).await?;
        let named = way.to.as_ref().or_else(|| known.slots.owner(way.slot?));
        let found = match (named, way.slot) {
            (Some(node), _) => known.lanes.get_key_value(node),
            (None, Some(_)) => None,
            (None, None) => {
                let up = known.lanes.iter().find(|(_, lanes)| lanes.state() == LaneState::Up);
                up.or_else(|| known.lanes.first_key_value())
            }
        };
        let Some((node, lanes)) = found else {
            self.doubt.notify_one();
            return Err(LinkFailed::Down("no node of the cluster has this slot".into()));
        };
        Ok((node.clone(), lanes.clone()))
    }

    async fn known(&self, until: Instant) -> Result<Arc<Known>, LinkFailed> {
        let mut map = self.map.clone();
        let waited = timeout_at(until, map.wait_for(|map| !matches!(map, Map::Awaited))).await;
        match waited.map(|map| map.map(|map| map.clone())) {
            Ok(Ok(Map::Known(known))) => Ok(known),
            Ok(Ok(Map::Unknown(failed))) => Err(failed),
            Ok(Ok(Map::Awaited)) | Err(_) => Err(LinkFailed::TimedOut),
            Ok(Err(_ended)) => Err(LinkFailed::Down("the link has ended".into())),
        }
    }

    /// Where to go on. A node nobody told us of is waited for until the map has it.
    async fn followed(
        &self,
        way: Way,
        from: &RedisNode,
        elsewhere: Elsewhere,
        until: Instant,
    ) -> Result<Way, LinkFailed> {
        let (mut node, asking) = match elsewhere.to {
            Where::Announced(node) => (node, Asking::Announced),
            Where::Moved(node) => (node, Asking::Plainly),
            Where::Later => {
                let pause = Instant::now() + PAUSE;
                if pause >= until {
                    return Err(elsewhere.failed);
                }
                sleep(PAUSE).await;
                self.doubt.notify_one();
                return Ok(Way { to: None, asking: Asking::Plainly, ..way });
            }
        };
        if node.host.is_empty() {
            node.host.clone_from(&from.host);
        }
        if asking == Asking::Plainly {
            self.doubt.notify_one();
        }
        let mut map = self.map.clone();
        let has = |map: &Map| matches!(map, Map::Known(known) if known.lanes.contains_key(&node));
        match timeout_at(until, map.wait_for(has)).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return Err(elsewhere.failed),
        }
        Ok(Way { to: Some(node), asking, ..way })
    }
}

/// How the whole of it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// The first connection, or the next after one that broke, is being made.
    Connecting,
    /// Nothing can be asked; another attempt is made every second at most.
    Down(LinkFailed),
    /// Some of a cluster's nodes cannot be asked; and why.
    Partly(Arc<str>),
    Up,
}

struct Way {
    slot: Option<u16>,
    /// Somebody else than who has the slot by our map.
    to: Option<RedisNode>,
    asking: Asking,
}

const MOST_TRIES: usize = 6;
/// Between tries where a slot is on its way, or has no node for the moment.
const PAUSE: Duration = Duration::from_millis(50);
