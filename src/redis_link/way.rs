//! The way a command takes: to one server, or into a cluster.

use redis::Value;

use super::cluster::{Cluster, LinkState};
use super::failure::LinkFailed;
use super::lanes::{Errand, LaneState, Lanes};

/// One of the two.
#[derive(Clone)]
pub(super) enum Way {
    Cluster(Cluster),
    Server(Lanes),
}

impl Way {
    /// Sends a command and waits for its answer, for no longer than its patience.
    pub async fn run(&self, errand: &Errand) -> Result<Value, LinkFailed> {
        match self {
            Self::Cluster(cluster) => cluster.run(errand).await,
            Self::Server(lanes) => lanes.run(errand).await,
        }
    }

    /// How it stands.
    pub fn state(&self) -> LinkState {
        match self {
            Self::Cluster(cluster) => cluster.state(),
            Self::Server(lanes) => match lanes.state() {
                LaneState::Connecting => LinkState::Connecting,
                LaneState::Down(failed) => LinkState::Down(failed),
                LaneState::Up => LinkState::Up,
            },
        }
    }

    /// Waits until something can be asked; `false` when that will not be any more.
    pub async fn up(&self) -> bool {
        match self {
            Self::Cluster(cluster) => cluster.up().await,
            Self::Server(lanes) => lanes.up().await,
        }
    }
}
